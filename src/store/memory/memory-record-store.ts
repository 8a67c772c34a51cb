import { partitionOfKey } from '../keys.ts'
import {
  assertCommit,
  assertRange,
  type Commit,
  guardHolds,
  type RecordStore,
  type StoredRecord,
  StoreUnavailableError,
} from '../record-store.ts'
import { type ScanOptions, type ScanPage, scanInOrder } from '../scan.ts'

/** Records in a sorted array, for tests: obvious before fast. Nothing survives it. */
export async function openMemoryRecordStore(): Promise<RecordStore> {
  return new MemoryRecordStore()
}

class MemoryRecordStore implements RecordStore {
  /** Ascending by key. */
  #records: StoredRecord[] = []
  #isClosed = false

  async getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    this.#assertOpen()
    return keys.map((key) => this.#find(key)?.record)
  }

  async commit(commit: Commit): Promise<boolean> {
    this.#assertOpen()
    assertCommit(commit)
    const { guard, absent = [] } = commit
    if (guard !== undefined && !guardHolds(guard, this.#find(guard.key)?.record)) return false
    if (absent.some((key) => this.#find(key) !== undefined)) return false
    for (const key of commit.deletes) {
      const at = this.#lowerBound(key)
      if (this.#records[at]?.key.equals(key)) this.#records.splice(at, 1)
    }
    for (const { key, record } of commit.puts) {
      const at = this.#lowerBound(key)
      const replaced = this.#records[at]?.key.equals(key) ? 1 : 0
      this.#records.splice(at, replaced, { key: Buffer.from(key), record: Buffer.from(record) })
    }
    return true
  }

  async range(
    from: Buffer,
    to: Buffer,
    options: { readonly limit: number; readonly reverse?: boolean },
  ): Promise<StoredRecord[]> {
    assertRange(from, to)
    return this.#rangeOf(from, to, options)
  }

  scan(kind: number, options?: ScanOptions): AsyncIterable<ScanPage> {
    const heads = async () => this.#headsOf(kind)
    return scanInOrder({ heads, range: async (...range) => this.#rangeOf(...range) }, kind, options)
  }

  #rangeOf(from: Buffer, to: Buffer, options: Parameters<RecordStore['range']>[2]): StoredRecord[] {
    this.#assertOpen()
    const found = this.#records.slice(this.#lowerBound(from), this.#lowerBound(to))
    return (options.reverse ? found.reverse() : found).slice(0, options.limit)
  }

  #headsOf(kind: number): StoredRecord[] {
    this.#assertOpen()
    const heads = new Map<number, StoredRecord>()
    for (const stored of this.#records) {
      const partition = partitionOfKey(stored.key)
      if (stored.key[2] === kind && !heads.has(partition)) heads.set(partition, stored)
    }
    return [...heads.values()]
  }

  async approximateBytes(from: Buffer, to: Buffer): Promise<number> {
    this.#assertOpen()
    const found = this.#records.slice(this.#lowerBound(from), this.#lowerBound(to))
    return found.reduce((sum, { key, record }) => sum + key.length + record.length, 0)
  }

  async reclaim(): Promise<void> {
    this.#assertOpen()
  }

  async flush(): Promise<void> {
    this.#assertOpen()
  }

  async stats(): Promise<{ readonly diskBytes: number }> {
    return { diskBytes: 0 }
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #find(key: Buffer): StoredRecord | undefined {
    const found = this.#records[this.#lowerBound(key)]
    return found?.key.equals(key) ? found : undefined
  }

  /** Index of the first record at or after `key`. */
  #lowerBound(key: Buffer): number {
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare((this.#records[middle] as StoredRecord).key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StoreUnavailableError('the store is closed')
  }
}
