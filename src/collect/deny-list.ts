import type { DeniedKind, DenyEntry } from '../model/deny-entry.ts'
import type { DenyListConfig } from './edge-config.ts'
import { hashOf, RequestCounter } from './request-counter.ts'

/**
 * IDs that are called far too often are refused for a time [COL-145]. Answers from memory, in bounded size, and tells
 * what changed to whoever keeps it (`deny-list-keeper.ts`). Source: spec/collection.md section 11. As anybody can send
 * someone else's ID, blocks are short first, and only the third within 30 days stays [COL-150].
 */
export class DenyList {
  /** Data sources an operator has denied; the counter never puts one here [COL-147]. */
  readonly dataSourceIds: ReadonlySet<number>
  private readonly config: DenyListConfig
  private readonly perMinute = new RequestCounter(MINUTE_MS, SLOTS)
  private readonly perDay = new RequestCounter(DAY_MS, SLOTS)
  /** By hash, oldest block first. Of two IDs with one hash of 53 bits the later takes the place. */
  private readonly blocks = new Map<number, Block>()
  private changed = new Set<number>()

  constructor(config: DenyListConfig) {
    this.config = config
    this.dataSourceIds = new Set(config.dataSourceIds)
  }

  /**
   * Counts one call with this ID.
   * @param onCallerOver given for a call of a listed caller: what is on the list stays denied, but these calls are
   * counted apart and only told when they are too many, so that a replay of history does not ban real users [COL-146]
   * @returns true when the ID is denied now
   */
  isDenied(kind: DeniedKind, id: string, nowMs: number, onCallerOver?: (kind: DeniedKind) => void): boolean {
    if (!this.config.enabled) return false
    const hash = hashOf(kind, id)
    if (this.blocks.size > 0) {
      const block = this.blocks.get(hash)
      if (block !== undefined && isOn(block, nowMs) && block.kind === kind && block.id === id) {
        this.countRefusal(block, nowMs)
        return true
      }
    }
    const counted = onCallerOver === undefined ? hash : hashOf(kind ^ CALLER_SALT, id)
    const isDevice = kind < 0
    const minuteMax = isDevice ? this.config.deviceCallsPerMinute : this.config.personCallsPerMinute
    const dayMax = isDevice ? this.config.deviceCallsPerDay : this.config.personCallsPerDay
    const cause =
      this.perMinute.add(counted, nowMs) > minuteMax
        ? 'minute'
        : this.perDay.add(counted, nowMs) > dayMax
          ? 'day'
          : undefined
    if (cause === undefined) return false
    // The calls that led here count once, for one block or one warning: then counting begins anew.
    this.forgetCounts(counted)
    if (onCallerOver === undefined) this.block(hash, kind, id, cause, nowMs)
    else onCallerOver(kind)
    return onCallerOver === undefined
  }

  /** What is denied now, the longest blocked first, for the operator [COL-150]. */
  *entries(nowMs: number): Generator<ListedEntry, void> {
    for (const block of this.blocks.values()) if (isOn(block, nowMs)) yield block
  }

  /** Lets an ID through again, as if it had never been counted. @returns false when there is no such entry */
  remove(hash: number): boolean {
    if (!this.blocks.delete(hash)) return false
    this.forgetCounts(hash)
    this.changed.add(hash)
    return true
  }

  /** Takes up what was kept before a restart; blocks that began since then win. */
  restore(kept: readonly DenyEntry[]): void {
    if (!this.config.enabled) return
    for (const entry of [...kept].sort((a, b) => a.firstMs - b.firstMs)) {
      const hash = hashOf(entry.kind, entry.id)
      if (!this.blocks.has(hash)) this.add({ ...entry, hash, keptMs: entry.lastMs })
    }
  }

  /** Drops blocks that are over and too old to count for the next one. */
  forgetEnded(nowMs: number): void {
    for (const [hash, block] of this.blocks) {
      if (isOn(block, nowMs) || nowMs - block.firstMs < MONTH_MS) continue
      this.blocks.delete(hash)
      this.changed.add(hash)
    }
  }

  /** Hashes of the entries that began, grew or went since it was last asked. */
  takeChanges(): ReadonlySet<number> {
    const taken = this.changed
    if (taken.size > 0) this.changed = new Set()
    return taken
  }

  /** What was taken could not be kept; it counts as changed again. */
  returnChanges(taken: ReadonlySet<number>): void {
    for (const hash of taken) this.changed.add(hash)
  }

  /** The entry as it is now, also one whose block is over; undefined when it is gone. */
  entryOf(hash: number): DenyEntry | undefined {
    return this.blocks.get(hash)
  }

  /** Refused calls of one entry are worth a write once a minute, however many there are. */
  private countRefusal(block: Block, nowMs: number): void {
    block.count++
    block.lastMs = nowMs
    if (nowMs - block.keptMs < MINUTE_MS) return
    block.keptMs = nowMs
    this.changed.add(block.hash)
  }

  private block(hash: number, kind: DeniedKind, id: string, cause: Block['cause'], nowMs: number): void {
    const last = this.blocks.get(hash)
    const isRecent = last !== undefined && last.id === id && nowMs - last.firstMs < MONTH_MS
    const times = isRecent ? last.times + 1 : 1
    const firstMs = isRecent ? last.firstMs : nowMs
    const untilMs = times >= 3 ? Number.POSITIVE_INFINITY : nowMs + (times === 1 ? HOUR_MS : DAY_MS)
    this.blocks.delete(hash)
    this.add({ hash, kind, id, cause, times, firstMs, lastMs: nowMs, count: 1, untilMs, keptMs: nowMs })
    this.changed.add(hash)
  }

  private add(block: Block): void {
    this.blocks.set(block.hash, block)
    if (this.blocks.size <= BLOCKS_MAX) return
    // The one blocked longest ago goes: better to let one through than to grow.
    const oldest = this.blocks.keys().next().value
    if (oldest === undefined) return
    this.blocks.delete(oldest)
    this.changed.add(oldest)
  }

  private forgetCounts(hash: number): void {
    this.perMinute.forget(hash)
    this.perDay.forget(hash)
  }
}

/** No block ends later than in a day, unless it stays: one that does was made while the clock was ahead. */
function isOn({ untilMs }: Block, nowMs: number): boolean {
  return nowMs < untilMs && (untilMs - nowMs <= DAY_MS || untilMs === Number.POSITIVE_INFINITY)
}

export interface ListedEntry extends DenyEntry {
  /** Names the entry. */
  readonly hash: number
}

interface Block extends ListedEntry {
  lastMs: number
  count: number
  /** When the entry was last handed to the keeper. */
  keptMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const MONTH_MS = 30 * DAY_MS
const SLOTS = 131_072
/** Any bits that no kind of ours has. */
const CALLER_SALT = 0x5ca1ab1e
export const BLOCKS_MAX = 100_000
