import { indexOfSid, type TraitTable } from '../model/profile.ts'
import { utcDay } from '../model/time.ts'
import type { AudienceRules } from './audience-rules.ts'
import { evictOldest } from './shrink-traits.ts'
import { lastDayOf, type TraitFacts } from './trait-facts.ts'
import { copyCounts, TraitTableWriter } from './trait-table-writer.ts'

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
 * @param judgedMs by which traits have expired; earlier than `nowMs` while the machine's clock is in doubt [SEC-82]
 * @returns a new table, or `table` itself when no trait is known
 */
export function realizeTraits(
  rules: AudienceRules,
  table: TraitTable,
  sids: ArrayLike<number>,
  nowMs: number,
  traitsMax = PROFILE_TRAITS_MAX,
  judgedMs = nowMs,
): TraitTable {
  const { facts } = rules.compiled
  const day = utcDay(nowMs)
  const realized = ascendingKnown(facts, sids)
  if (realized.length === 0) return table
  const next = countAgainToday(facts, table, realized, day) ?? merge(facts, table, realized, day, utcDay(judgedMs))
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
  const copy = copyCounts(table)
  const { totals, dayCounts } = copy
  for (const sid of realized) {
    if (facts.countsOnce(facts.positionOf(sid))) continue
    const index = indexOfSid(table.sids, sid)
    const last = (table.dayStart[index + 1] as number) - 1
    totals[index] = (totals[index] as number) + 1
    dayCounts[last] = (dayCounts[last] as number) + 1
  }
  return copy
}

/** One pass over both ascending lists. */
function merge(
  facts: TraitFacts,
  table: TraitTable,
  realized: readonly number[],
  day: number,
  judgedDay: number,
): TraitTable {
  const added = realized.filter((sid) => indexOfSid(table.sids, sid) < 0).length
  const writer = new TraitTableWriter(table.sids.length + added, table.days.length + realized.length)
  let index = 0
  for (const sid of realized) {
    const from = index
    while (index < table.sids.length && (table.sids[index] as number) < sid) index += 1
    writer.copy(table, from, index)
    if (index === table.sids.length || table.sids[index] !== sid) {
      writer.start(sid, day)
      continue
    }
    const position = facts.positionOf(sid)
    if (!facts.isLive(position, table, index, judgedDay)) writer.start(sid, day)
    else if (facts.countsOnce(position)) writer.start(sid, Math.max(day, lastDayOf(table, index)))
    else if (hasRoomFor(day, table, index)) writer.append(table, index, day)
    else addDay(writer, table, index, day)
    index += 1
  }
  writer.copy(table, index, table.sids.length)
  return writer.finish()
}

/** The frequent case: a later day, and not too many of them. */
function hasRoomFor(day: number, table: TraitTable, index: number): boolean {
  const kept = (table.dayStart[index + 1] as number) - (table.dayStart[index] as number)
  return day > lastDayOf(table, index) && kept < TRAIT_DAYS_MAX
}

/** The trait at `index` with one realization more on `day`; beyond the kept days the oldest is dropped. */
function addDay(writer: TraitTableWriter, table: TraitTable, index: number, day: number): void {
  const days = [...table.days.subarray(table.dayStart[index], table.dayStart[index + 1])]
  const counts = [...table.dayCounts.subarray(table.dayStart[index], table.dayStart[index + 1])]
  let at = days.length
  while (at > 0 && (days[at - 1] as number) > day) at -= 1
  if (at > 0 && days[at - 1] === day) {
    counts[at - 1] = (counts[at - 1] as number) + 1
  } else {
    days.splice(at, 0, day)
    counts.splice(at, 0, 1)
  }
  const dropped = Math.max(0, days.length - TRAIT_DAYS_MAX)
  writer.add(
    table.sids[index] as number,
    (table.totals[index] as number) + 1,
    days.slice(dropped),
    counts.slice(dropped),
  )
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
