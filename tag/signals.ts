import { warnOnce } from './page.ts'

export type Plain = string | number | boolean | bigint
/** Name and value of each signal, not yet encoded; a name may repeat. */
export type Pairs = readonly (readonly [string, string])[]

/** Names that stay as they are; all others are sent with `c_` before them. */
const OF_THE_PLATFORM = /^([cdhp]_|(gdpr(_consent)?|gpp(_sid)?|us_privacy)$)/
/** Keys the tag itself sets; a page that sets them would break the answer. */
const OWN_KEYS = /^d_(uuid|first|cid|cid_ic|rtbd|cb|jsonv|rd|consent)$/
/** The edge leaves out what is longer [SEC-01]. */
export const TEXT_CHARACTERS_MAX = 4096

/** What cannot be sent is left out, and the console says so. */
export function pairsOf(signals: Readonly<Record<string, unknown>>): Pairs {
  const left: string[] = []
  const pairs = Object.keys(signals).flatMap((name) => {
    const key = OF_THE_PLATFORM.test(name) ? name : `c_${name}`
    return ([] as unknown[]).concat(signals[name]).flatMap((value): [string, string][] => {
      const why = whyNot(key, value)
      if (why === undefined) return [[key, String(value)]]
      left.push(`${name} ${why}`)
      return []
    })
  })
  if (left.length > 0) warnOnce(`left out of an event: ${left.join(', ')}`)
  return pairs
}

function whyNot(key: string, value: unknown): string | undefined {
  if (OWN_KEYS.test(key)) return 'is set by the tag'
  if (!isPlain(value)) return `is ${value === null || typeof value === 'number' ? value : typeof value}`
  const isLong = Math.max(key.length, String(value).length) > TEXT_CHARACTERS_MAX
  return isLong ? `has more than ${TEXT_CHARACTERS_MAX} characters` : undefined
}

export function isPlain(value: unknown): value is Plain {
  return /^(string|boolean|bigint)$/.test(typeof value) || Number.isFinite(value)
}

/** A lone surrogate, which no encoding has, becomes the replacement character. */
export function encode(text: string): string {
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd'))
}
