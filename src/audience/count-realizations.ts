import type { TraitTable } from '../model/profile.ts'
import { indexOfSid } from '../model/profile.ts'
import type { RecencyWindow } from './rules/segment-rule.ts'
import type { TraitFacts } from './trait-facts.ts'

/** One trait of a list, resolved: a trait by itself, or all traits of a range of folders [AUD-103]. */
export interface TraitRef {
  readonly sid: number
  /** Position of the trait; -1 when it does not exist. */
  readonly position: number
  /** A folder trait's folders: `from` to `to - 1`. */
  readonly folders: { readonly from: number; readonly to: number } | undefined
}

/**
 * Realizations of a trait within a window, over merged profiles; each trait counts only where it is live [AUD-340],
 * [AUD-344].
 * @param stopAt counting may end as soon as this is reached
 * @param ignoreTtl counts expired traits too
 */
export function countRealizations(
  facts: TraitFacts,
  ref: TraitRef,
  tables: readonly TraitTable[],
  window: RecencyWindow | undefined,
  day: number,
  stopAt: number,
  ignoreTtl: boolean,
): number {
  let count = 0
  for (const table of tables) {
    if (ref.folders !== undefined) {
      count += countFolder(facts, ref.folders, table, window, day, stopAt - count, ignoreTtl)
    } else {
      const index = indexOfSid(table.sids, ref.sid)
      if (index >= 0 && (ignoreTtl || facts.isLive(ref.position, table, index, day)))
        count += countAt(table, index, window, day)
    }
    if (count >= stopAt) return count
  }
  return count
}

function countFolder(
  facts: TraitFacts,
  folders: { readonly from: number; readonly to: number },
  table: TraitTable,
  window: RecencyWindow | undefined,
  day: number,
  stopAt: number,
  ignoreTtl: boolean,
): number {
  let count = 0
  for (let index = 0; index < table.sids.length && count < stopAt; index++) {
    const position = facts.positionOf(table.sids[index] as number)
    if (position < 0) continue
    const folder = facts.folderOf(position)
    if (folder < folders.from || folder >= folders.to) continue
    if (ignoreTtl || facts.isLive(position, table, index, day)) count += countAt(table, index, window, day)
  }
  return count
}

/** The day `today - n` belongs to both windows [AUD-133]. Days no longer kept lie before every kept one. */
function countAt(table: TraitTable, index: number, window: RecencyWindow | undefined, day: number): number {
  const total = table.totals[index] as number
  if (window === undefined) return total
  const boundary = day - window.days
  const from = table.dayStart[index] as number
  let recent = 0
  if (window.operator === '<=') {
    for (
      let at = (table.dayStart[index + 1] as number) - 1;
      at >= from && (table.days[at] as number) >= boundary;
      at--
    ) {
      recent += table.dayCounts[at] as number
    }
    return recent
  }
  for (let at = (table.dayStart[index + 1] as number) - 1; at >= from && (table.days[at] as number) > boundary; at--) {
    recent += table.dayCounts[at] as number
  }
  return total - recent
}
