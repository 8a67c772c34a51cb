import { randomBytes } from 'node:crypto'
import { inForce, type S2sConfig } from './s2s.ts'

/** How an answer shows a stored secret [OPS-50], [SEC-63]. */
export interface ShownSecret {
  readonly set: true
  readonly last4: string
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
 * The object as the API shows it, as far as it is in force: each secret becomes `{set: true, last4}`.
 * @param generated secrets that this call made, which are shown in full this one time [OPS-50]
 */
export function redactS2s(config: S2sConfig, generated: readonly string[] = []): unknown {
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
 * kept. A signing key is found by its last characters, because the old one may have been removed from before it. When a
 * rotation ends that way, the remaining signature goes on being sent under both names (outbound.md OUT-73).
 */
export function mergeSecrets(previous: S2sConfig | undefined, next: unknown): unknown {
  const stored = previous === undefined ? [] : secretsOf(previous)
  const merged = mapSecrets(next, (value, path) => {
    if (!isShown(value)) return value
    const samePath = stored.find((one) => one.path === path || isSameHeader(one.path, path))
    if (samePath !== undefined && fits(samePath.value, value)) return samePath.value
    const isKey = path.startsWith('auth.keys.')
    return stored.find((one) => isKey && one.path.startsWith('auth.keys.') && fits(one.value, value))?.value ?? value
  })
  return previous === undefined ? merged : keepBothNames(previous, merged)
}

/** Every secret of a configuration with its exact path. */
export function secretsOf(config: S2sConfig): readonly { readonly path: string; readonly value: string }[] {
  const found: { path: string; value: string }[] = []
  mapSecrets(config, (value, path) => {
    if (typeof value === 'string') found.push({ path, value })
    return value
  })
  return found
}

/** Names of headers are the same in any case. */
function isSameHeader(one: string, other: string): boolean {
  return other.startsWith('headers.') && one.toLowerCase() === other.toLowerCase()
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

function shown(secret: string): ShownSecret {
  // Four characters of a short secret would be too much of it.
  return { set: true, last4: secret.length >= 12 ? secret.slice(-4) : '' }
}

function fits(secret: string, { last4 }: { readonly last4?: unknown }): boolean {
  return last4 === undefined || last4 === shown(secret).last4
}

function isShown(value: unknown): value is { readonly set: true; readonly last4?: unknown } {
  return isObject(value) && value['set'] === true
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
