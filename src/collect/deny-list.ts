import type { DenyListConfig } from './edge-config.ts'
import { hashOf, RequestCounter } from './request-counter.ts'

/**
 * IDs that are called far too often are refused for a time [COL-145]. Held in memory, in bounded size; source:
 * spec/collection.md section 11. As anybody can send someone else's ID, blocks are short first, and only the third
 * within 30 days stays [COL-150].
 */
export class DenyList {
  /** Data sources an operator has denied; the counter never puts one here [COL-147]. */
  readonly dataSourceIds: ReadonlySet<number>
  private readonly config: DenyListConfig
  private readonly perMinute = new RequestCounter(MINUTE_MS, SLOTS)
  private readonly perDay = new RequestCounter(DAY_MS, SLOTS)
  private readonly blocks = new Map<string, Block>()

  constructor(config: DenyListConfig) {
    this.config = config
    this.dataSourceIds = new Set(config.dataSourceIds)
  }

  /** Counts one call with this ID. @returns true when the ID is denied now */
  isDenied(kind: DeniedKind, id: string, nowMs: number): boolean {
    if (!this.config.enabled) return false
    const key = this.blocks.size > 0 ? `${kind}:${id}` : ''
    const block = key === '' ? undefined : this.blocks.get(key)
    if (block !== undefined && nowMs < block.untilMs) {
      block.count++
      block.lastMs = nowMs
      return true
    }
    const hash = hashOf(kind, id)
    const isDevice = kind < 0
    const minuteMax = isDevice ? this.config.deviceCallsPerMinute : this.config.personCallsPerMinute
    const dayMax = isDevice ? this.config.deviceCallsPerDay : this.config.personCallsPerDay
    const cause =
      this.perMinute.add(hash, nowMs) > minuteMax ? 'minute' : this.perDay.add(hash, nowMs) > dayMax ? 'day' : undefined
    if (cause === undefined) return false
    this.block(`${kind}:${id}`, cause, nowMs)
    return true
  }

  /** What is denied now, for the operator [COL-150]. */
  entries(nowMs: number): readonly DenyEntry[] {
    const entries: DenyEntry[] = []
    for (const [key, block] of this.blocks) {
      if (nowMs >= block.untilMs) continue
      const colon = key.indexOf(':')
      entries.push({ kind: Number(key.slice(0, colon)), id: key.slice(colon + 1), ...block })
    }
    return entries
  }

  private block(key: string, cause: Block['cause'], nowMs: number): void {
    const last = this.blocks.get(key)
    const isRecent = last !== undefined && nowMs - last.firstMs < MONTH_MS
    const times = isRecent ? last.times + 1 : 1
    const firstMs = isRecent ? last.firstMs : nowMs
    const untilMs = times >= 3 ? Number.POSITIVE_INFINITY : nowMs + (times === 1 ? HOUR_MS : DAY_MS)
    this.blocks.delete(key)
    this.blocks.set(key, { cause, times, firstMs, lastMs: nowMs, count: 1, untilMs })
    if (this.blocks.size > BLOCKS_MAX) {
      // The one blocked longest ago goes: better to let one through than to grow.
      const oldest = this.blocks.keys().next().value
      if (oldest !== undefined) this.blocks.delete(oldest)
    }
  }
}

/** Negative: IDs of one device. Otherwise the data source of a declared ID, whose entries hold for it alone. */
export type DeniedKind = number
export const DeniedDevice = { uuid: -1, ecid: -2 } as const

/** Declared device IDs are limited like devices: the data source, negated and set apart from the two above. */
export function declaredKind(dataSourceId: number, isDeviceId: boolean): DeniedKind {
  return isDeviceId ? -10 - dataSourceId : dataSourceId
}

export interface Block {
  readonly cause: 'minute' | 'day'
  readonly times: number
  readonly firstMs: number
  readonly untilMs: number
  lastMs: number
  count: number
}

export interface DenyEntry extends Block {
  readonly kind: DeniedKind
  readonly id: string
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const MONTH_MS = 30 * DAY_MS
const SLOTS = 131_072
const BLOCKS_MAX = 100_000
