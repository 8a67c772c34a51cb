import type { ProfileView } from '../../../src/contract.ts'

const DAY_MS = 86_400_000
const DAYS_BACK_MIN = 7
const DAYS_BACK_MAX = 60
const DAYS_AHEAD_MAX = 30

export interface Lane {
  readonly sid: number
  readonly name: string
  readonly kind: 'trait' | 'segment'
  /** Each from 0 (left edge) to 1. */
  readonly spans: readonly { readonly from: number; readonly to: number; readonly isAhead: boolean }[]
  readonly ticks: readonly { readonly at: number; readonly day: string; readonly count: number }[]
  /** ISO; null where it has no end. */
  readonly ends: string | null
  readonly isIn: boolean
}

export interface LanesLayout {
  readonly lanes: readonly Lane[]
  readonly now: number
  readonly dates: readonly { readonly at: number; readonly iso: string }[]
}

/**
 * Traits and memberships on one axis of UTC days: from the oldest that is shown to the last end that is known, both bounded.
 * A membership without an end runs to the right edge.
 */
export function layoutLanes(
  { traits, segments }: Pick<ProfileView, 'traits' | 'segments'>,
  nowMs: number,
): LanesLayout {
  const begins = [
    ...traits.flatMap((one) => one.days.map(({ day }) => Date.parse(day))),
    ...segments.map((one) => Date.parse(one.since)),
  ]
  const ends = [...traits.map((one) => one.expires), ...segments.map((one) => one.until)].flatMap((end) =>
    end === null ? [] : [Date.parse(end)],
  )
  const backDays = clamp(Math.ceil((nowMs - Math.min(nowMs, ...begins)) / DAY_MS), DAYS_BACK_MIN, DAYS_BACK_MAX)
  const near = ends.filter((end) => end < nowMs + DAYS_AHEAD_MAX * DAY_MS)
  const aheadDays = clamp(
    Math.ceil((Math.max(nowMs, ...near) - nowMs) / DAY_MS) + Math.ceil(backDays / 3),
    Math.ceil(backDays / 3),
    DAYS_AHEAD_MAX,
  )
  const firstMs = Math.floor(nowMs / DAY_MS) * DAY_MS - backDays * DAY_MS
  const lengthMs = (backDays + aheadDays + 1) * DAY_MS
  const place = (ms: number) => clamp((ms - firstMs) / lengthMs, 0, 1)
  const now = place(nowMs)
  const through = (fromMs: number, end: string | null) => [
    { from: place(fromMs), to: now, isAhead: false },
    { from: now, to: end === null ? 1 : place(Date.parse(end)), isAhead: true },
  ]
  const traitLanes = traits.map(
    (one): Lane => ({
      sid: one.sid,
      name: one.name,
      kind: 'trait',
      spans: through(Math.min(...one.days.map(({ day }) => Date.parse(day)), nowMs), one.expires),
      // Within its day nothing is known of the hour: the middle, but never after now.
      ticks: one.days.map(({ day, count }) => ({ at: Math.min(place(Date.parse(day) + DAY_MS / 2), now), day, count })),
      ends: one.expires,
      isIn: true,
    }),
  )
  const segmentLanes = segments.map(
    (one): Lane => ({
      sid: one.sid,
      name: one.name,
      kind: 'segment',
      // Of one that was left only the moment of leaving is known.
      spans: one.status === 'in' ? through(Date.parse(one.since), one.until) : [],
      ticks: one.status === 'in' ? [] : [{ at: place(Date.parse(one.since)), day: one.since, count: 0 }],
      ends: one.until,
      isIn: one.status === 'in',
    }),
  )
  const stepDays = Math.max(1, Math.round((backDays + aheadDays) / 6))
  const dates = Array.from(
    { length: Math.floor(lengthMs / DAY_MS / stepDays) },
    (_, at) => firstMs + at * stepDays * DAY_MS,
  )
    .map((ms) => ({ at: place(ms), iso: new Date(ms).toISOString() }))
    .filter(({ at }) => at > 0.03 && at < 0.97 && Math.abs(at - now) > 0.06)
  return { lanes: [...traitLanes, ...segmentLanes], now, dates }
}

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most)
