import type { TraitTable } from '../model/profile.ts'
import { utcDay } from '../model/time.ts'
import type { AudienceRules } from './audience-rules.ts'
import { lastDayOf } from './trait-facts.ts'
import { TraitTableWriter } from './trait-table-writer.ts'

/** Is the trait at `index` live on a UTC day? Expired and deleted ones are not [AUD-87], [AUD-59]. */
export function isLive(rules: AudienceRules, table: TraitTable, index: number, day: number): boolean {
  const { facts } = rules.compiled
  return facts.isLive(facts.positionOf(table.sids[index] as number), table, index, day)
}

/**
 * Removes expired traits with their counts [AUD-340], and traits that were deleted [AUD-59]. Evaluate segments before:
 * an expired trait still standing in the table tells that a segment was left because of it.
 * @returns `table` itself when nothing goes
 */
export function dropExpired(rules: AudienceRules, table: TraitTable, nowMs: number): TraitTable {
  const day = utcDay(nowMs)
  return keepWhere(table, (index) => isLive(rules, table, index, day))
}

/** Removes traits that were deleted, and no other [AUD-59]. @returns `table` itself when nothing goes */
export function dropDeleted(rules: AudienceRules, table: TraitTable): TraitTable {
  const { facts } = rules.compiled
  return keepWhere(table, (index) => facts.positionOf(table.sids[index] as number) >= 0)
}

/** Keeps the traits realized last; of one day, those with the higher ids [AUD-60]. */
export function evictOldest(table: TraitTable, traitsMax: number): TraitTable {
  const order = Array.from(table.sids, (_, index) => index)
  order.sort((a, b) => lastDayOf(table, b) - lastDayOf(table, a) || b - a)
  const keep = new Uint8Array(order.length)
  for (const index of order.slice(0, traitsMax)) keep[index] = 1
  return keepTraits(table, keep, traitsMax)
}

function keepWhere(table: TraitTable, stays: (index: number) => boolean): TraitTable {
  const keep = new Uint8Array(table.sids.length)
  let kept = 0
  for (let index = 0; index < keep.length; index++) {
    if (!stays(index)) continue
    keep[index] = 1
    kept += 1
  }
  return kept === keep.length ? table : keepTraits(table, keep, kept)
}

function keepTraits(table: TraitTable, keep: Uint8Array, kept: number): TraitTable {
  const writer = new TraitTableWriter(kept, table.days.length)
  for (let from = 0; from < keep.length; ) {
    let to = from
    while (to < keep.length && keep[to] === 1) to += 1
    writer.copy(table, from, to)
    from = to + 1
  }
  return writer.finish()
}
