import { indexOfSid, type TraitTable } from '../model/profile.ts'
import { utcDay } from '../model/time.ts'
import type { AudienceRules } from './audience-rules.ts'
import { evictOldest } from './shrink-traits.ts'
import { countsOnce, lastDayOf, type TraitFacts } from './trait-facts.ts'

/** Days kept of each trait; older realizations remain in its total [AUD-139]. */
export const TRAIT_DAYS_MAX = 120
/** Traits of one profile [AUD-60]. */
export const PROFILE_TRAITS_MAX = 150_000

/**
 * Adds one realization of each trait on the UTC day of `nowMs`, which may lie before the latest one (a repeated
 * follow-up, a back-fill [AUD-117]). An expired trait begins anew at 1 [AUD-340]; one that counts once is renewed
 * [AUD-345]; unknown traits are left out.
 * @param sids in any order; a repeated one counts once [AUD-138]
 * @param traitsMax beyond it the traits realized longest ago give way
 * @returns a new table, or `table` itself when no trait is known
 */
export function realizeTraits(
  rules: AudienceRules,
  table: TraitTable,
  sids: ArrayLike<number>,
  nowMs: number,
  traitsMax = PROFILE_TRAITS_MAX,
): TraitTable {
  const { facts } = rules.compiled
  const day = utcDay(nowMs)
  const realized = ascendingKnown(facts, sids)
  if (realized.length === 0) return table
  const next = countAgainToday(facts, table, realized, day) ?? merge(facts, table, realized, day)
  return next.sids.length > traitsMax ? evictOldest(next, traitsMax) : next
}

/** The frequent case, all traits live and already realized on this day: only counts change. */
function countAgainToday(
  facts: TraitFacts,
  table: TraitTable,
  realized: readonly number[],
  day: number,
): TraitTable | undefined {
  for (const sid of realized) {
    const index = indexOfSid(table.sids, sid)
    if (index < 0 || lastDayOf(table, index) !== day) return undefined
  }
  const totals = table.totals.slice()
  const dayCounts = table.dayCounts.slice()
  for (const sid of realized) {
    if (countsOnce(facts.at(facts.positionOf(sid)))) continue
    const index = indexOfSid(table.sids, sid)
    const last = (table.dayStart[index + 1] as number) - 1
    totals[index] = (totals[index] as number) + 1
    dayCounts[last] = (dayCounts[last] as number) + 1
  }
  return { ...table, totals, dayCounts }
}

/** One pass over both ascending lists. */
function merge(facts: TraitFacts, table: TraitTable, realized: readonly number[], day: number): TraitTable {
  const added = realized.filter((sid) => indexOfSid(table.sids, sid) < 0).length
  const writer = new TableWriter(table.sids.length + added, table.days.length + realized.length)
  let index = 0
  for (const sid of realized) {
    while (index < table.sids.length && (table.sids[index] as number) < sid) writer.copy(table, index++)
    const position = facts.positionOf(sid)
    if (index === table.sids.length || table.sids[index] !== sid) {
      writer.start(sid, day)
    } else {
      const startsAnew = countsOnce(facts.at(position)) || !facts.isLive(position, table, index, day)
      if (startsAnew)
        writer.start(sid, Math.max(day, facts.isLive(position, table, index, day) ? lastDayOf(table, index) : 0))
      else writer.addDay(table, index, day)
      index += 1
    }
  }
  while (index < table.sids.length) writer.copy(table, index++)
  return writer.finish()
}

/** Writes a table trait by trait, ascending. */
class TableWriter {
  readonly #sids: Int32Array
  readonly #totals: Uint32Array
  readonly #dayStart: Uint32Array
  readonly #days: Uint16Array
  readonly #dayCounts: Uint32Array
  #length = 0
  #used = 0

  /** @param daysMax room; days that fall out of the kept ones leave some of it unused */
  constructor(traits: number, daysMax: number) {
    this.#sids = new Int32Array(traits)
    this.#totals = new Uint32Array(traits)
    this.#dayStart = new Uint32Array(traits + 1)
    this.#days = new Uint16Array(daysMax)
    this.#dayCounts = new Uint32Array(daysMax)
  }

  /** A trait with one realization. */
  start(sid: number, day: number): void {
    this.#pushDay(day, 1)
    this.#endTrait(sid, 1)
  }

  copy(table: TraitTable, index: number): void {
    const to = table.dayStart[index + 1] as number
    for (let at = table.dayStart[index] as number; at < to; at++) {
      this.#pushDay(table.days[at] as number, table.dayCounts[at] as number)
    }
    this.#endTrait(table.sids[index] as number, table.totals[index] as number)
  }

  /** The trait at `index` with one realization more on `day`; beyond the kept days the oldest is dropped. */
  addDay(table: TraitTable, index: number, day: number): void {
    const from = table.dayStart[index] as number
    const to = table.dayStart[index + 1] as number
    let at = to
    while (at > from && (table.days[at - 1] as number) > day) at -= 1
    const isKnown = at > from && table.days[at - 1] === day
    // Dropping the oldest day of a full list: that may be the new one itself.
    const isFull = !isKnown && to - from >= TRAIT_DAYS_MAX
    for (let i = isFull ? from + 1 : from; i < at; i++) {
      const again = isKnown && i === at - 1 ? 1 : 0
      this.#pushDay(table.days[i] as number, (table.dayCounts[i] as number) + again)
    }
    if (!isKnown && !(isFull && at === from)) this.#pushDay(day, 1)
    for (let i = isFull && at === from ? from : at; i < to; i++) {
      this.#pushDay(table.days[i] as number, table.dayCounts[i] as number)
    }
    this.#endTrait(table.sids[index] as number, (table.totals[index] as number) + 1)
  }

  finish(): TraitTable {
    const isExact = this.#used === this.#days.length
    return {
      sids: this.#sids,
      totals: this.#totals,
      dayStart: this.#dayStart,
      days: isExact ? this.#days : this.#days.slice(0, this.#used),
      dayCounts: isExact ? this.#dayCounts : this.#dayCounts.slice(0, this.#used),
    }
  }

  #pushDay(day: number, count: number): void {
    this.#days[this.#used] = day
    this.#dayCounts[this.#used] = count
    this.#used += 1
  }

  #endTrait(sid: number, total: number): void {
    this.#sids[this.#length] = sid
    this.#totals[this.#length] = total
    this.#length += 1
    this.#dayStart[this.#length] = this.#used
  }
}

function ascendingKnown(facts: TraitFacts, sids: ArrayLike<number>): number[] {
  const known: number[] = []
  let isAscending = true
  for (let i = 0; i < sids.length; i++) {
    const sid = sids[i] as number
    if (facts.positionOf(sid) < 0) continue
    if (known.length > 0 && sid <= (known[known.length - 1] as number)) isAscending = false
    known.push(sid)
  }
  return isAscending ? known : [...new Set(known)].sort((a, b) => a - b)
}
