import { keyName, partitionOfKey, startKey } from './keys.ts'
import { sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { Commit, RecordStore, StoredRecord } from './record-store.ts'

const VERSION = 1

/**
 * Sets damaged records aside [SEC-60]: the bytes move under a key of their own, where a person can look at them, and the
 * key reads as absent from then on. Never rejects: a record that cannot be moved now is found again by the next reader.
 */
export class Quarantine {
  readonly #records: RecordStore
  readonly #onCorrupt: (key: Buffer) => void
  readonly #moving = new Map<string, Promise<void>>()

  constructor(records: RecordStore, onCorrupt: (key: Buffer) => void) {
    this.#records = records
    this.#onCorrupt = onCorrupt
  }

  /** Resolves when the record is out of the way. @param instead what its key reads as from then on; nothing, if not given */
  set(damaged: StoredRecord, instead?: Buffer): Promise<void> {
    const name = keyName(damaged.key)
    // Readers of one turn find the same damage, which counts once.
    let moving = this.#moving.get(name)
    if (moving === undefined) {
      this.#onCorrupt(damaged.key)
      moving = this.#move(damaged, instead).finally(() => this.#moving.delete(name))
      this.#moving.set(name, moving)
    }
    return moving
  }

  async #move(damaged: StoredRecord, instead: Buffer | undefined): Promise<void> {
    await this.#records.commit(asideCommit(damaged, instead)).catch(() => false)
  }
}

/**
 * Moves a damaged record. Guarded by the damaged bytes themselves: what was written over them meanwhile is sound and stays.
 * @param instead what stands in its place from then on; by default nothing
 */
export function asideCommit({ key, record }: StoredRecord, instead?: Buffer): Commit {
  const puts = [{ key: quarantineKey(key), record: sealRecord(VERSION, 0, record) }]
  if (instead !== undefined) puts.push({ key, record: instead })
  return { guard: { key, record }, puts, deletes: [key] }
}

/** Partition, `Kind.quarantine`, and the damaged record's kind and rest. */
export function quarantineKey(key: Buffer): Buffer {
  const aside = startKey(partitionOfKey(key), Kind.quarantine, key.length - 2)
  key.copy(aside, 3, 2)
  return aside
}
