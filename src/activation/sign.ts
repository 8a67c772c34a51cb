import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { parseTarget } from '../lib/egress/target.ts'
import type { RunnerSettings } from './destinations/runner-settings.ts'
import { algorithmOf, signatureHeader } from './destinations/sign-in.ts'

export type HashAlgorithm = 'md5' | 'sha1' | 'sha256'
export type Header = readonly [name: string, value: string]

/** Base64 of the HMAC under the UTF-8 bytes of `key`. Source: outbound.md OUT-65, OUT-66. */
export function signHmac(algorithm: HashAlgorithm, key: string, message: string | Buffer): string {
  return createHmac(algorithm, key).update(message).digest('base64')
}

/** What a signature covers, byte for byte as sent: the body of a POST, path and query of a GET [OUT-68], [OUT-69]. */
export function signedPart<Body extends string | Buffer>(
  method: 'POST' | 'GET',
  url: string,
  body: Body,
): string | Body {
  return method === 'POST' ? body : (parseTarget(url)?.requestTarget ?? '')
}

export interface Signature {
  readonly header: string
  readonly value: string
  readonly algorithm: HashAlgorithm
  /** From 1, in the order of the destination's keys. */
  readonly keyNumber: number
}

/**
 * The signatures of a message: one for each signer, the old one first. During a rotation the second signer has a
 * header of its own, `<header>-Next` unless it names one; after the old key was removed the one signature goes under
 * both names until the rotation is ended. Source: outbound.md OUT-68, OUT-69, OUT-72, OUT-73.
 * @param message body of a POST, or path and query of a GET, byte for byte as sent
 */
export function signaturesOf(
  { auth, mode }: Pick<RunnerSettings, 'auth' | 'mode'>,
  message: string | Buffer,
): Signature[] {
  if (auth.type !== 'hmac') return []
  const usual = algorithmOf(auth, mode)
  const signatures = auth.keys.map((signer, index): Signature => {
    const header = signatureHeader(auth, index)
    const algorithm = signer.algorithm ?? usual
    return { header, value: signHmac(algorithm, signer.key, message), algorithm, keyNumber: index + 1 }
  })
  const [only] = signatures
  if (signatures.length === 1 && only !== undefined && auth.rotationHeader != null)
    signatures.push({ ...only, header: auth.rotationHeader })
  return signatures
}

/** The same as header lines. */
export function signatureHeaders(config: Pick<RunnerSettings, 'auth' | 'mode'>, message: string | Buffer): Header[] {
  return signaturesOf(config, message).map(({ header, value }) => [header, value])
}

/** Is the message to carry the headers of Standard Webhooks, too [SEC-51]? */
export function hasWebhookSignature({ auth, mode }: Pick<RunnerSettings, 'auth' | 'mode'>): boolean {
  return auth.type === 'hmac' && (auth.webhook ?? mode === 'durable')
}

/**
 * The headers of Standard Webhooks: a signature over `id.timestamp.body` for each signing key and, as `v1a`, for the
 * Ed25519 key, so that a captured message cannot be sent again later. The body of a GET is empty: its path and query stand
 * in for it. Source: security.md SEC-51, SEC-54.
 * @param atMs of this attempt
 */
export function webhookHeaders(
  { auth }: Pick<RunnerSettings, 'auth'>,
  id: string,
  atMs: number,
  message: string | Buffer,
): Header[] {
  if (auth.type !== 'hmac') return []
  const timestamp = String(Math.floor(atMs / 1000))
  const head = `${id}.${timestamp}.`
  const signatures = auth.keys.map(
    ({ key }) => `v1,${createHmac('sha256', webhookKey(key)).update(head).update(message).digest('base64')}`,
  )
  if (auth.ed25519Key !== undefined) {
    const signed = Buffer.concat([Buffer.from(head), Buffer.from(message)])
    signatures.push(`v1a,${sign(null, signed, ed25519KeyOf(auth.ed25519Key)).toString('base64')}`)
  }
  return [
    ['webhook-timestamp', timestamp],
    ['webhook-signature', signatures.join(' ')],
  ]
}

/** A key that begins with `whsec_` is Base64 after it, as Standard Webhooks writes keys; any other is its UTF-8 bytes. */
function webhookKey(key: string): Buffer {
  return key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : Buffer.from(key, 'utf8')
}

const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const parsedKeys = new Map<string, KeyObject>()

/** @param text `whsk_` and the Base64 of the seed, with or without the public half behind it */
function ed25519KeyOf(text: string): KeyObject {
  let key = parsedKeys.get(text)
  if (key === undefined) {
    const seed = Buffer.from(text.slice(5), 'base64').subarray(0, 32)
    key = createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' })
    // As many as there are destinations; one that was replaced is not worth a second look.
    if (parsedKeys.size >= 1_000) parsedKeys.clear()
    parsedKeys.set(text, key)
  }
  return key
}
