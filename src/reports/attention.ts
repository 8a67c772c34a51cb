import type { DestinationHealth } from '../model/delivery.ts'
import { rankOf, STANDINGS, standingOf } from './standing.ts'

/** Something that a person should look at; the contract's `AttentionItem` with times as numbers. */
export interface Attention {
  readonly kind:
    | 'unusable'
    | 'paused'
    | 'breaker_open'
    | 'failing'
    | 'partial'
    | 'dead_letters'
    | 'backlog'
    | 'disk_share'
    | 'disk'
    | 'damage'
    | 'opt_out_list'
    | 'private_destinations'
    | 'clock'
  readonly severity: 'critical' | 'warning' | 'info'
  readonly destinationId: number | null
  /** Users who wait, where it is of how a destination stands. */
  readonly count: number | null
  /** Built for those users, and not ended. */
  readonly messages: number | null
  /** Where nobody waits: dead letters, if they are all there is to do. */
  readonly deadLetters: number | null
  /** More wait on disk than `count` says. */
  readonly atLeast: boolean
  readonly sinceMs: number | null
  readonly reason: string | null
  /** When something is tried next. */
  readonly nextAttemptMs: number | null
}

export interface Situation {
  readonly health: readonly DestinationHealth[]
  readonly deadLetters: readonly {
    /** Null: of all destinations that were deleted. */
    readonly destinationId: number | null
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
  /** What the device damaged and nobody has settled: files that were set aside, and records since the start [SEC-60]. */
  readonly damage?: {
    readonly files: number
    /** Something in the files could not be worked out again. */
    readonly isLost: boolean
    readonly records: number
    /** Opt-outs that their second copy lacks [SEC-79]. */
    readonly unlistedOptOuts: number
    readonly sinceMs: number | null
  }
  /** The switch that lets destinations use private addresses is on [OPS-25]. */
  readonly allowPrivate: boolean
  /** The machine's clock, which may have leapt [SEC-82]. */
  readonly clock: {
    readonly state: 'trusted' | 'held' | 'waiting' | 'followed'
    readonly sinceMs: number | undefined
    /** Negative: back. */
    readonly leapMs: number
  }
  /** False while the machine says a time that cannot be kept: every event is refused. */
  readonly isTimeKept: boolean
  /** How far the product's clock is ahead of the machine's [OPS-27]. */
  readonly clockOffsetMs: number
  readonly nowMs: number
}

const SEVERITIES = ['critical', 'warning', 'info'] as const
/** Between those that fail and those that are only slow. */
const DEAD_LETTERS_RANK = STANDINGS.indexOf('failing') + 0.3
const KINDS = {
  unusable: 'unusable',
  paused: 'paused',
  stopped: 'breaker_open',
  failing: 'failing',
  partial: 'partial',
  behind: 'backlog',
} as const

/**
 * Worst first: by severity, then by how a destination stands, then by how many users it concerns. A destination has one
 * item for how it stands, and one for what else is the matter; where nobody waits, its dead letters stand in the first.
 */
export function needsAttention(situation: Situation): readonly Attention[] {
  const { health, deadLetters, diskShares, disk, allowPrivate, nowMs } = situation
  const { clock, clockOffsetMs } = situation
  const items: RankedItem[] = health.flatMap((one) => {
    const letters = deadLetters.find(({ destinationId }) => destinationId === one.destinationId)
    return troubleOf(one, letters?.count ?? 0, nowMs)
  })
  const add = (item: Partial<Attention> & Pick<Attention, 'kind' | 'severity'>, rank: number = STANDINGS.length) =>
    items.push({ item: { ...NOTHING, ...item }, rank })
  const told = new Set(items.flatMap(({ item }) => (item.deadLetters === null ? [] : item.destinationId)))
  for (const letters of deadLetters)
    if (!told.has(letters.destinationId))
      add({ kind: 'dead_letters', severity: 'warning', ...letters }, DEAD_LETTERS_RANK)
  for (const { destinationId, level, sinceMs } of diskShares)
    add({ kind: 'disk_share', severity: 'warning', destinationId, sinceMs, reason: level })
  if (disk !== 'ok') add({ kind: 'disk', severity: disk === 'full' ? 'critical' : 'warning', reason: disk })
  if (situation.damage !== undefined) for (const item of damageOf(situation.damage)) add(item)
  if (allowPrivate) add({ kind: 'private_destinations', severity: 'info' })
  if (!situation.isTimeKept) add({ kind: 'clock', severity: 'critical', reason: 'out_of_range' })
  else if (clock.state !== 'trusted') {
    const reason = clock.leapMs < 0 ? 'back' : 'ahead'
    add({ kind: 'clock', severity: 'warning', reason, sinceMs: clock.sinceMs ?? null })
  }
  if (clockOffsetMs !== 0) add({ kind: 'clock', severity: 'info', reason: 'advanced' })
  const severityOf = ({ item }: RankedItem) => SEVERITIES.indexOf(item.severity)
  return items
    .sort((a, b) => severityOf(a) - severityOf(b) || a.rank - b.rank || (b.item.count ?? 0) - (a.item.count ?? 0))
    .map(({ item }) => item)
}

function damageOf({ files, isLost, records, unlistedOptOuts, sinceMs }: NonNullable<Situation['damage']>): Attention[] {
  const of = (count: number, reason: string, severity: Attention['severity'], since: number | null): Attention[] =>
    count === 0 ? [] : [{ ...NOTHING, kind: 'damage', severity, count, sinceMs: since, reason }]
  const unlisted = { ...NOTHING, kind: 'opt_out_list', severity: 'critical', count: unlistedOptOuts } as const
  return [
    ...(unlistedOptOuts === 0 ? [] : [unlisted]),
    ...of(files, isLost ? 'lost' : 'corrected', isLost ? 'critical' : 'warning', sinceMs),
    ...of(records, 'records', 'critical', null),
  ]
}

/** What refuses messages makes dead letters of them; of a pause there is something else to do. */
const REFUSING: readonly string[] = ['stopped', 'failing', 'partial']

interface RankedItem {
  readonly item: Attention
  readonly rank: number
}

const NOTHING = {
  destinationId: null,
  count: null,
  messages: null,
  deadLetters: null,
  atLeast: false,
  sinceMs: null,
  reason: null,
  nextAttemptMs: null,
} as const

function troubleOf(health: DestinationHealth, deadLetters: number, nowMs: number): RankedItem[] {
  const standing = standingOf(health, nowMs)
  const { state, reason, sinceMs, nextAttemptMs } = standing
  if (state === 'delivering' || state === 'inactive') return []
  const { destinationId, waitingUsers: count, moreOnDisk: atLeast, openMessages: messages } = health
  const isOnlyDead = count === 0 && !atLeast && deadLetters > 0 && REFUSING.includes(state)
  const item = {
    kind: KINDS[state],
    severity: 'warning',
    destinationId,
    count,
    messages,
    deadLetters: isOnlyDead ? deadLetters : null,
    atLeast,
    sinceMs,
    reason,
    nextAttemptMs,
  } as const
  return [{ item, rank: rankOf(standing) }]
}
