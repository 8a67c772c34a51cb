import type { OverviewReader } from '../api/parts.ts'
import type { AttentionItem, Figures, FlowAnswer, LedgerRow, OverviewWindow, SeriesPoint } from '../contract.ts'
import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import { isoTime } from '../model/time.ts'
import type { Rulebook } from '../pipeline/rulebook.ts'
import { type Activity, DELETED_DESTINATIONS, windowStartMs } from '../reports/activity.ts'
import { type Attention, needsAttention, type Situation } from '../reports/attention.ts'
import { MINUTE_MS, minuteOf, type NamedRows } from '../reports/minute-table.ts'
import { isOut, rankOf, type Standing, standingOf } from '../reports/standing.ts'
import type { NameReader } from '../store/catalog/names.ts'
import { type HealthSource, type OpenMessages, openMessagesOf } from './delivery-health.ts'
import type { StoredDamage } from './stores.ts'

export interface OverviewParts {
  readonly activity: Activity
  readonly dispatcher: () => HealthSource | undefined
  readonly rulebook: () => Pick<Rulebook, 'audience' | 'destinations'>
  readonly names: NameReader
  readonly disk: () => Situation['disk']
  readonly damage: () => StoredDamage
  readonly diskShares: () => Situation['diskShares']
  readonly allowPrivate: boolean
  readonly clock: {
    readonly now: () => number
    readonly isTimeKept: () => boolean
    readonly offsetMs: () => number
    readonly reading: () => Situation['clock']
  }
}

/** How a window is cut for the small curves. */
const WINDOWS = { '1h': { minutes: 60, points: 30 }, '24h': { minutes: 1_440, points: 24 } } as const
/** Of each column the largest; the rest is in `others`. */
const NODES_MAX = 50
const LINKS_MAX = 500

/** Reads the figures as `GET /v1/overview` answers them. */
export function openOverviewReader(parts: OverviewParts): OverviewReader {
  return {
    async read(window) {
      const nowMs = parts.clock.now()
      const { activity } = parts
      activity.table.turnTo(nowMs)
      const { minutes } = WINDOWS[window]
      const open = openMessagesOf(parts.dispatcher(), (id) => {
        return parts.rulebook().destinations.byId.get(id)?.config.usersPerMessage ?? 1
      })
      const health = parts.dispatcher()?.health() ?? []
      const standings = new Map(
        health.map((one) => [one.destinationId as number, { ...standingOf(one, nowMs), ...owedOf(one) }]),
      )
      const attention = needsAttention(situationOf(parts, minutes, health, nowMs))
      const known = await parts.names.namesOf('destinations', [
        ...parts.rulebook().destinations.byId.keys(),
        ...open.keys(),
        ...[...activity.named.acknowledged.entries(), ...activity.named.dead.entries()].map(([id]) => id),
      ])
      const ledger = ledgerOf(activity, minutes, open, standings, known)
      return {
        at: isoTime(nowMs),
        since: isoTime(windowStartMs(activity, minutes)),
        figures: figuresOf(activity, minutes, open, refusedOf(health, standings, open), attention, nowMs),
        series: seriesOf(activity, window),
        flow: await flowOf(parts, minutes, ledger),
        needsAttention: attention.map((item) => viewAttention(item, known)),
        ledger,
      }
    },
  }
}

type Open = ReadonlyMap<number, OpenMessages>
type Stand = Standing & ReturnType<typeof owedOf>
type Standings = ReadonlyMap<number, Stand>

/** Of one that nothing is known of: it is not delivered to in real time, or it no longer exists. */
const WELL: Stand = {
  ...{ state: 'delivering', reason: null, sinceMs: null, nextAttemptMs: null },
  ...{ waitingUsers: 0, moreOnDisk: false, openMessages: 0 },
}
const owedOf = ({ waitingUsers, moreOnDisk, openMessages }: DestinationHealth) => {
  return { waitingUsers, moreOnDisk, openMessages }
}
const timeOrNull = (ms: number | null) => (ms === null ? null : isoTime(ms))
type Names = ReadonlyMap<number, string>

/** All that waits for a destination that takes none, and of others what was tried and not accepted. */
function refusedOf(health: readonly DestinationHealth[], standings: Standings, open: Open): number {
  return health.reduce((sum, { destinationId, refusedMessages }) => {
    const { waiting = 0, blocked = 0 } = open.get(destinationId) ?? {}
    const { state } = standings.get(destinationId) ?? WELL
    return sum + (isOut(state) ? waiting + blocked : refusedMessages)
  }, 0)
}

