import { randomBytes } from 'node:crypto'
import type { ConfigIssue } from './config-issue.ts'
import type { Fingerprint } from './secret-fingerprint.ts'
import { isObject, mapSecrets, placesOf, type SecretPath, secretsIn } from './secret-walk.ts'
import type { SignIn } from './sign-in.ts'
import { findStored, last4Of } from './stored-secret.ts'

/** How an answer shows a stored secret [OPS-50], [SEC-63]. */
export interface ShownSecret {
  readonly set: true
  readonly last4: string
  /** Tells apart two secrets whose last characters are the same. */
  readonly fingerprint: string
  /** Once, in the answer of the call that generated it. */
  readonly value?: string
}

const KEY_BYTES = 32

/**
 * Settings as the API shows them: each secret becomes `{set: true, last4, fingerprint}`.
 * @param generated secrets that this call made, which are shown in full this one time [OPS-50]
 */
export function redacted(
  paths: readonly SecretPath[],
  config: unknown,
  fingerprint: Fingerprint,
  generated: readonly string[] = [],
): unknown {
  const shown = (secret: string): ShownSecret => ({
    set: true,
    last4: last4Of(secret),
    fingerprint: fingerprint(secret),
  })
  return mapSecrets(paths, config, ({ value }) => {
    if (typeof value !== 'string') return value
    return generated.includes(value) ? { ...shown(value), value } : shown(value)
  })
}

/**
 * Makes the signing keys that are left out: of a signature that begins now without `keys`, and of each entry without
 * `key`, as the next one of a rotation. They are written as Standard Webhooks writes keys, `whsec_` and Base64, so that a
 * partner's library takes them as they are.
 */
export function withGeneratedKeys(
  previous: unknown,
  next: unknown,
): { readonly config: unknown; readonly generated: readonly string[] } {
  const auth = authOf(next)
  if (!isObject(next) || auth === undefined || auth['type'] !== 'hmac') return { config: next, generated: [] }
  // A signature that is there keeps its keys or says what comes after them: nothing is replaced by being left out.
  const keys = auth['keys'] ?? (authOf(previous)?.['type'] === 'hmac' ? undefined : [{}])
  if (!Array.isArray(keys)) return { config: next, generated: [] }
  const generated: string[] = []
  const filled = keys.map((entry: unknown) => {
    if (!isObject(entry) || entry['key'] != null) return entry
    const key = `whsec_${randomBytes(KEY_BYTES).toString('base64')}`
    generated.push(key)
    return { ...entry, key }
  })
  return { config: { ...next, auth: { ...auth, keys: filled } }, generated }
}

/**
 * Completes an object that was read from the API and is sent again: where it says `{set: true}` the stored secret is
 * kept. When a rotation ends that way, the remaining signature goes on being sent under both names (outbound.md OUT-73).
 * @returns with an issue for each secret that is neither a text nor shows one that is stored
 */
export function merged(
  paths: readonly SecretPath[],
  previous: unknown,
  next: unknown,
  fingerprint: Fingerprint,
): { readonly config: unknown; readonly issues: readonly ConfigIssue[] } {
  const stored = secretsIn(paths, previous)
  const sent = placesOf(paths, next)
  const issues: ConfigIssue[] = []
  if (isObject(next) && next['auth'] === undefined && stored.some(({ path }) => path.startsWith('auth.')))
    issues.push({ path: 'auth', message: AUTH_LOST })
  const config = mapSecrets(paths, next, (place) => {
    if (typeof place.value !== 'object' || place.value === null) return place.value
    const found = findStored(place, { stored, sent, fingerprint })
    if (found.ok) return found.secret
    issues.push({ path: place.path, message: found.message })
    return place.value
  })
  return { config: keepBothNames(authOf(previous) as Partial<SignIn> | undefined, config), issues }
}

const AUTH_LOST =
  'is left out, and its stored secrets would be lost: send it as an answer shows it, or {"type": "none"} to end it'

function keepBothNames(before: Partial<SignIn> | undefined, next: unknown): unknown {
  // What is stored may be of a form that is not known any more.
  if (
    before?.type !== 'hmac' ||
    !Array.isArray(before.keys) ||
    !isObject(next) ||
    !isObject(next['auth']) ||
    'rotationHeader' in next['auth']
  )
    return next
  const auth = next['auth']
  const keys = Array.isArray(auth['keys']) ? (auth['keys'] as unknown[]) : []
  const only: unknown = keys[0]
  const [first, second] = before.keys
  if (auth['type'] !== 'hmac' || keys.length !== 1 || !isObject(only)) return next
  // A second name the partner asked for stays with its key and needs no other.
  const wasSecond = second !== undefined && second.header === undefined && only['key'] === second.key
  const wasOnly = second === undefined && only['key'] === first?.key && before.rotationHeader != null
  if (!wasSecond && !wasOnly) return next
  return { ...next, auth: { ...auth, rotationHeader: wasSecond ? `${before.header}-Next` : before.rotationHeader } }
}

function authOf(config: unknown): Readonly<Record<string, unknown>> | undefined {
  const auth = isObject(config) ? config['auth'] : undefined
  return isObject(auth) ? auth : undefined
}
