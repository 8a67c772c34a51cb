import type { Durability } from './durability.ts'
import { partitionOfKey } from './keys.ts'
import { readRevision } from './record.ts'
import { recordKind } from './record-kinds.ts'
import type { ScanOptions, ScanPage } from './scan.ts'

/**
 * The engine below every store: ordered records in 4,096 fixed partitions. A key is 2 bytes of partition (big-endian),
 * 1 byte of kind (`record-kinds.ts`), and the rest (`keys.ts`); a record is sealed with a version byte, its revision and a
 * checksum (`record.ts`). Implementations: `embedded/` (LevelDB), `memory/`; a cluster follows. `record-store.conformance.ts` is
 * the definition.
 */
export interface RecordStore {
  /**
   * Reads records in one round trip (calls of one turn share it); sees every commit that has resolved.
   * @returns sealed bytes, same length and order as `keys`; `undefined` where no record is
   * @throws StoreUnavailableError when the engine cannot be reached; safe to retry
   */
  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]>

  /**
   * Writes all of it or nothing; of a key that is deleted and put, the put stays. All keys lie in one partition.
   * Concurrent calls are grouped into one write.
   * Resolves when `durability` (default: the store's) is reached.
   * @returns false when the guard lost the race: nothing was written
   * @throws RangeError when the keys lie in two partitions
   * @throws StoreUnavailableError the outcome is unknown; nothing later is acknowledged before the engine was reopened
   */
  commit(commit: Commit, durability?: Durability): Promise<boolean>

  /**
   * Records with `from <= key < to`, both of one ordered kind in one partition, ascending (descending with `reverse`), at most
   * `limit`. Sees every commit that has resolved.
   * @throws RangeError when the kind is not ordered
   */
  range(
    from: Buffer,
    to: Buffer,
    options: { readonly limit: number; readonly reverse?: boolean },
  ): Promise<StoredRecord[]>

  /**
   * All records of a kind in pages, partition by partition, ascending; of an ordered kind by key within each. No snapshot:
   * it sees every commit that had resolved when it began, and what is written meanwhile or not; nothing twice.
   */
  scan(kind: number, options?: ScanOptions): AsyncIterable<ScanPage>

  /**
   * Bytes that the records with `from <= key < to` take on the device, about: as they lie there (compressed), without what
   * was written last and is not in a table yet (up to 64 MiB of all records), with what was deleted and not yet reclaimed.
   */
  approximateBytes(from: Buffer, to: Buffer): Promise<number>

  /** Gives the room of what was deleted there back to the device; takes time in proportion to what the range holds. */
  reclaim(from: Buffer, to: Buffer): Promise<void>

  /** Everything committed so far is on the device when it resolves. */
  flush(): Promise<void>

  /** Bytes on the device, and figures worth a metric. */
  stats(): Promise<{ readonly diskBytes: number }>

  close(): Promise<void>
}

export interface Commit {
  readonly guard?: Guard
  /** Keys where no record may be, or nothing is written. */
  readonly absent?: readonly Buffer[]
  readonly puts: readonly StoredRecord[]
  readonly deletes: readonly Buffer[]
}

/**
 * Refuses a commit unless the record at `key` has this revision, where 0 is that there is none, or is these very bytes: for
 * records of a kind without revisions, and for damaged ones, whose revision says nothing.
 */
export type Guard =
  | { readonly key: Buffer; readonly revision: number }
  | { readonly key: Buffer; readonly record: Buffer }

export interface StoredRecord {
  readonly key: Buffer
  /** Sealed bytes. Stores and callers may keep them: never change them. */
  readonly record: Buffer
}

/** The engine cannot be reached or refused a write. Retrying can help; the outcome of a commit is unknown. */
export class StoreUnavailableError extends Error {
  readonly code = 'store_unavailable'
  readonly retryable = true
}

/** @param record what is stored at the key of the guard, if anything is */
export function guardHolds(guard: Guard, record: Buffer | null | undefined): boolean {
  if ('record' in guard) return record?.equals(guard.record) === true
  return (record == null ? 0 : readRevision(record).revision) === guard.revision
}

/** @throws RangeError when a commit reaches into a second partition, or names a revision where there are none */
export function assertCommit({ guard, absent = [], puts, deletes }: Commit): void {
  const first = guard?.key ?? absent[0] ?? puts[0]?.key ?? deletes[0]
  if (first === undefined) return
  const partition = partitionOfKey(first)
  const stay = (key: Buffer): void => {
    if (partitionOfKey(key) !== partition) throw new RangeError('a commit reaches into two partitions')
  }
  for (const key of absent) stay(key)
  for (const put of puts) stay(put.key)
  for (const key of deletes) stay(key)
  if (guard !== undefined && 'revision' in guard && !recordKind(guard.key[2] as number).isVersioned)
    throw new RangeError('a guard names a revision of a kind of records that has none')
}

/** @throws RangeError when a range is of a kind without order, or reaches beyond one partition */
export function assertRange(from: Buffer, to: Buffer): void {
  if (!recordKind(from[2] as number).isOrdered)
    throw new RangeError('a range is read of a kind of records without order')
  if (partitionOfKey(from) !== partitionOfKey(to)) throw new RangeError('a range reaches into two partitions')
}
