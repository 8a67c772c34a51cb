/**
 * `Wed Jul 27 16:17:42 UTC 2016`: Java's `EEE MMM dd HH:mm:ss zzz yyyy` in US English and UTC. Source: outbound.md OUT-36.
 * @param seconds whole, since the epoch
 */
export function javaDate(seconds: number): string {
  const day = Math.floor(seconds / DAY_SECONDS)
  if (day !== lastDay) {
    // `Wed, 27 Jul 2016 00:00:00 GMT`, in English whatever the locale.
    const utc = new Date(day * DAY_SECONDS * 1000).toUTCString()
    before = `${utc.slice(0, 3)} ${utc.slice(8, 11)} ${utc.slice(5, 7)} `
    after = ` UTC ${utc.slice(12, 16)}`
    lastDay = day
  }
  const rest = seconds - day * DAY_SECONDS
  const minutes = Math.floor(rest / 60)
  return `${before}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(rest % 60)}${after}`
}

const DAY_SECONDS = 86_400

// A message names few days, and hundreds of moments.
let lastDay = Number.NaN
let before = ''
let after = ''

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}
