import type { SegmentTable, TraitTable } from '../model/profile.ts'
import { EMPTY_SEGMENTS, EMPTY_TRAITS } from '../model/profile.ts'

/** Day counts by trait: `{ 1: { 20000: 2 } }`. Traits and days in any order. */
export function traitTable(traits: Readonly<Record<number, Readonly<Record<number, number>>>>): TraitTable {
  const sids = Object.keys(traits).map(Number)
  if (sids.length === 0) return EMPTY_TRAITS
  const counts = sids.map((sid) =>
    Object.entries(traits[sid] ?? {}).map(([day, count]) => [Number(day), count] as const),
  )
  const dayStart = [0]
  for (const days of counts) dayStart.push((dayStart.at(-1) ?? 0) + days.length)
  return {
    sids: Int32Array.from(sids),
    totals: Uint32Array.from(counts.map((days) => days.reduce((sum, [, count]) => sum + count, 0))),
    dayStart: Uint32Array.from(dayStart),
    days: Uint16Array.from(counts.flat().map(([day]) => day)),
    dayCounts: Uint32Array.from(counts.flat().map(([, count]) => count)),
  }
}

/** A table as `traitTable` takes it. */
export function daysBySid(table: TraitTable): Record<number, Record<number, number>> {
  const result: Record<number, Record<number, number>> = {}
  table.sids.forEach((sid, i) => {
    const days: Record<number, number> = {}
    for (let at = table.dayStart[i] as number; at < (table.dayStart[i + 1] as number); at++) {
      days[table.days[at] as number] = table.dayCounts[at] as number
    }
    result[sid] = days
  })
  return result
}

/** Members, all entered and verified at one moment. */
export function segmentTable(sids: readonly number[], seconds: number): SegmentTable {
  if (sids.length === 0) return EMPTY_SEGMENTS
  return {
    sids: Int32Array.from(sids),
    left: new Uint8Array(sids.length),
    sinceSeconds: new Uint32Array(sids.length).fill(seconds),
    verifiedSeconds: new Uint32Array(sids.length).fill(seconds),
  }
}

export function membersOf(segments: SegmentTable): number[] {
  return [...segments.sids].filter((_, i) => segments.left[i] === 0)
}
