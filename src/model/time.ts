/** Days are UTC calendar days, counted from 1970-01-01 [AUD-4], [AUD-133]. */
export const DAY_MS = 86_400_000

export function utcDay(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS)
}

/** `2026-11-20` */
export function isoDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** ISO 8601 UTC with milliseconds, the form of every time in the additional API (operating.md section 6). */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
