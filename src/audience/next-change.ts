import { indexOfSid, type TraitTable } from '../model/profile.ts'
import { DAY_MS, utcDay } from '../model/time.ts'
import type { AudienceRules } from './audience-rules.ts'
import { lastDayOf } from './trait-facts.ts'

/**
 * The earliest midnight UTC after `nowMs` at which time alone can change the answer of an active segment [AUD-342]: a
 * trait that a segment names expires, or one of its days passes the edge of a recency window. It may come out too early,
 * never too late. With `<= nD` day d drops out at midnight of d + n + 1; with `>= nD` it comes in at midnight of d + n
 * [AUD-133].
 * @param tables all tables of the views the profile is evaluated with
 * @returns `Infinity` when nothing can change
 */
export function nextChangeMs(rules: AudienceRules, tables: readonly TraitTable[], nowMs: number): number {
  const day = utcDay(nowMs)
  let next = Number.POSITIVE_INFINITY
  for (const table of tables) {
    for (let index = 0; index < table.sids.length; index++) next = Math.min(next, nextDay(rules, table, index, day))
  }
  return next * DAY_MS
}

/** Traits looked at between two yields. */
const STEP = 256

/**
 * All days after today, at most `daysMax` ahead, at whose beginning time alone can change an answer, ascending: too many
 * rather than too few. In steps, for `runInSlices`.
 */
export function* changeDays(
  rules: AudienceRules,
  tables: readonly TraitTable[],
  nowMs: number,
  daysMax: number,
): Generator<void, readonly number[]> {
  const today = utcDay(nowMs)
  const { facts, segments } = rules.compiled
  const { windows } = segments.tables
  const isEdge = new Uint8Array(daysMax + 1)
  const mark = (day: number) => {
    if (day > today && day <= today + daysMax) isEdge[day - today] = 1
  }
  const markEdges = (table: TraitTable, index: number, position: number) => {
    for (const window of windows[position] ?? []) {
      const to = table.dayStart[index + 1] as number
      for (let at = table.dayStart[index] as number; at < to; at++) mark((table.days[at] as number) + shiftOf(window))
    }
  }
  for (const table of tables) {
    for (let index = 0; index < table.sids.length; index++) {
      if (index % STEP === STEP - 1) yield
      const position = facts.positionOf(table.sids[index] as number)
      if (!facts.isLive(position, table, index, today)) continue
      markEdges(table, index, position)
      for (const folderTrait of facts.folderTraitsOf(position)) markEdges(table, index, folderTrait)
      const ttlDays = facts.ttlDays(position)
      if (ttlDays > 0) mark(lastDayOf(table, index) + ttlDays + 1)
    }
  }
  const days: number[] = []
  for (let ahead = 1; ahead <= daysMax; ahead++) if (isEdge[ahead] === 1) days.push(today + ahead)
  return days
}

/** `nextChangeMs` for some traits of one table: what a visit that realized them can have brought nearer. */
export function nextChangeOfTraits(
  rules: AudienceRules,
  table: TraitTable,
  sids: ArrayLike<number>,
  nowMs: number,
): number {
  const day = utcDay(nowMs)
  let next = Number.POSITIVE_INFINITY
  for (let i = 0; i < sids.length; i++) {
    const index = indexOfSid(table.sids, sids[i] as number)
    if (index >= 0) next = Math.min(next, nextDay(rules, table, index, day))
  }
  return next * DAY_MS
}

function nextDay(rules: AudienceRules, table: TraitTable, index: number, day: number): number {
  const { facts, segments } = rules.compiled
  const position = facts.positionOf(table.sids[index] as number)
  if (!facts.isLive(position, table, index, day)) return Number.POSITIVE_INFINITY
  const { usersStart, windows } = segments.tables
  let isUsed = usersStart[position] !== usersStart[position + 1]
  let next = nextEdge(table, index, windows[position], day)
  for (const folderTrait of facts.folderTraitsOf(position)) {
    isUsed ||= usersStart[folderTrait] !== usersStart[folderTrait + 1]
    next = Math.min(next, nextEdge(table, index, windows[folderTrait], day))
  }
  const ttlDays = facts.ttlDays(position)
  return isUsed && ttlDays > 0 ? Math.min(next, lastDayOf(table, index) + ttlDays + 1) : next
}

/** Days after a realization at which it passes the edge of a window. */
function shiftOf(window: number): number {
  return window > 0 ? window + 1 : -window
}

/** @param windows `<= nD` as n, `>= nD` as -n */
function nextEdge(table: TraitTable, index: number, windows: readonly number[] | undefined, day: number): number {
  let next = Number.POSITIVE_INFINITY
  if (windows === undefined) return next
  const to = table.dayStart[index + 1] as number
  for (const window of windows) {
    const shift = shiftOf(window)
    for (let at = table.dayStart[index] as number; at < to; at++) {
      const edge = (table.days[at] as number) + shift
      if (edge <= day) continue
      next = Math.min(next, edge)
      break
    }
  }
  return next
}
