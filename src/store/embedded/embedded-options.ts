import type { Damage } from '../damage.ts'
import type { Durability } from '../durability.ts'
import type { RecordStore, StoredRecord } from '../record-store.ts'
import type { CarefulOptions } from './careful-open.ts'

export interface EmbeddedOptions extends CarefulOptions {
  /** Level of a commit that names none. */
  readonly durability: Durability
  /** Bound of the record cache; default 1 MiB. */
  readonly cacheBytes?: number
  /** After each native write: how long it took, and whether it waited for the device. */
  readonly onWrite?: ((ms: number, isSynced: boolean) => void) | undefined
  /** Reads all tables once after opening, slowly, for damage that nobody has met. */
  readonly readsThrough?: boolean
  /** A write failed, or opening the database again after one: before anybody else hears of it. */
  readonly onWriteFailed?: ((error: unknown) => void) | undefined
}

/** What files can suffer from, beside what every engine does. */
export interface EmbeddedRecordStore extends RecordStore {
  /** Damaged files that were set aside, and that nobody has settled [SEC-60]. */
  damage(): readonly Damage[]
  /** Reads every file of the store, and says what is damaged: now, or earlier and not settled. */
  checkFiles(onProgress?: (done: number, total: number) => void): Promise<readonly Damage[]>
  /**
   * Every record as it was at one moment, with all that was committed before the call: a commit is in it whole or not at all.
   * @throws StoreUnavailableError when damage is met, or the database had to be opened again meanwhile
   */
  everything(): AsyncIterable<readonly StoredRecord[]>
}
