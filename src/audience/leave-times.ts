import type { SegmentId } from '../model/ids.ts'
import type { TraitTable } from '../model/profile.ts'
import { DAY_MS, utcDay } from '../model/time.ts'
import type { AudienceRules } from './audience-rules.ts'
import { changeDays } from './next-change.ts'
import type { Views } from './segment-index.ts'

/** Days looked ahead. */
export const LEAVE_DAYS_MAX = 400
/** Segments between two yields: a rule may look through a whole table. */
const STEP = 8

/**
 * When time alone ends memberships: for each segment the first midnight UTC at which it no longer holds, if nothing happens
 * until then. Looks only at the days on which something can change, at each segment until it was left once. Works in
 * steps, for `runInSlices`: a profile may be in thousands of segments.
 * @param segmentIds segments that hold now; those that do not exist, or are paused, are never left
 * @param tables all tables of the views
 * @returns nothing for a segment that stays for 400 days
 */
export function* leaveTimes(
  rules: AudienceRules,
  segmentIds: Iterable<SegmentId>,
  views: Views,
  tables: readonly TraitTable[],
  nowMs: number,
): Generator<void, ReadonlyMap<SegmentId, number>> {
  const { segments: index } = rules.compiled
  const found = new Map<SegmentId, number>()
  let staying: number[] = []
  for (const id of segmentIds) {
    const segment = index.tables.ids.get(id)
    if (segment >= 0 && index.tables.segments[segment]?.status === 'ACTIVE') staying.push(segment)
  }
  const days = yield* changeDays(rules, tables, nowMs, LEAVE_DAYS_MAX)
  for (const day of days) {
    const others: number[] = []
    for (let at = 0; at < staying.length; at++) {
      if (at % STEP === 0) {
        if (at > 0) yield
        // Whoever ran meanwhile used the same scratch.
        index.begin(views, day, false)
      }
      const segment = staying[at] as number
      if (index.holds(segment)) others.push(segment)
      else found.set(index.tables.segments[segment]?.segmentId as SegmentId, day * DAY_MS)
    }
    staying = others
    if (staying.length === 0) break
    yield
  }
  return found
}

/** Which of these segments hold at a moment; in steps, as above. */
export function* holdingSegments(
  rules: AudienceRules,
  segmentIds: Iterable<SegmentId>,
  views: Views,
  nowMs: number,
): Generator<void, ReadonlySet<SegmentId>> {
  const { segments: index } = rules.compiled
  const holding = new Set<SegmentId>()
  let looked = 0
  for (const id of segmentIds) {
    if (looked++ % STEP === 0) {
      if (looked > 1) yield
      index.begin(views, utcDay(nowMs), false)
    }
    const segment = index.tables.ids.get(id)
    if (segment >= 0 && index.holds(segment)) holding.add(id)
  }
  return holding
}
