import type { Durability } from './durability.ts'

/**
 * The engine below every store: ordered records in 4,096 fixed partitions. A key is 2 bytes of partition (big-endian),
 * 1 byte of kind, and the rest (`keys.ts`); a record is sealed with a version byte, its revision and a checksum
 * (`record.ts`). Implementations: `embedded/` (LevelDB), `memory/`; a cluster follows. `record-store.conformance.ts` is
 * the definition.
 */
export interface RecordStore {
  /**
   * Reads records in one round trip; sees every commit that has resolved, and every one issued before this call.
   * @returns sealed bytes, same length and order as `keys`; `undefined` where no record is
   * @throws StoreUnavailableError when the engine cannot be reached; safe to retry
   */
  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]>

  /**
   * Writes all of it or nothing. All keys lie in one partition. Concurrent calls are grouped into one write.
   * Resolves when `durability` (default: the store's) is reached.
   * @returns false when the guard lost the race: nothing was written
   * @throws StoreUnavailableError the outcome is unknown; nothing later is acknowledged before the engine was reopened
   */
  commit(commit: Commit, durability?: Durability): Promise<boolean>

  /**
   * Records with `from <= key < to`, both in one partition, ascending (descending with `reverse`), at most `limit`.
   * Sees every commit that has resolved.
   */
  range(from: Buffer, to: Buffer, options: { readonly limit: number; readonly reverse?: boolean }): Promise<StoredRecord[]>

  /** First key of a kind in each partition that has one; ascending by partition. For start-up scans and the sweep. */
  heads(kind: number): Promise<Buffer[]>

  /** Everything committed so far is on the device when it resolves. */
  flush(): Promise<void>

  /** Bytes on the device, and figures worth a metric. */
  stats(): Promise<{ readonly diskBytes: number }>

  close(): Promise<void>
}

export interface Commit {
  /** Refuses the commit unless the record at `key` has this revision; 0 means "no such record". */
  readonly guard?: { readonly key: Buffer; readonly revision: number }
  readonly puts: readonly StoredRecord[]
  readonly deletes: readonly Buffer[]
}

export interface StoredRecord {
  readonly key: Buffer
  /** Sealed bytes. */
  readonly record: Buffer
}

/** The engine cannot be reached or refused a write. Retrying can help; the outcome of a commit is unknown. */
export class StoreUnavailableError extends Error {
  readonly code = 'store_unavailable'
  readonly retryable = true
}
