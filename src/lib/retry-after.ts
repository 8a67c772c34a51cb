/** No partner silences us for longer, whatever it asks for [SEC-46]. */
export const RETRY_AFTER_MS_MAX = 24 * 3_600_000

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
/** `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. */
const IMF = /^[a-z]{3}, (?<day>\d{2}) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) gmt$/i
const RFC850 = /^[a-z]{6,9}, (?<day>\d{2})-(?<month>[a-z]{3})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) gmt$/i
const ASCTIME = /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/i
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday)$/i

/**
 * How long another party asks us to wait: whole or fractional seconds, rounded up, or a date of HTTP. Of several values the
 * longest wait counts; what is negative, past, empty or unreadable is left out.
 * Source: security.md SEC-100, RFC 9110 section 10.2.3.
 * @param value of the header; repeated lines are joined by a comma
 * @returns at most 24 hours; undefined when nothing readable asks for a wait
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const waits = splitValues(value ?? '').flatMap((one) => waitOf(one, nowMs) ?? [])
  return waits.length === 0 ? undefined : Math.min(Math.max(...waits), RETRY_AFTER_MS_MAX)
}

/** At commas; the one behind the name of a day belongs to its date. */
function splitValues(value: string): string[] {
  const values: string[] = []
  let weekday = ''
  for (const part of value.split(',').map((one) => one.trim())) {
    if (WEEKDAY.test(part)) weekday = `${part}, `
    else {
      values.push(weekday + part)
      weekday = ''
    }
  }
  return values
}

function waitOf(value: string, nowMs: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value)) * 1000
  const waitMs = (parseHttpDate(value, nowMs) ?? Number.NaN) - nowMs
  return waitMs >= 0 ? waitMs : undefined
}

/**
 * One of the three forms of RFC 9110 section 5.6.7; `Date.parse` would read `8.5` as a day in August.
 * @returns undefined for anything else, and for a day or an hour that does not exist
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  const groups = (IMF.exec(text) ?? RFC850.exec(text) ?? ASCTIME.exec(text))?.groups
  if (groups === undefined || !WEEKDAY.test(/^[a-z]+/i.exec(text)?.[0] ?? '')) return undefined
  const { day = '', month = '', year = '', time = '' } = groups
  const at = { month: MONTHS.indexOf(month.toLowerCase()), day: Number(day) }
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number)
  // 60 is a leap second.
  if (at.month < 0 || hour > 23 || minute > 59 || second > 60) return undefined
  const ms = Date.UTC(year.length === 2 ? fullYear(Number(year), nowMs) : Number(year), at.month, at.day)
  return new Date(ms).getUTCDate() === at.day ? ms + ((hour * 60 + minute) * 60 + second) * 1000 : undefined
}

/** Two digits that seem to lie more than 50 years ahead mean the century before. */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}
