import type { Fingerprint } from './secret-fingerprint.ts'
import type { SecretPlace, StoredSecret } from './secret-walk.ts'

export type FoundSecret =
  | { readonly ok: true; readonly secret: string }
  /** What is wrong, and what to send instead. */
  | { readonly ok: false; readonly message: string }

/**
 * The stored secret that is meant by one sent back as it was shown. One in a list is looked for in all of the list, because
 * the one before it may have been removed; every other secret stands where it stood. A reference that fits two keys is
 * refused: to guess could keep the key that was to go, and nothing would show it until the partner drops it.
 * Source: operating.md OPS-50, security.md SEC-63, outbound.md OUT-72.
 * @param sent all places of secrets in the object that was sent
 */
export function findStored(
  { path, value, list }: SecretPlace,
  {
    stored,
    sent,
    fingerprint,
  }: {
    readonly stored: readonly StoredSecret[]
    readonly sent: readonly SecretPlace[]
    readonly fingerprint: Fingerprint
  },
): FoundSecret {
  if (!isShown(value))
    return refused('expected a text, or {"set": true, "last4": "…", "fingerprint": "…"} as an answer shows it')
  const fits = (secret: string) =>
    (value.last4 === undefined || value.last4 === last4Of(secret)) &&
    (value.fingerprint === undefined || value.fingerprint.toLowerCase() === fingerprint(secret))
  const isKey = list !== undefined
  const candidates = stored.filter((one) => (isKey ? one.list === list : isSamePlace(one.path, path)))
  const fitting = candidates.filter((one) => fits(one.value))
  const [first] = fitting
  if (first === undefined) return refused(nothingFits(candidates, value, isKey))
  if (new Set(fitting.map((one) => one.value)).size === 1) return { ok: true, secret: first.value }
  // All keys sent back: each is the one of its place.
  const shownKeys = sent.filter((one) => one.list === list && isShown(one.value))
  const samePath = fitting.find((one) => one.path === path)
  if (!isKey) return { ok: true, secret: (samePath ?? first).value }
  if (samePath !== undefined && shownKeys.length === candidates.length) return { ok: true, secret: samePath.value }
  const which =
    value.last4 === undefined ? 'fits two stored keys' : `fits two stored keys, which both end in ${value.last4}`
  return refused(`${which}: send the fingerprint that is shown with the one that is meant, too, or the key itself`)
}

/** Four characters of a short secret would be too much of it. */
export function last4Of(secret: string): string {
  return secret.length >= 12 ? secret.slice(-4) : ''
}

interface Shown {
  readonly set: true
  readonly last4?: string
  readonly fingerprint?: string
}

function isShown(value: unknown): value is Shown {
  if (typeof value !== 'object' || value === null) return false
  // The answer that generated it shows its value, too.
  const { set, last4, fingerprint, value: _value, ...others } = value as Readonly<Record<string, unknown>>
  if (Object.keys(others).length > 0) return false
  return set === true && [last4, fingerprint].every((text) => text === undefined || typeof text === 'string')
}

function nothingFits(candidates: readonly StoredSecret[], { last4, fingerprint }: Shown, isKey: boolean): string {
  const what = isKey ? 'key' : 'secret'
  const instead = `send the ${what} itself${candidates.length === 0 ? '' : ', or what an answer shows of the stored one'}`
  if (candidates.length === 0) return `no ${what} is stored ${isKey ? 'yet' : 'here'}: ${instead}`
  const ofLast4 = candidates.filter((one) => last4 === undefined || last4 === last4Of(one.value))
  if (ofLast4.length > 0) return `no stored ${what} has the fingerprint ${fingerprint}: ${instead}`
  if (last4 === '') return `the last4 of the stored ${what} is not empty: ${instead}`
  return `no stored ${what} ends in ${last4}: ${instead}`
}

function refused(message: string): FoundSecret {
  return { ok: false, message }
}

/** Names of headers are the same in any case. */
function isSamePlace(stored: string, sent: string): boolean {
  return stored === sent || (sent.startsWith('headers.') && stored.toLowerCase() === sent.toLowerCase())
}
