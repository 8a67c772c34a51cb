/** What is known of a key: its sealed record, or `null` when there is none. */
export type KnownRecord = Buffer | null

/** What an entry costs beside its bytes: the name, the map, the buffer object. */
const ENTRY_BYTES = 250

/**
 * Enough for what is read until its commit has asked for its revision. A larger one rarely helps, and is old garbage later:
 * with 32 MiB the full collections of one run under load took 7 to 50 ms, with 1 MiB 9 to 12.
 */
const BYTES_MAX = 1024 * 1024

/**
 * Sealed records that were read or guarded lately, so that a guard rarely needs a read. Two generations instead of a
 * list of uses: when the younger one is full it becomes the older one, and what is used again moves over.
 */
export class RecordCache {
  readonly #generationBytes: number
  #young = new Map<string, KnownRecord>()
  #old = new Map<string, KnownRecord>()
  #youngBytes = 0

  constructor(bytesMax = BYTES_MAX) {
    this.#generationBytes = bytesMax / 2
  }

  get(name: string): KnownRecord | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old !== undefined) this.set(name, old)
    return old
  }

  set(name: string, record: KnownRecord): void {
    const before = this.#young.get(name)
    this.#youngBytes += costOf(record) - (before === undefined ? 0 : costOf(before))
    this.#young.set(name, record)
    if (this.#youngBytes <= this.#generationBytes) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  /** Replaces what is cached of a key that was written; a key nobody read stays out. */
  refresh(name: string, record: KnownRecord): void {
    if (this.#young.has(name) || this.#old.has(name)) this.set(name, record)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#youngBytes = 0
  }
}

function costOf(record: KnownRecord): number {
  return ENTRY_BYTES + (record === null ? 0 : record.length)
}