function figuresOf(
  activity: Activity,
  minutes: number,
  open: Open,
  refused: number,
  attention: readonly Attention[],
  nowMs: number,
): Figures {
  const { table, totals } = activity
  const sum = (name: 'events' | 'entered' | 'left' | 'acknowledged' | 'dead') => table.sum(totals[name], minutes)
  const of = (part: keyof OpenMessages) => [...open.values()].reduce((all, one) => all + one[part], 0)
  const [acknowledged, dead] = [sum('acknowledged'), sum('dead')]
  const tried = acknowledged + dead + refused
  const rateSeconds = (nowMs - windowStartMs(activity, 2)) / 1000
  return {
    eventsPerSecond: rateSeconds < 1 ? 0 : Math.round((table.sum(totals.events, 2) / rateSeconds) * 10) / 10,
    eventsPeakPerSecond: activity.peakPerSecond(minutes),
    events: sum('events'),
    profilesSeen: activity.profilesSeen(minutes),
    entered: sum('entered'),
    left: sum('left'),
    acknowledged,
    dead,
    waiting: of('waiting'),
    retrying: of('retrying'),
    refused,
    waitingUsers: attention.reduce((all, { messages, count }) => all + (messages === null ? 0 : (count ?? 0)), 0),
    acknowledgedShare: tried === 0 ? null : acknowledged / tried,
    eventToPartnerMs: activity.eventToPartner(minutes) ?? null,
  }
}

function seriesOf(activity: Activity, window: OverviewWindow): SeriesPoint[] {
  const { table, totals } = activity
  const { minutes, points } = WINDOWS[window]
  const step = minutes / points
  // What is older than the counting is unknown, and not zero.
  const counted = Math.min(points, Math.ceil((table.minute - minuteOf(activity.sinceMs) + 1) / step))
  return Array.from({ length: counted }, (_, at) => {
    const minutesAgo = (counted - 1 - at) * step
    const sum = (name: 'events' | 'entered' | 'left' | 'acknowledged' | 'dead') =>
      table.sum(totals[name], step, minutesAgo)
    return {
      at: isoTime((table.minute - minutesAgo - step + 1) * MINUTE_MS),
      events: sum('events'),
      entered: sum('entered'),
      left: sum('left'),
      acknowledged: sum('acknowledged'),
      dead: sum('dead'),
      medianMs: activity.eventToPartner(step, minutesAgo)?.median ?? null,
    }
  })
}

/** A source's link to a trait needs no count of its own: a trait has one source, so all of its realizations came from there. */
async function flowOf(parts: OverviewParts, minutes: number, ledger: readonly LedgerRow[]): Promise<FlowAnswer> {
  const { activity, names, rulebook } = parts
  const { named } = activity
  const sources = largest(activity, named.sources, minutes, NODES_MAX)
  const traits = largest(activity, named.traits, minutes, NODES_MAX)
  const segments = largest(activity, named.entered, minutes, NODES_MAX)
  const links = largest(activity, named.links, minutes, LINKS_MAX)
  const [sourceNames, traitNames, segmentNames] = await Promise.all([
    names.namesOf('data_sources', sources.list.map(idOf)),
    names.namesOf('traits', traits.list.map(idOf)),
    names.namesOf('segments', segments.list.map(idOf)),
  ])
  const nameOf = (all: Names, id: number) => all.get(id) ?? String(id)
  const fromSources = traits.list.flatMap(([sid, count]) => {
    const source = rulebook().audience.trait(sid)?.dataSourceId
    return source === undefined ? [] : [{ from: `source:${source}`, to: `trait:${sid}`, count }]
  })
  return {
    sources: sources.list.map(([dataSourceId, events]) => ({
      dataSourceId,
      name: nameOf(sourceNames, dataSourceId),
      events,
    })),
    traits: traits.list.map(([sid, realized]) => ({ sid, name: nameOf(traitNames, sid), realized })),
    segments: segments.list.map(([sid, entered]) => ({ sid, name: nameOf(segmentNames, sid), entered })),
    destinations: ledger
      .map(({ blocked, waiting, ...row }) => ({ ...row, waiting: waiting + blocked }))
      .filter((row) => row.acknowledged + row.waiting + row.dead > 0 || isOut(row.state)),
    links: [
      ...fromSources,
      ...links.list.map(([name, count]) => {
        const [from = '', to = ''] = name.split(' ')
        return { from, to, count }
      }),
    ],
    others: {
      sources: sources.others,
      traits: traits.others,
      segments: segments.others,
      destinations:
        activity.table.sum(named.acknowledged.others, minutes) + activity.table.sum(named.dead.others, minutes),
      links: links.others,
    },
  }
}

