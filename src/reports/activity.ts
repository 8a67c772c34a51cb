import type { DeliveryStatus } from '../model/delivery.ts'
import { bucketOf, LATENCY_BUCKETS, quantileMs } from './latency-buckets.ts'
import { MINUTE_MS, MINUTES, MinuteTable, minuteOf, NamedRows, type Row } from './minute-table.ts'

/** Names that are counted one by one; with all of them in use the rows take 14 MB, and never more. */
const NAMES_MAX = { sources: 64, traits: 256, segments: 256, destinations: 64, links: 1_024, reasons: 256 } as const

/** All destinations that were deleted, in one: another one may get the id of one of them, and begins at zero. */
export const DELETED_DESTINATIONS = 0

/** An event as it was committed. */
export interface CountedEvent {
  /** False for an ID sync or `/id`: then only the visitor is seen. */
  readonly isEvent: boolean
  /** Traits it realized, ascending and distinct. */
  readonly realized: Int32Array
  readonly dataSourceOf: (traitId: number) => number | undefined
  /** When the device was last seen before; undefined: never. */
  readonly seenBeforeMs: number | undefined
  readonly seenMs: number
}

export interface CountedChange {
  readonly segmentId: number
  readonly member: boolean
}

/** A message that has ended. */
export interface CountedDelivery {
  readonly destinationId: number
  readonly status: DeliveryStatus
  readonly reason: string | null
  readonly users: readonly { readonly active: readonly number[]; readonly inactive: readonly number[] }[]
  /** From the commit of the oldest change in it to its end; undefined when that is not known. */
  readonly eventToPartnerMs: number | undefined
  /** How it had ended before it was sent again by hand. */
  readonly endedBefore?:
    | { readonly status: DeliveryStatus; readonly reason: string | null; readonly finishedAtMs: number | null }
    | undefined
}

/**
 * What happened in the last 24 hours, counted where it became true: an event and a change of memberships after their commit,
 * a message when it has ended. Fixed memory; an event costs a few increments.
 *
 * What is counted: `events` calls of kind event that were stored. A source's `events` are those that realized at least one of
 * its traits, so one event may count at several sources, and one without traits at none. `realized` is one for each trait
 * of an event. `entered` and `left` are memberships of devices, for whatever reason. A link from a trait to a segment counts
 * entries by an event that realized the trait, where the segment's rule names it or a folder above it; entries that time, a changed
 * rule or a merged profile brought have no such link. A link from a segment to a destination counts users whose entry for that
 * segment, in or out, stood in a message that was acknowledged.
 */
export class Activity {
  readonly table: MinuteTable
  readonly totals: Readonly<
    Record<'events' | 'peakPerSecond' | 'seen' | 'entered' | 'left' | 'acknowledged' | 'dead', Row>
  >
  readonly latency: readonly Row[]
  readonly named: {
    readonly sources: NamedRows<number>
    readonly traits: NamedRows<number>
    readonly entered: NamedRows<number>
    readonly left: NamedRows<number>
    readonly acknowledged: NamedRows<number>
    readonly dead: NamedRows<number>
    /** `423 http_503` */
    readonly deadReasons: NamedRows<string>
    /** `trait:100001 segment:100007` */
    readonly links: NamedRows<string>
  }
  /** Since the process began; for rates. */
  readonly running = { events: 0, memberships: 0, deliveries: 0 }
  #sinceMs: number
  /** The earliest minute whose counts changed since they were written. */
  changedFrom = Number.POSITIVE_INFINITY
  #second = 0
  #inSecond = 0
  readonly #sourcesOfEvent: number[] = []

  constructor(nowMs: number) {
    const table = new MinuteTable(nowMs)
    this.table = table
    this.#sinceMs = nowMs
    this.totals = {
      events: table.openRow(),
      peakPerSecond: table.openRow(),
      seen: table.openRow(),
      entered: table.openRow(),
      left: table.openRow(),
      acknowledged: table.openRow(),
      dead: table.openRow(),
    }
    this.latency = Array.from({ length: LATENCY_BUCKETS }, () => table.openRow())
    this.named = {
      sources: new NamedRows(table, NAMES_MAX.sources),
      traits: new NamedRows(table, NAMES_MAX.traits),
      entered: new NamedRows(table, NAMES_MAX.segments),
      left: new NamedRows(table, NAMES_MAX.segments),
      acknowledged: new NamedRows(table, NAMES_MAX.destinations),
      dead: new NamedRows(table, NAMES_MAX.destinations),
      deadReasons: new NamedRows(table, NAMES_MAX.reasons),
      links: new NamedRows(table, NAMES_MAX.links),
    }
  }

