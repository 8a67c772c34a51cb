/**
 * `Wed Jul 27 16:17:42 UTC 2016`: Java's `EEE MMM dd HH:mm:ss zzz yyyy` in US English and UTC. Source: outbound.md OUT-36.
 * @param seconds since the epoch
 */
export function javaDate(seconds: number): string {
  if (seconds === lastSeconds) return lastText
  // `Wed, 27 Jul 2016 16:17:42 GMT`, in English whatever the locale.
  const utc = new Date(seconds * 1000).toUTCString()
  lastText = `${utc.slice(0, 3)} ${utc.slice(8, 11)} ${utc.slice(5, 7)} ${utc.slice(17, 25)} UTC ${utc.slice(12, 16)}`
  lastSeconds = seconds
  return lastText
}

// Entries of one message mostly name few moments.
let lastSeconds = Number.NaN
let lastText = ''
