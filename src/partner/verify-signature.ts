import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'

/**
 * For partners who receive our messages: recomputes the signatures of a request and compares them in constant time.
 * Depends on nothing but Node, so that it can be copied into a receiver. Test vectors: docs/signature-vectors.json.
 * Source: spec/outbound.md [OUT-65]..[OUT-75], spec/security.md [SEC-50], [SEC-51], [SEC-53].
 */
export type SignatureAlgorithm = 'md5' | 'sha1' | 'sha256'

export interface SignatureCheck {
  /** POST: the body, byte for byte as received. GET: path and query exactly as in the request line. */
  readonly message: string | Uint8Array
  /** As Node gives them: lower-case names; a repeated header as an array or joined by a comma. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Every key that is valid now; during a rotation the old and the new one. Used as UTF-8 bytes. */
  readonly keys: readonly string[]
  /** Default `X-Signature`. During a rotation the second signature comes in `<header>-Next` [OUT-73]. */
  readonly header?: string
  /** Default `sha256`. */
  readonly algorithm?: SignatureAlgorithm
}

export type SignatureVerdict =
  /** One signature fits one key; `header` says where it stood, `key` is the index in `keys`. */
  | { readonly status: 'verified'; readonly header: string; readonly key: number }
  /** There are signatures, and none fits. */
  | { readonly status: 'wrong'; readonly header: string }
  | { readonly status: 'missing'; readonly header: string }

/** `Base64(HMAC(key, message))`, one line. */
export function signatureOf(message: string | Uint8Array, key: string, algorithm: SignatureAlgorithm): string {
  return createHmac(algorithm, Buffer.from(key, 'utf8')).update(message).digest('base64')
}

export function verifySignature(check: SignatureCheck): SignatureVerdict {
  const { message, headers, keys, header = 'X-Signature', algorithm = 'sha256' } = check
  const expected = keys.map((key) => signatureOf(message, key, algorithm))
  const names = [header, `${header}-Next`]
  let verified: SignatureVerdict | undefined
  let isPresent = false
  // No early exit: how long it takes must not tell which key or header came close.
  for (const name of names) {
    for (const received of splitSignatures(headers[name.toLowerCase()])) {
      isPresent = true
      for (const [key, signature] of expected.entries()) {
        if (isEqual(received, signature)) verified ??= { status: 'verified', header: name, key }
      }
    }
  }
  return verified ?? { status: isPresent ? 'wrong' : 'missing', header }
}

export interface WebhookCheck {
  /** POST: the body, byte for byte as received. GET: path and query exactly as in the request line. */
  readonly body: string | Uint8Array
  readonly headers: SignatureCheck['headers']
  /**
   * Every key that is valid now. `whsec_…`: Base64 of a shared key; `whpk_…`: Base64 of our Ed25519 public key, for
   * `v1a`; anything else: a shared key, used as UTF-8 bytes.
   */
  readonly keys: readonly string[]
  readonly nowMs: number
  /** Default 5 minutes, either side. */
  readonly toleranceMs?: number
}

export type WebhookVerdict =
  | { readonly status: 'verified'; readonly id: string }
  | { readonly status: 'missing' | 'wrong' | 'too_old' | 'too_new'; readonly id: string | undefined }

/**
 * Checks `webhook-id`, `webhook-timestamp` and `webhook-signature`, which hold for five minutes: `v1` is HMAC-SHA-256 and
 * `v1a` Ed25519, both over `id.timestamp.body`. A repeat has the same id: `AppliedIds` applies it once.
 */
export function verifyWebhook({ body, headers, keys, nowMs, toleranceMs = 300_000 }: WebhookCheck): WebhookVerdict {
  const [id] = lines(headers['webhook-id'])
  const [timestamp] = lines(headers['webhook-timestamp'])
  const signatures = lines(headers['webhook-signature']).flatMap((value) => value.split(' '))
  if (id === undefined || timestamp === undefined || signatures.length === 0) return { status: 'missing', id }
  if (!/^[0-9]{1,12}$/.test(timestamp)) return { status: 'wrong', id }
  const message = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), Buffer.from(body)])
  let fits = false
  for (const key of keys) {
    for (const signature of signatures) fits = isWebhookSignature(signature, message, key) || fits
  }
  if (!fits) return { status: 'wrong', id }
  const ageMs = nowMs - Number(timestamp) * 1000
  if (ageMs > toleranceMs) return { status: 'too_old', id }
  return ageMs < -toleranceMs ? { status: 'too_new', id } : { status: 'verified', id }
}

function isWebhookSignature(signature: string, message: Buffer, key: string): boolean {
  if (key.startsWith('whpk_')) {
    if (!signature.startsWith('v1a,')) return false
    const spki = Buffer.concat([ED25519_SPKI, Buffer.from(key.slice(5), 'base64')])
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    return verify(null, message, publicKey, Buffer.from(signature.slice(4), 'base64'))
  }
  const secret = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : Buffer.from(key, 'utf8')
  return isEqual(signature, `v1,${createHmac('sha256', secret).update(message).digest('base64')}`)
}

/** What stands before the 32 bytes of an Ed25519 public key in its DER form. */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * Applies each message once, by its id, also when two attempts at it run side by side. Remembers the last `capacity` ids
 * that were applied. A receiver of several processes keeps the ids in its database instead, in the transaction that applies.
 */
export class AppliedIds {
  readonly #applied = new Set<string>()
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #capacity: number

  constructor(capacity = 100_000) {
    this.#capacity = capacity
  }

  /**
   * Runs `apply` unless it has succeeded for this id before; one that is under way is waited for, and ends for both alike.
   * @returns whether this call applied it
   * @throws what `apply` throws; the id then counts as never seen, so the next attempt is applied
   */
  async once(id: string, apply: () => unknown): Promise<boolean> {
    if (this.#applied.has(id)) return false
    const underWay = this.#underWay.get(id)
    if (underWay !== undefined) {
      await underWay
      return false
    }
    const work = (async () => void (await apply()))()
    this.#underWay.set(id, work)
    try {
      await work
      this.#remember(id)
      return true
    } finally {
      this.#underWay.delete(id)
    }
  }

  #remember(id: string): void {
    this.#applied.add(id)
    const [oldest] = this.#applied
    if (this.#applied.size > this.#capacity && oldest !== undefined) this.#applied.delete(oldest)
  }
}

function lines(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? [])
}

/** Base64 holds no comma, so header lines that Node joined can be taken apart again. */
function splitSignatures(value: string | readonly string[] | undefined): string[] {
  return lines(value)
    .flatMap((line) => line.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function isEqual(received: string, expected: string): boolean {
  const [a, b] = [Buffer.from(received), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
