import { createPrivateKey, createPublicKey } from 'node:crypto'
import { untrueNameIssue } from '../../lib/header-rules.ts'
import { secretIssue } from '../../lib/texts.ts'
import type { ConfigIssue } from './config-issue.ts'
import type { RunnerSettings } from './runner-settings.ts'
import type { StoredSecret } from './secret-walk.ts'
import { algorithmOf, type SignIn, signatureHeader } from './sign-in.ts'

/**
 * What is refused when settings are saved, and not when they are read again: a destination that was stored before a rule
 * came goes on, and learns of it with its next change. Source: operating.md OPS-54, security.md SEC-29, outbound.md OUT-79.
 */
export function* savingIssues(settings: RunnerSettings, secrets: readonly StoredSecret[]): Generator<ConfigIssue> {
  yield* secretIssues(secrets)
  yield* rotationIssues(settings)
  yield* headerIssues(settings)
  yield* authIssues(settings)
}

/** Copied with a line end, a signing key makes every signature wrong and shows nothing of it. */
function* secretIssues(secrets: readonly StoredSecret[]): Generator<ConfigIssue> {
  for (const { path, value } of secrets) {
    const message = secretIssue(value) ?? formIssue(path, value)
    if (message !== undefined) yield { path, message }
  }
}

/** Two keys that are one are no rotation, and under one name the partner cannot tell two signatures apart. */
function* rotationIssues({ auth, mode }: RunnerSettings): Generator<ConfigIssue> {
  if (auth.type !== 'hmac') return
  const [first, second] = auth.keys
  const hashOf = (key: typeof first) => key?.algorithm ?? algorithmOf(auth, mode)
  if (second !== undefined && second.key === first?.key && hashOf(second) === hashOf(first))
    yield { path: 'auth.keys.1.key', message: 'is the same as the first: a rotation needs another one' }
  const isFirstName = (name: string) => name.toLowerCase() === signatureHeader(auth, 0).toLowerCase()
  const secondName = signatureHeader(auth, 1)
  if (second !== undefined && isFirstName(secondName)) {
    const at = second.header === undefined ? 0 : 1
    const message = `both signatures would go out as ${secondName}; give one of the two keys another header`
    yield { path: `auth.keys.${at}.header`, message }
  }
  if (auth.rotationHeader != null && isFirstName(auth.rotationHeader))
    yield { path: 'auth.rotationHeader', message: 'is the name that the signature has already; it takes another one' }
}

/** Of keys and credentials that are more than their characters. */
function formIssue(path: string, secret: string): string | undefined {
  if (path === 'auth.ed25519Key') return ed25519Issue(secret)
  if (path === 'auth.credentials') return /^basic\s/i.test(secret) ? 'is given without the word Basic' : undefined
  return path.startsWith('auth.keys.') ? signingKeyIssue(secret) : undefined
}

/** Of a key for HMAC that could not be what it looks like. */
export function signingKeyIssue(secret: string): string | undefined {
  if (secret.startsWith('whsec_')) {
    const bytes = base64Bytes(secret.slice(6))
    return bytes !== undefined && bytes.length >= 24 ? undefined : 'is not whsec_ and the Base64 of at least 24 bytes'
  }
  if (/^wh[ps]k_/i.test(secret)) return 'is a key for another kind of signature, of two halves; give whsec_ or a text'
  if (/^whsec_/i.test(secret)) return 'begins with whsec_ in capitals; it is written in small letters'
  return undefined
}

function* headerIssues({ headers = {}, auth, userAgent }: RunnerSettings): Generator<ConfigIssue> {
  const signed = signatureNames(auth)
  for (const { path, name } of signed) {
    const message = untrueNameIssue(name)
    if (message !== undefined) yield { path, message }
  }
  const seen = new Set<string>()
  for (const name of Object.keys(headers)) {
    const path = `headers.${name}`
    const lower = name.toLowerCase()
    const isSignature = signed.some((one) => one.name.toLowerCase() === lower)
    const message =
      untrueNameIssue(name) ??
      (isSignature ? `the header ${name} carries the signature` : undefined) ??
      (seen.has(lower) ? `the header ${name} is there twice` : undefined)
    seen.add(lower)
    if (message !== undefined) yield { path, message }
  }
  const agent = userAgent === undefined ? undefined : edgeIssue(userAgent)
  if (agent !== undefined) yield { path: 'userAgent', message: agent }
}

/** Every name under which a signature goes or can go. */
function signatureNames(auth: SignIn): { readonly path: string; readonly name: string }[] {
  if (auth.type !== 'hmac') return []
  const named = auth.keys.flatMap(({ header }, at) =>
    header === undefined ? [] : [{ path: `auth.keys.${at}.header`, name: header }],
  )
  const rotation = auth.rotationHeader == null ? [] : [{ path: 'auth.rotationHeader', name: auth.rotationHeader }]
  const main = { path: 'auth.header', name: auth.header }
  return [main, { path: 'auth.header', name: `${auth.header}-Next` }, ...named, ...rotation]
}

function* authIssues({ auth }: RunnerSettings): Generator<ConfigIssue> {
  if (auth.type === 'basic')
    yield* userNameIssues('auth.username', auth.username, 'basic authentication ends the name there')
  if (auth.type !== 'oauth2') return
  const { clientId, clientSecret, credentials, rawCredentials } = auth
  if (credentials !== undefined) {
    const others = { clientId, clientSecret, rawCredentials }
    for (const [name, value] of Object.entries(others))
      if (value !== undefined)
        yield { path: `auth.${name}`, message: 'is not used beside credentials; give one or the other' }
  }
  if (clientId !== undefined) {
    const colon = rawCredentials === true ? 'a raw id ends there; leave rawCredentials out' : undefined
    yield* userNameIssues('auth.clientId', clientId, colon)
  }
}

/** @param colon why it may hold none; undefined: it may */
function* userNameIssues(path: string, name: string, colon: string | undefined): Generator<ConfigIssue> {
  const message =
    secretIssue(name) ?? (colon !== undefined && name.includes(':') ? `holds a colon: ${colon}` : undefined)
  if (message !== undefined) yield { path, message }
}

/** The seed alone, or with its public half behind it, as Standard Webhooks writes keys. */
function ed25519Issue(key: string): string | undefined {
  const bytes = key.startsWith('whsk_') ? base64Bytes(key.slice(5)) : undefined
  if (bytes?.length === 32) return undefined
  if (bytes?.length !== 64) return 'is whsk_ and the Base64 of 32 or 64 bytes'
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), bytes.subarray(0, 32)])
  const seed = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const publicHalf = createPublicKey(seed).export({ format: 'der', type: 'spki' }).subarray(-32)
  return publicHalf.equals(bytes.subarray(32)) ? undefined : 'has a public half that is not that of its private one'
}

/** @returns undefined for what a strict reader refuses: a sign of another alphabet, a length that cannot be, stray bits */
function base64Bytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  const written = bytes.toString('base64')
  return text === written || text === written.replace(/=+$/, '') ? bytes : undefined
}

/** HTTP cuts white space around a value off: the other side would not get what is shown. */
export function edgeIssue(text: string): string | undefined {
  return text === text.trim() ? undefined : 'begins or ends with white space; give it without'
}
