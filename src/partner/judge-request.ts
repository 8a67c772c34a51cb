import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type PartnerMessage, readMessage } from './message-shape.ts'
import type { TokenServer } from './token-server.ts'
import {
  type SignatureAlgorithm,
  type SignatureVerdict,
  verifySignature,
  verifyWebhook,
  type WebhookVerdict,
} from './verify-signature.ts'

export interface Signing {
  readonly keys: readonly string[]
  readonly header?: string
  readonly algorithm?: SignatureAlgorithm
}

/** One request and everything that can be said of it. */
export interface JudgedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly signature: SignatureVerdict | { readonly status: 'not_asked' }
  /** Present when the request carries `webhook-signature`; `webhook-id` alone is a key against repeats. */
  readonly webhook: WebhookVerdict | undefined
  /** Everything that is wrong with it, a sentence each. */
  readonly complaints: readonly string[]
  readonly message: PartnerMessage | undefined
  /** 200; 401 when the sender is not proven; 400 when the message is not right. */
  readonly verdict: 200 | 400 | 401
}

interface RawRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

const IDS_MAX = 10_000

/** Remembers a digest of the bodies of the last 10,000 message ids, so that a repeat with other bytes is noticed [SEC-41]. */
export function createJudge(
  basic: { readonly username: string; readonly password: string } | undefined,
  tokens: TokenServer | undefined,
) {
  const digestsById = new Map<string, string>()

  const asksAuthorization = tokens !== undefined || basic !== undefined
  const isAuthorized = (header: string | undefined, nowMs: number): boolean =>
    tokens === undefined
      ? basic !== undefined &&
        header === `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}`
      : tokens.accepts(header, nowMs)

  return (
    { method = '', url = '', headers }: RawRequest,
    body: Buffer,
    signing: Signing | undefined,
    nowMs: number,
  ): JudgedRequest => {
    const isGet = method === 'GET'
    const text = body.toString('utf8')
    // A destination signs or brings a token, never both: where both were asked for, either is enough, but not a wrong one.
    const authorized = isAuthorized(headers.authorization, nowMs)
    const found =
      signing === undefined
        ? { status: 'not_asked' as const }
        : verifySignature({ ...signing, message: isGet ? url : body, headers })
    const signature = authorized && found.status === 'missing' ? { status: 'not_asked' as const } : found
    const isStranger =
      asksAuthorization && !authorized && !(headers.authorization === undefined && found.status === 'verified')
    const webhook =
      headers['webhook-signature'] === undefined
        ? undefined
        : verifyWebhook({ body: isGet ? url : body, headers, keys: signing?.keys ?? [], nowMs })
    const reading = isGet ? undefined : readMessage(text)
    const isProven = !isStranger && signature.status !== 'missing' && signature.status !== 'wrong'
    const complaints = [
      ...(isStranger ? [strangerComplaint(headers.authorization, tokens)] : []),
      ...(signature.status === 'missing' ? [`no signature in ${signature.header}`] : []),
      ...(signature.status === 'wrong' ? [`the signature in ${signature.header} fits no key`] : []),
      ...(webhook !== undefined && signing !== undefined && webhook.status !== 'verified'
        ? [`webhook signature: ${webhook.status}`]
        : []),
      ...(isGet || headers['content-type'] === 'application/json' ? [] : ['Content-Type is not application/json']),
      ...(repeatsId(digestsById, headers['webhook-id'], body) ? ['webhook-id was used before with other bytes'] : []),
      ...(reading?.complaints ?? []),
    ]
    return {
      method,
      path: url,
      headers,
      body: text,
      signature,
      webhook,
      complaints,
      message: reading?.ok === true ? reading.message : undefined,
      verdict: !isProven ? 401 : complaints.length === 0 ? 200 : 400,
    }
  }
}

/** What is wrong with `Authorization`, and where a good one comes from. */
function strangerComplaint(header: string | undefined, tokens: TokenServer | undefined): string {
  const kind = tokens === undefined ? 'Basic value' : 'token'
  const source = tokens === undefined ? '' : `; tokens are issued at ${tokens.path}`
  return header === undefined
    ? `Authorization is missing${source}`
    : `Authorization is not the ${kind} agreed on${tokens === undefined ? '' : ', or it has expired'}${source}`
}

function repeatsId(digestsById: Map<string, string>, id: string | string[] | undefined, body: Buffer): boolean {
  if (typeof id !== 'string') return false
  const digest = createHash('sha256').update(body).digest('base64')
  const before = digestsById.get(id)
  if (before === undefined) digestsById.set(id, digest)
  const [oldest] = digestsById.keys()
  if (digestsById.size > IDS_MAX && oldest !== undefined) digestsById.delete(oldest)
  return before !== undefined && before !== digest
}
