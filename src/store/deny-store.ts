import type { DenyEntry } from '../model/deny-entry.ts'
import { startKey } from './keys.ts'
import { Quarantine } from './quarantine.ts'
import { openRecord, RecordCorruptError, sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { RecordStore, StoredRecord } from './record-store.ts'

/** The deny list, so that it outlives a restart [COL-150]. Entries are found by a hash of their kind and ID. */
export interface DenyStore {
  /** Everything; a damaged entry is set aside and left out. */
  readAll(): Promise<readonly DenyEntry[]>
  /**
   * Resolves when the death of the process can no longer undo it.
   * @throws StoreUnavailableError; the same changes may be written again
   */
  write(puts: ReadonlyMap<number, DenyEntry>, deletes: readonly number[]): Promise<void>
}

const VERSION = 1
/** The list is small and read as a whole: one partition holds it. */
const PARTITION = 0
const PAGE_SIZE = 1_000

/** @param onCorrupt called for each damaged record that is set aside */
export function openDenyStore(records: RecordStore, onCorrupt: () => void): DenyStore {
  const quarantine = new Quarantine(records, onCorrupt)
  const readPage = async (page: readonly StoredRecord[], into: DenyEntry[]) => {
    for (const stored of page) {
      const entry = readEntry(stored)
      if (entry === undefined) await quarantine.set(stored)
      else into.push(entry)
    }
  }
  return {
    async readAll() {
      const entries: DenyEntry[] = []
      for await (const page of records.scan(Kind.denied)) await readPage(page.records, entries)
      return entries
    },
    async write(puts, deletes) {
      const changes = [
        ...[...puts].map(([hash, entry]) => ({ key: denyKey(hash), record: sealEntry(entry) })),
        ...deletes.map((hash) => ({ key: denyKey(hash), record: undefined })),
      ]
      for (let at = 0; at < changes.length; at += PAGE_SIZE) {
        const page = changes.slice(at, at + PAGE_SIZE)
        await records.commit(
          {
            puts: page.flatMap(({ key, record }) => (record === undefined ? [] : [{ key, record }])),
            deletes: page.filter(({ record }) => record === undefined).map(({ key }) => key),
          },
          'process',
        )
      }
    },
  }
}

function denyKey(hash: number): Buffer {
  const key = startKey(PARTITION, Kind.denied, 8)
  key.writeBigUInt64BE(BigInt(hash), 3)
  return key
}

/** JSON has no infinity: a block for good ends with `null`. */
function sealEntry({ kind, id, cause, times, firstMs, lastMs, count, untilMs }: DenyEntry): Buffer {
  const endsMs = Number.isFinite(untilMs) ? untilMs : null
  const body = Buffer.from(JSON.stringify({ kind, id, cause, times, firstMs, lastMs, count, untilMs: endsMs }))
  return sealRecord(VERSION, 0, body)
}

function readEntry({ record }: StoredRecord): DenyEntry | undefined {
  try {
    const entry = JSON.parse(openRecord(record).body.toString('utf8')) as DenyEntry & {
      readonly untilMs: number | null
    }
    return { ...entry, untilMs: entry.untilMs ?? Number.POSITIVE_INFINITY }
  } catch (error) {
    if (error instanceof RecordCorruptError) return undefined
    throw error
  }
}
