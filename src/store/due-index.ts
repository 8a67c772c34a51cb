import { KEPT_MS_MAX } from '../lib/kept-time.ts'
import type { ProfileId } from '../model/ids.ts'
import { PARTITIONS } from '../model/partition.ts'
import { isSoundKey, kindRange, readDueKey, startKey } from './keys.ts'
import { RecordCorruptError } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { RecordStore, StoredRecord } from './record-store.ts'

/** Before the entries of that second. */
function besideNothing(partition: number, seconds: number): Buffer {
  const key = startKey(partition, Kind.due, 4)
  key.writeUInt32BE(seconds, 3)
  return key
}

export interface DueProfile {
  readonly profileId: ProfileId
  readonly dueMs: number
}

type SetAside = (damaged: StoredRecord) => Promise<void>

/** Partitions read at a time, and the least that is asked of one: a read costs more than the entries it brings. */
const PARTITIONS_AT_ONCE = 8
const ENTRIES_MIN = 32
const READ_TRIES_MAX = 10

/**
 * The moments profiles are filed under. The entries are stored; in memory stands the earliest one of each partition, so
 * that nothing is read while nothing is due. It may be earlier than the truth (its entry was moved), never later.
 */
export class DueIndex {
  readonly #records: RecordStore
  readonly #setAside: SetAside
  readonly #nextMs: Float64Array
  /** Where the next look begins, so that a partition that never empties does not hide the ones behind it. */
  #turn = 0

  static async open(records: RecordStore, setAside: SetAside): Promise<DueIndex> {
    const nextMs = new Float64Array(PARTITIONS).fill(Number.POSITIVE_INFINITY)
    for await (const { partition, records: heads } of records.scan(Kind.due, { limitEach: 1 }))
      for (const { key } of heads) nextMs[partition] = isSoundKey(key) ? readDueKey(key).dueMs : 0
    return new DueIndex(records, setAside, nextMs)
  }

  constructor(records: RecordStore, setAside: SetAside, nextMs: Float64Array) {
    this.#records = records
    this.#setAside = setAside
    this.#nextMs = nextMs
  }

  nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const ms of this.#nextMs) if (ms < next) next = ms
    return next
  }

  /** A commit filed an entry: call it when the commit is over, also when its outcome is unknown. */
  filed(partition: number, dueMs: number): void {
    if (dueMs < (this.#nextMs[partition] as number)) this.#nextMs[partition] = dueMs
  }

  /** Entries at or before `nowMs`, from the partitions with the earliest heads, each in order; at most `limit`. */
  async due(nowMs: number, limit: number): Promise<DueProfile[]> {
    const partitions = this.#duePartitions(nowMs)
    const found: DueProfile[] = []
    const share = Math.max(Math.ceil(limit / Math.max(partitions.length, 1)), Math.min(ENTRIES_MIN, limit))
    for (let i = 0; i < partitions.length && found.length < limit; i += PARTITIONS_AT_ONCE) {
      const together = partitions.slice(i, i + PARTITIONS_AT_ONCE)
      const pages = await Promise.all(together.map((partition) => this.#dueOf(partition, nowMs, share)))
      found.push(...pages.flat())
      this.#turn = ((together.at(-1) as number) + 1) % PARTITIONS
    }
    return found.slice(0, limit)
  }

  /** Earliest head first; among equals the one whose turn it is. */
  #duePartitions(nowMs: number): number[] {
    const due: number[] = []
    for (let i = 0; i < PARTITIONS; i++) {
      const partition = (this.#turn + i) % PARTITIONS
      if ((this.#nextMs[partition] as number) <= nowMs) due.push(partition)
    }
    return due.sort((a, b) => (this.#nextMs[a] as number) - (this.#nextMs[b] as number))
  }

  async #dueOf(partition: number, nowMs: number, limit: number): Promise<DueProfile[]> {
    const before = this.#nextMs[partition] as number
    // What commits file while we read counts on top of what we find.
    this.#nextMs[partition] = Number.POSITIVE_INFINITY
    try {
      const { from, to } = kindRange(partition, Kind.due)
      const end = nowMs < KEPT_MS_MAX ? besideNothing(partition, Math.floor(nowMs / 1000) + 1) : to
      const entries = await this.#read(from, end, limit)
      const [head] = entries.length > 0 ? entries : await this.#read(from, to, 1)
      if (head !== undefined) this.filed(partition, head.dueMs)
      return entries
    } catch (error) {
      this.filed(partition, before)
      throw error
    }
  }

  /** One damaged key must not hold up the others: it is set aside, and reads as absent. */
  async #read(from: Buffer, to: Buffer, limit: number): Promise<DueProfile[]> {
    for (let tries = 1; tries <= READ_TRIES_MAX; tries++) {
      const stored = await this.#records.range(from, to, { limit })
      const sound = stored.filter(({ key }) => isSoundKey(key))
      for (const one of stored) if (!sound.includes(one)) await this.#setAside(one)
      if (sound.length > 0 || stored.length === 0) return sound.map(({ key }) => readDueKey(key))
    }
    throw new RecordCorruptError('damaged due entries cannot be set aside')
  }
}
