import type { DestinationHealth } from '../model/delivery.ts'

/** Something that a person should look at; the contract's `AttentionItem` with times as numbers. */
export interface Attention {
  readonly kind:
    | 'breaker_open'
    | 'failing'
    | 'paused'
    | 'dead_letters'
    | 'backlog'
    | 'disk_share'
    | 'disk'
    | 'private_destinations'
    | 'clock'
  readonly severity: 'critical' | 'warning' | 'info'
  readonly destinationId: number | null
  readonly count: number | null
  /** More wait on disk than `count` says. */
  readonly atLeast: boolean
  readonly sinceMs: number | null
  readonly reason: string | null
}

export interface Situation {
  readonly health: readonly DestinationHealth[]
  readonly deadLetters: readonly {
    readonly destinationId: number
    readonly count: number
    /** The most frequent one. */
    readonly reason: string | null
    readonly sinceMs: number | null
  }[]
  /** Destinations whose kept messages nearly fill their share of the disk, or do [SEC-44]. */
  readonly diskShares: readonly {
    readonly destinationId: number
    readonly level: 'near' | 'full'
    readonly sinceMs: number
  }[]
  readonly disk: 'ok' | 'low' | 'full'
  /** The switch that lets destinations use private addresses is on [OPS-25]. */
  readonly allowPrivate: boolean
  /** Messages that a destination still owes, as everywhere in the overview. */
  readonly waitingAt: (destinationId: number) => number
  /** The machine's clock, which may have leapt [SEC-82]. */
  readonly clock: {
    readonly state: 'trusted' | 'held' | 'waiting' | 'followed'
    readonly sinceMs: number | undefined
    /** Negative: back. */
    readonly leapMs: number
  }
  /** How far the product's clock is ahead of the machine's [OPS-27]. */
  readonly clockOffsetMs: number
  readonly nowMs: number
}

/** Messages that have waited longer than this at a destination that answers are a backlog. */
const BACKLOG_MS = 5 * 60_000
/** So many attempts in a row failed: long before a breaker opens that is slowed down by the partner's 503. */
const FAILING = 3
const RANK = { critical: 0, warning: 1, info: 2 } as const

/** Worst first: by severity, then by how many messages it concerns. A destination has one item for each trouble it has. */
export function needsAttention(situation: Situation): readonly Attention[] {
  const { health, deadLetters, diskShares, disk, allowPrivate, waitingAt, nowMs } = situation
  const { clock, clockOffsetMs } = situation
  const items: Attention[] = health.flatMap((one) => troubleOf(one, waitingAt(one.destinationId), nowMs))
  for (const { destinationId, count, reason, sinceMs } of deadLetters)
    items.push({ kind: 'dead_letters', severity: 'warning', destinationId, count, atLeast: false, sinceMs, reason })
  for (const { destinationId, level, sinceMs } of diskShares)
    items.push({ ...NOTHING, kind: 'disk_share', severity: 'warning', destinationId, sinceMs, reason: level })
  if (disk !== 'ok')
    items.push({ ...NOTHING, kind: 'disk', severity: disk === 'full' ? 'critical' : 'warning', reason: disk })
  if (allowPrivate) items.push({ ...NOTHING, kind: 'private_destinations', severity: 'info' })
  if (clock.state !== 'trusted') {
    const reason = clock.leapMs < 0 ? 'back' : 'ahead'
    items.push({ ...NOTHING, kind: 'clock', severity: 'warning', reason, sinceMs: clock.sinceMs ?? null })
  }
  if (clockOffsetMs !== 0) items.push({ ...NOTHING, kind: 'clock', severity: 'info', reason: 'advanced' })
  return items.sort((a, b) => RANK[a.severity] - RANK[b.severity] || (b.count ?? 0) - (a.count ?? 0))
}

const NOTHING = { destinationId: null, count: null, atLeast: false, sinceMs: null, reason: null } as const

function troubleOf(health: DestinationHealth, count: number, nowMs: number): Attention[] {
  const { destinationId, breaker, paused, oldestWaitingMs, failuresInRow, lastFailure } = health
  const base = { severity: 'warning', destinationId, count, atLeast: health.moreOnDisk } as const
  if (paused !== undefined) return [{ ...base, kind: 'paused', sinceMs: paused.atMs, reason: paused.reason }]
  const reason = lastFailure?.reason ?? null
  const sinceMs = oldestWaitingMs ?? null
  if (breaker !== 'closed' || failuresInRow >= FAILING) {
    const kind = breaker === 'closed' ? 'failing' : 'breaker_open'
    return [{ ...base, kind, sinceMs: sinceMs ?? lastFailure?.atMs ?? null, reason }]
  }
  const isBehind = oldestWaitingMs !== undefined && nowMs - oldestWaitingMs >= BACKLOG_MS
  return isBehind ? [{ ...base, kind: 'backlog', sinceMs, reason }] : []
}
