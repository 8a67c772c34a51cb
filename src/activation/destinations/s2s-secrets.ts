import { randomBytes } from 'node:crypto'
import { type ConfigIssue, inForce, type S2sConfig } from './s2s.ts'
import type { Fingerprint } from './secret-fingerprint.ts'
import { findStored, last4Of, type StoredSecret } from './stored-secret.ts'

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
 * Dotted paths of secrets; `*` stands for each item of a list and for each member. The value of every free header is one: a
 * key of the partner goes by many names, and by its name alone nobody can tell it from an account number.
 */
export const secretPaths = [
  'auth.keys.*.key',
  'auth.ed25519Key',
  'auth.clientSecret',
  'auth.credentials',
  'auth.password',
  'headers.*',
] as const

/**
 * The object as the API shows it, as far as it is in force: each secret becomes `{set: true, last4, fingerprint}`.
 * @param generated secrets that this call made, which are shown in full this one time [OPS-50]
 */
export function redactS2s(config: S2sConfig, fingerprint: Fingerprint, generated: readonly string[] = []): unknown {
  const shown = (secret: string): ShownSecret => ({
    set: true,
    last4: last4Of(secret),
    fingerprint: fingerprint(secret),
  })
  // What was stored may be of a form that is not known any more.
  return mapSecrets(isObject(config) ? inForce(config) : config, (value) => {
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
  previous: S2sConfig | undefined,
  next: unknown,
): { readonly s2s: unknown; readonly generated: readonly string[] } {
  const auth = isObject(next) ? next['auth'] : undefined
  if (!isObject(next) || !isObject(auth) || auth['type'] !== 'hmac') return { s2s: next, generated: [] }
  // A signature that is there keeps its keys or says what comes after them: nothing is replaced by being left out.
  const keys = auth['keys'] ?? (previous?.auth.type === 'hmac' ? undefined : [{}])
  if (!Array.isArray(keys)) return { s2s: next, generated: [] }
  const generated: string[] = []
  const filled = keys.map((entry: unknown) => {
    if (!isObject(entry) || entry['key'] != null) return entry
    const key = `whsec_${randomBytes(KEY_BYTES).toString('base64')}`
    generated.push(key)
    return { ...entry, key }
  })
  return { s2s: { ...next, auth: { ...auth, keys: filled } }, generated }
}

/**
 * Completes an object that was read from the API and is sent again: where it says `{set: true}` the stored secret is
 * kept. When a rotation ends that way, the remaining signature goes on being sent under both names (outbound.md OUT-73).
 * @returns with an issue for each secret that is neither a text nor shows one that is stored
 */
export function mergeSecrets(
  previous: S2sConfig | undefined,
  next: unknown,
  fingerprint: Fingerprint,
): { readonly s2s: unknown; readonly issues: readonly ConfigIssue[] } {
  const stored = previous === undefined ? [] : secretsOf(previous)
  const sent = placesOf(next)
  const issues: ConfigIssue[] = []
  if (isObject(next) && next['auth'] === undefined && stored.some(({ path }) => path.startsWith('auth.')))
    issues.push({ path: 'auth', message: AUTH_LOST })
  const merged = mapSecrets(next, (value, path) => {
    if (typeof value !== 'object' || value === null) return value
    const found = findStored({ path, value }, { stored, sent, fingerprint })
    if (found.ok) return found.secret
    issues.push({ path, message: found.message })
    return value
  })
  return { s2s: previous === undefined ? merged : keepBothNames(previous, merged), issues }
}

const AUTH_LOST =
  'is left out, and its stored secrets would be lost: send it as an answer shows it, or {"type": "none"} to end it'

/** Every secret of a configuration with its exact path. */
export function secretsOf(config: S2sConfig): readonly StoredSecret[] {
  return placesOf(config).flatMap(({ path, value }) => (typeof value === 'string' ? [{ path, value }] : []))
}

function placesOf(config: unknown): readonly { readonly path: string; readonly value: unknown }[] {
  const found: { path: string; value: unknown }[] = []
  mapSecrets(config, (value, path) => {
    found.push({ path, value })
    return value
  })
  return found
}

function keepBothNames({ auth: before }: Partial<S2sConfig>, next: unknown): unknown {
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

/** Copies `value` along the secret paths, replacing what stands at their ends. */
function mapSecrets(value: unknown, replace: (value: unknown, path: string) => unknown): unknown {
  return secretPaths.reduce((all, path) => mapPath(all, path.split('.'), '', replace), value)
}

function mapPath(
  value: unknown,
  [step, ...rest]: string[],
  path: string,
  replace: (value: unknown, path: string) => unknown,
): unknown {
  if (step === undefined) return replace(value, path)
  if (step === '*' && Array.isArray(value))
    return value.map((item: unknown, at) => mapPath(item, rest, `${path}.${at}`, replace))
  if (step === '*' && isObject(value)) {
    const mapped = Object.entries(value).map(([name, item]) => [name, mapPath(item, rest, `${path}.${name}`, replace)])
    return Object.fromEntries(mapped)
  }
  if (!isObject(value) || !Object.hasOwn(value, step)) return value
  return { ...value, [step]: mapPath(value[step], rest, path === '' ? step : `${path}.${step}`, replace) }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
