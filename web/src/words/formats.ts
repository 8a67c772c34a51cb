/** Numbers and times in the user's language; times are UTC. Wire values are never formatted. */
export interface Formats {
  /** `214,300` */
  exact(value: number): string
  /** `2.41 M`, `760 k`; exact below 10,000 */
  short(value: number): string
  /** One digit, and never 100 % unless it is all. @param share 0 to 1 */
  percent(share: number): string
  /** `231 ms`, `0.41 s`, `5 min 2 s`, `3 h 5 min`, `12 d` */
  duration(ms: number): string
  /** `14:07:11` today, `18 Nov 16:02` this year, with the year before that */
  time(iso: string, nowMs?: number): string
  /** `14:07` today, as `time` before: for what is counted by the minute */
  minuteTime(iso: string, nowMs?: number): string
  /** `14:07:11.204`, with the date when it is not today */
  exactTime(iso: string, nowMs?: number): string
  /** `24 November`, with the year when it is another one */
  day(iso: string, nowMs?: number): string
  /** `24 Nov`, with the year when it is another one */
  shortDay(iso: string, nowMs?: number): string
  /** `24 Nov`, on an axis, whose order says the year */
  axisDay(iso: string): string
  /** `24 November at 00:00`, both parts in a value of a message */
  clock(iso: string): string
  /** `Fri 20 Nov` */
  wallDay(ms: number): string
  /** `14:32:07` */
  wallTime(ms: number): string
}

export function createFormats(language: string): Formats {
  // British order of day and month; the rest of English stays.
  const locale = language === 'en' ? 'en-GB' : language
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options)
  const date = (options: Intl.DateTimeFormatOptions) => {
    const { format } = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', hourCycle: 'h23', ...options })
    // The first of a month is an ordinal in French, which Intl does not write.
    return (at: string | number) =>
      language === 'fr' ? format(new Date(at)).replace(/(?<=^|\s)1(?=\s\p{L})/u, '1er') : format(new Date(at))
  }
  const whole = number({ maximumFractionDigits: 0 })
  const two = number({ maximumFractionDigits: 2 })
  const three = number({ maximumSignificantDigits: 3 })
  const oneDigit = number({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
  const twoDigits = number({ style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 })
  const clock = date({ hour: '2-digit', minute: '2-digit', second: '2-digit' })
  const minute = date({ hour: '2-digit', minute: '2-digit' })
  const weekday = date({ weekday: 'short', day: 'numeric', month: 'short' })
  const dayWithYear = (month: 'long' | 'short') => {
    const bare = date({ day: 'numeric', month })
    const full = date({ day: 'numeric', month, year: 'numeric' })
    return (iso: string, nowMs = Date.now()) =>
      iso.slice(0, 4) === new Date(nowMs).toISOString().slice(0, 4) ? bare(iso) : full(iso)
  }
  const shortDay = dayWithYear('short')

  const dayBefore = (iso: string, nowMs: number): string =>
    iso.slice(0, 10) === new Date(nowMs).toISOString().slice(0, 10) ? '' : shortDay(iso, nowMs)
  const withUnits = (...parts: readonly (readonly [number, string])[]) =>
    parts
      .filter(([value], at) => at === 0 || value > 0)
      .map(([value, unit]) => `${two.format(value)} ${unit}`)
      .join(' ')
  return {
    exact: (value) => whole.format(value),
    short(value) {
      if (value < 10_000) return value < 100 && !Number.isInteger(value) ? three.format(value) : whole.format(value)
      return value < 1_000_000 ? `${three.format(value / 1_000)} k` : `${three.format(value / 1_000_000)} M`
    },
    percent(share) {
      if (share > 0.999 && share < 1) return twoDigits.format(Math.min(share, 0.9999))
      return oneDigit.format(share)
    },
    duration(ms) {
      if (ms < 400) return withUnits([Math.round(ms), 'ms'])
      const seconds = ms / 1000
      if (seconds < 60) return withUnits([seconds < 10 ? Math.round(seconds * 100) / 100 : Math.round(seconds), 's'])
      if (seconds < 3600) return withUnits([Math.floor(seconds / 60), 'min'], [Math.floor(seconds % 60), 's'])
      if (seconds < 86_400)
        return withUnits([Math.floor(seconds / 3600), 'h'], [Math.floor((seconds % 3600) / 60), 'min'])
      return withUnits([Math.floor(seconds / 86_400), language === 'fr' ? 'j' : 'd'])
    },
    time(iso, nowMs = Date.now()) {
      const before = dayBefore(iso, nowMs)
      return before === '' ? clock(iso) : `${before} ${minute(iso)}`
    },
    minuteTime: (iso, nowMs = Date.now()) => `${dayBefore(iso, nowMs)} ${minute(iso)}`.trim(),
    exactTime(iso, nowMs = Date.now()) {
      const before = dayBefore(iso, nowMs)
      return `${before === '' ? '' : `${before} `}${iso.slice(11, 23)}`
    },
    day: dayWithYear('long'),
    shortDay,
    axisDay: date({ day: 'numeric', month: 'short' }),
    clock: minute,
    wallDay: (ms) => weekday(ms).replace(',', ''),
    wallTime: clock,
  }
}

/** Groups of four: `0795 5261 6528 ...`. */
export const inFours = (id: string): string => id.replace(/(.{4})(?=.)/g, '$1 ')

/** First eight and last four; short ids stay whole. */
export function shortened(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`
}

/** What the address calls a profile: the digits of a device, or `dpid:partnerId`. */
export const profileAddress = (profileId: string): string => profileId.replace(/^d:/, '')