/** Of the messages owed to each destination: what became of those that ended in the window, and what is open now. */
function ledgerOf(activity: Activity, minutes: number, open: Open, standings: Standings, names: Names): LedgerRow[] {
  const { table, named } = activity
  const [acknowledged, dead] = [named.acknowledged, named.dead].map(
    (rows) => new Map([...rows.entries()].map(([id, row]) => [id, table.sum(row, minutes)])),
  ) as [Map<number, number>, Map<number, number>]
  return [...names]
    .map(([destinationId, name]) => ({
      destinationId,
      name,
      acknowledged: acknowledged.get(destinationId) ?? 0,
      waiting: open.get(destinationId)?.waiting ?? 0,
      dead: dead.get(destinationId) ?? 0,
      blocked: open.get(destinationId)?.blocked ?? 0,
      ...viewStanding(standings.get(destinationId) ?? WELL),
    }))
    .sort(
      (a, b) => rankOf(a) - rankOf(b) || b.acknowledged + b.waiting + b.dead - (a.acknowledged + a.waiting + a.dead),
    )
}

function viewStanding({ sinceMs, nextAttemptMs, ...rest }: Stand) {
  return { ...rest, since: timeOrNull(sinceMs), nextAttempt: timeOrNull(nextAttemptMs) }
}

function situationOf(
  parts: OverviewParts,
  minutes: number,
  health: readonly DestinationHealth[],
  nowMs: number,
): Situation {
  const { activity, clock, disk, diskShares, allowPrivate } = parts
  const reasons = largest(activity, activity.named.deadReasons, minutes, Number.POSITIVE_INFINITY).list
  return {
    health,
    deadLetters: largest(activity, activity.named.dead, minutes, NODES_MAX).list.map(([destinationId, count]) => ({
      destinationId: destinationId === DELETED_DESTINATIONS ? null : destinationId,
      count,
      reason: reasons.find(([name]) => name.startsWith(`${destinationId} `))?.[0].split(' ')[1] ?? null,
      sinceMs: firstMs(activity, activity.named.dead.of(destinationId), minutes),
    })),
    diskShares: diskShares(),
    disk: disk(),
    damage: situationOfDamage(parts.damage()),
    allowPrivate,
    clock: clock.reading(),
    isTimeKept: clock.isTimeKept(),
    clockOffsetMs: clock.offsetMs(),
    nowMs,
  }
}

function situationOfDamage({ files, records, unlistedOptOuts }: StoredDamage): NonNullable<Situation['damage']> {
  const sinceMs = files.flatMap(({ atMs }) => atMs ?? [])
  return {
    files: files.length,
    isLost: files.some(({ isLost }) => isLost),
    records,
    unlistedOptOuts,
    sinceMs: sinceMs.length === 0 ? null : Math.min(...sinceMs),
  }
}

function viewAttention({ sinceMs, nextAttemptMs, destinationId, ...item }: Attention, names: Names): AttentionItem {
  const name = destinationId === null ? null : (names.get(destinationId as DestinationId) ?? String(destinationId))
  return { ...item, destinationId, name, since: timeOrNull(sinceMs), nextAttempt: timeOrNull(nextAttemptMs) }
}

/** Those that were counted in the window, the largest first. */
function largest<Name>(activity: Activity, rows: NamedRows<Name>, minutes: number, max: number) {
  const all = [...rows.entries()]
    .map(([name, row]) => [name, activity.table.sum(row, minutes)] as const)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
  const list = all.slice(0, max)
  const beyond = all.slice(max).reduce((sum, [, count]) => sum + count, 0)
  return { list, others: activity.table.sum(rows.others, minutes) + beyond }
}

function firstMs({ table }: Activity, row: Int32Array, minutes: number): number | null {
  for (let ago = minutes - 1; ago >= 0; ago--) if (table.sum(row, 1, ago) > 0) return (table.minute - ago) * MINUTE_MS
  return null
}

const idOf = ([id]: readonly [number, number]) => id
