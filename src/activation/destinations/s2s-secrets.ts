import type { S2sConfig } from './s2s.ts'

/** How an answer shows a stored secret [OPS-50], [SEC-63]. */
export interface ShownSecret {
  readonly set: true
  readonly last4: string
}

/** Dotted paths of secrets; `*` stands for each item of a list. */
export const secretPaths = [
  'auth.keys.*.key',
  'auth.ed25519Key',
  'auth.clientSecret',
  'auth.credentials',
  'auth.password',
] as const

/** The object as the API shows it: each secret becomes `{set: true, last4}`. */
export function redactS2s(config: S2sConfig): unknown {
  return mapSecrets(config, (value) => (typeof value === 'string' ? shown(value) : value))
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
    const samePath = stored.find((one) => one.path === path)
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
  if (step === '*') {
    return Array.isArray(value)
      ? value.map((item: unknown, at) => mapPath(item, rest, `${path}.${at}`, replace))
      : value
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