  /** From when on the figures count; earlier than that nothing is known. */
  get sinceMs(): number {
    // A start while the clock was ahead is not in the future.
    return Math.min(this.#sinceMs, (this.table.minute + 1) * MINUTE_MS)
  }

  set sinceMs(ms: number) {
    this.#sinceMs = ms
  }

  event(event: CountedEvent, nowMs: number): void {
    const slot = this.table.turnTo(nowMs)
    this.#see(event)
    if (!event.isEvent) return
    this.running.events += 1
    bump(this.totals.events, slot)
    this.#countSecond(nowMs, slot)
    const { realized, dataSourceOf } = event
    if (realized.length === 0) return
    const sources = this.#sourcesOfEvent
    sources.length = 0
    for (let at = 0; at < realized.length; at++) {
      const traitId = realized[at] as number
      bump(this.named.traits.of(traitId), slot)
      const source = dataSourceOf(traitId)
      if (source === undefined || sources.includes(source)) continue
      sources.push(source)
      bump(this.named.sources.of(source), slot)
    }
  }

  /** @param realized traits of the event behind it; empty when it was none */
  memberships(
    changes: readonly CountedChange[],
    realized: Int32Array,
    isNamedBy: (traitId: number, segmentId: number) => boolean,
    nowMs: number,
  ): void {
    const slot = this.table.turnTo(nowMs)
    this.running.memberships += changes.length
    for (const { segmentId, member } of changes) {
      bump(member ? this.totals.entered : this.totals.left, slot)
      bump((member ? this.named.entered : this.named.left).of(segmentId), slot)
      if (!member) continue
      for (const traitId of realized)
        if (isNamedBy(traitId, segmentId)) bump(this.named.links.of(`trait:${traitId} segment:${segmentId}`), slot)
    }
  }

  delivery(delivery: CountedDelivery, nowMs: number): void {
    const { destinationId, status, reason, users, eventToPartnerMs } = delivery
    const slot = this.table.turnTo(nowMs)
    this.#takeBack(delivery)
    if (status !== 'acknowledged' && status !== 'dead') return
    this.running.deliveries += 1
    bump(this.totals[status], slot)
    bump(this.named[status].of(destinationId), slot)
    if (status === 'dead') {
      bump(this.named.deadReasons.of(reasonKey(destinationId, reason)), slot)
      return
    }
    if (eventToPartnerMs !== undefined) bump(this.latency[bucketOf(eventToPartnerMs)] as Row, slot)
    const link = (segmentId: number) =>
      bump(this.named.links.of(`segment:${segmentId} destination:${destinationId}`), slot)
    for (const user of users) {
      user.active.forEach(link)
      user.inactive.forEach(link)
    }
  }

  /** The destination was deleted: what became of its messages stays in the sums. */
  forgetDestination(destinationId: number): void {
    const { acknowledged, dead, deadReasons, links } = this.named
    const moved = [acknowledged, dead].map((rows) => rows.move(destinationId, DELETED_DESTINATIONS))
    for (const [name] of [...deadReasons.entries()])
      if (name.startsWith(`${destinationId} `))
        deadReasons.move(name, reasonKey(DELETED_DESTINATIONS, name.split(' ')[1] ?? null))
    for (const [name] of [...links.entries()]) {
      const [segment = '', destination] = name.split(' ')
      if (destination === `destination:${destinationId}`)
        links.move(name, `${segment} destination:${DELETED_DESTINATIONS}`)
    }
    if (moved.some(Boolean)) this.changedFrom = this.table.minute - MINUTES + 1
  }

  /** A message counts once, as it ended last: the former end is taken out of the minute in which it was counted. */
  #takeBack({ destinationId, endedBefore }: CountedDelivery): void {
    if (endedBefore === undefined) return
    const { status, reason, finishedAtMs } = endedBefore
    const minute = minuteOf(finishedAtMs ?? 0)
    if (status !== 'acknowledged' && status !== 'dead') return
    if (minute <= this.table.minute - MINUTES || minute > this.table.minute) return
    const rows = [this.totals[status], this.named[status].of(destinationId)]
    if (status === 'dead') rows.push(this.named.deadReasons.of(reasonKey(destinationId, reason)))
    const slot = minute % MINUTES
    for (const row of rows) row[slot] = Math.max(0, (row[slot] as number) - 1)
    this.changedFrom = Math.min(this.changedFrom, minute)
  }

  /**
   * Devices seen in the last `minutes`, each once: a device stands in the minute in which it was last seen, and moves on with
   * each visit. Exact, but for visits that a crash did not let us write down.
   */
  profilesSeen(minutes: number): number {
    return Math.max(0, this.table.sum(this.totals.seen, minutes))
  }

  eventToPartner(minutes: number, minutesAgo = 0): { readonly median: number; readonly p99: number } | undefined {
    const counts = this.latency.map((row) => this.table.sum(row, minutes, minutesAgo))
    const [median, p99] = [quantileMs(counts, 0.5), quantileMs(counts, 0.99)]
    return median === undefined || p99 === undefined ? undefined : { median, p99 }
  }

  /** The largest count of events in one second. */
  peakPerSecond(minutes: number): number {
    const { peakPerSecond } = this.totals
    let peak = 0
    for (let ago = 0; ago < minutes; ago++) peak = Math.max(peak, this.table.sum(peakPerSecond, 1, ago))
    return peak
  }

  #see({ seenBeforeMs, seenMs }: CountedEvent): void {
    // `/id` is no visit: the device stays in the minute where it stands.
    if (seenBeforeMs === seenMs) return
    const { seen } = this.totals
    const oldest = this.table.minute - MINUTES + 1
    const to = minuteOf(seenMs)
    const from = seenBeforeMs === undefined || seenBeforeMs < this.sinceMs ? -1 : minuteOf(seenBeforeMs)
    if (to >= oldest) bump(seen, to % MINUTES)
    if (from >= oldest) seen[from % MINUTES] = (seen[from % MINUTES] as number) - 1
  }

  #countSecond(nowMs: number, slot: number): void {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    this.#inSecond += 1
    if (this.#inSecond > (this.totals.peakPerSecond[slot] as number)) this.totals.peakPerSecond[slot] = this.#inSecond
  }
}

/** Start of the window of `minutes` slots that ends with the present minute, or of the figures if that is later. */
export function windowStartMs(activity: Activity, minutes: number): number {
  return Math.max(activity.sinceMs, (activity.table.minute - minutes + 1) * MINUTE_MS)
}

function reasonKey(destinationId: number, reason: string | null): string {
  return `${destinationId} ${reason ?? 'unknown'}`
}

function bump(row: Row, slot: number): void {
  row[slot] = (row[slot] as number) + 1
}
