import { Kind, keyName, partitionOfKey, startKey } from './keys.ts'
import { readRevision, sealRecord } from './record.ts'
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

  /** Resolves when the record is out of the way. */
  set(damaged: StoredRecord): Promise<void> {
    const name = keyName(damaged.key)
    // Readers of one turn find the same damage; a second move could take away what was written after the first.
    let moving = this.#moving.get(name)
    if (moving === undefined) {
      this.#onCorrupt(damaged.key)
      moving = this.#move(damaged).finally(() => this.#moving.delete(name))
      this.#moving.set(name, moving)
    }
    return moving
  }

  async #move(damaged: StoredRecord): Promise<void> {
    await this.#records.commit(asideCommit(damaged)).catch(() => false)
  }
}

/** Moves a damaged record, unless something was written in its place. */
export function asideCommit({ key, record }: StoredRecord): Commit {
  const puts = [{ key: quarantineKey(key), record: sealRecord(VERSION, 0, record) }]
  return { guard: { key, revision: readRevision(record).revision }, puts, deletes: [key] }
}

/** Partition, `Kind.quarantine`, and the damaged record's kind and rest. */
export function quarantineKey(key: Buffer): Buffer {
  const aside = startKey(partitionOfKey(key), Kind.quarantine, key.length - 2)
  key.copy(aside, 3, 2)
  return aside
}
