import type { StoredRecord } from '../record-store.ts'
import type { LevelBatch } from './level.ts'
import type { KnownRecord } from './record-cache.ts'

/** A write that is accepted but not yet in the database. */
export interface Overlaid {
  readonly record: KnownRecord
  readonly group: WriteGroup
}

export interface WriteWaiter {
  readonly resolve: (isCommitted: boolean) => void
  readonly reject: (error: Error) => void
}

/** Commits that go into one native write, with those who wait for it. */
export class WriteGroup {
  readonly names: string[] = []
  readonly waiters: WriteWaiter[] = []
  /** Opt-outs among the records: they are written a second time. */
  readonly optOuts: StoredRecord[] = []
  bytes = 0
  /** Somebody waits for the device. */
  mustSync = false
  readonly #batch: LevelBatch

  constructor(batch: LevelBatch) {
    this.#batch = batch
  }

  put({ key, record }: StoredRecord, name: string): void {
    this.#batch.put(key, record)
    this.names.push(name)
    this.bytes += key.length + record.length
  }

  delete(key: Buffer, name: string): void {
    this.#batch.delete(key)
    this.names.push(name)
    this.bytes += key.length
  }

  write(sync: boolean): Promise<void> {
    return this.#batch.write(sync)
  }

  resolveAll(): void {
    for (const waiter of this.waiters) waiter.resolve(true)
  }

  rejectAll(error: Error): void {
    for (const waiter of this.waiters) waiter.reject(error)
  }
}
