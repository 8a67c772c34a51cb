/**
 * The times that can be kept: keys and profiles hold whole seconds since 1970 in four bytes. What came in at any other time
 * would be filed where nothing finds it again, so it is not taken. Source: docs/clock-and-disk.md.
 */
export const KEPT_MS_MAX = 0xffff_ffff * 1000
export const KEPT_TIMES = 'from 1970 to 2106-02-07'

export function isKeptTime(ms: number): boolean {
  return ms >= 0 && ms <= KEPT_MS_MAX
}

/** What is said of a clock that would be elsewhere. @param ms any number */
export function notKept(ms: number): string {
  const at = new Date(ms)
  return `would put the clock at ${Number.isNaN(at.getTime()) ? 'no date' : at.toISOString()}, and times are kept ${KEPT_TIMES}`
}
