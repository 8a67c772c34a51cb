import type { Consent } from './consent.ts'

/** Values for the macros of a redirect or a sync URL; text is percent-encoded on insertion [SEC-15]. */
export interface MacroValues {
  /** The device ID, or empty where it may not be told. */
  readonly deviceId: string
  readonly ecid: string
  readonly region: number
  readonly secure: boolean
  readonly nowMs: number
  readonly consent: Pick<Consent, 'gdprMacro' | 'consentMacro'>
}

/** Every spelling of `${NAME}` in an address: raw, or with encoded brackets and dollar sign [COL-157]. */
const dollarMacros = /(?:\$|%24)(?:\{|%7B)(DD_UUID|GDPR|GDPR_CONSENT_[0-9A-Z]{1,10})(?:\}|%7D)/gi
const percentMacros = /%(did|mcid|region|rnd|timestamp|http_proto)%/gi

/** `${DD_UUID}`, `${GDPR}`, `${GDPR_CONSENT_XXXX}` in any case. */
export function fillDollarMacros(text: string, values: MacroValues): string {
  return text.replace(dollarMacros, (_, name: string) => {
    const upper = name.toUpperCase()
    if (upper === 'DD_UUID') return values.deviceId
    return upper === 'GDPR' ? values.consent.gdprMacro : encodeURIComponent(values.consent.consentMacro)
  })
}

/** The template of a partner's sync URL: the macros above and those of destinations, time in milliseconds [OUT-15], [COL-167]. */
export function fillSyncTemplate(template: string, values: MacroValues): string {
  const filled = template.replace(percentMacros, (_, name: string) => {
    switch (name.toLowerCase()) {
      case 'did':
        return values.deviceId
      case 'mcid':
        return values.ecid
      case 'region':
        return String(values.region)
      case 'rnd':
        return randomNumber()
      case 'timestamp':
        return String(values.nowMs)
      default:
        return values.secure ? 'https' : 'http'
    }
  })
  return fillDollarMacros(filled, values)
}

/** A cache buster: ten digits, no secret. */
export function randomNumber(): string {
  return String(Math.floor(Math.random() * 9_000_000_000) + 1_000_000_000)
}

const MACRO_NAME_MAX = 64

/**
 * Replaces `%key%` where `lookUp` knows the key; leaves everything else, escapes included [COL-186].
 * @param lookUp undefined: no macro
 */
export function fillKeyMacros(text: string, lookUp: (key: string) => string | undefined): string {
  let filled = ''
  let at = 0
  for (;;) {
    const start = text.indexOf('%', at)
    const end = start < 0 ? -1 : text.indexOf('%', start + 1)
    if (end < 0) return filled + text.slice(at)
    const key = text.slice(start + 1, end)
    const value = key.length >= 3 && key.length <= MACRO_NAME_MAX ? lookUp(key) : undefined
    if (value === undefined) {
      filled += text.slice(at, end)
      at = end
      continue
    }
    filled += text.slice(at, start) + encodeURIComponent(value)
    at = end + 1
  }
}
