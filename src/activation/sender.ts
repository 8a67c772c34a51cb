import type { Egress } from '../lib/egress/egress.ts'
import type { EgressAnswer } from '../lib/egress/exchange.ts'
import { TURNS } from '../lib/turns.ts'
import type { Clock } from '../model/clock.ts'
import type { Attempt } from '../model/delivery.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { classify, faultOf, isAccepted, type Outcome } from './classify.ts'
import type { DestinationRule } from './destination-rules.ts'
import { type TokenFailure, type TokenSource, userAgentOf } from './oauth.ts'
import { type Header, hasWebhookSignature, signatureHeaders, signedPart, webhookHeaders } from './sign.ts'

/** Makes one attempt: signs, authenticates, sends, and records it without secrets. */
export interface Sender {
  /** @param onAccepted by its headers; the rest of the answer is only read for the record [OUT-22] */
  send(destination: DestinationRule, delivery: StoredDelivery, onAccepted: () => void): Promise<Sent>
}

export interface Sent {
  readonly outcome: Outcome
  /** Undefined when nothing was tried: we are stopping. */
  readonly attempt: Attempt | undefined
  /** Header lines of the request, secrets masked. */
  readonly headers: readonly Header[]
  readonly url: string
}

export interface SenderOptions {
  readonly egress: Pick<Egress, 'request'>
  readonly tokens: TokenSource
  readonly clock: Clock
  readonly userAgent: string
  /** Where the destination names none of its own [SEC-45], [SEC-46]. */
  readonly timeoutMs: Readonly<Record<'compat' | 'durable', number>>
  /** For the body of an answer. */
  readonly bodyTimeoutMs: number
}

const EXCERPT_BYTES_MAX = 1024
/** Of a body. */
const LARGE_CHARS = 128 * 1024
const RESPONSE_HEADERS_MAX = 50
const RESPONSE_HEADER_CHARS_MAX = 500
const MASK = '***'
/** Shorter values of free headers are not looked for in what a partner answers. */
const HIDDEN_VALUE_MIN = 6

export function openSender({ egress, tokens, clock, userAgent, timeoutMs, bodyTimeoutMs }: SenderOptions): Sender {
  return {
    async send(destination, delivery, onAccepted) {
      const { config, destinationId } = destination
      // An endpoint that moved gets the same bytes at its new address.
      const url = destination.wire.address(delivery)
      const startedMs = performance.now()
      const askedAtMs = clock()
      const token = config.auth.type === 'oauth2' ? await tokens.get(destinationId, config) : undefined
      if (token?.status === 'failed') {
        const tried = {
          number: delivery.attempts.length + 1,
          startedAtMs: askedAtMs,
          durationMs: performance.now() - startedMs,
        }
        return { ...withoutToken(token, tried, secretValues(destination)), headers: delivery.headers, url }
      }
      const authorization = authorizationOf(destination, token?.token)
      const startedAtMs = clock()
      // One at a time: to encode and sign a megabyte takes as long as a turn may.
      if (delivery.body.length > LARGE_CHARS) await TURNS.wait()
      // Encoded once, for both signatures and the wire.
      const body = Buffer.from(delivery.body)
      // Exactly what goes over the wire is signed [OUT-68], [OUT-69].
      const signed = signedPart(delivery.method, url, body)
      const headers = requestHeaders(
        destination,
        delivery,
        signed,
        authorization,
        userAgentOf(config, userAgent),
        startedAtMs,
      )
      const answer = await egress.request({
        url,
        method: delivery.method,
        headers,
        body,
        timeoutMs: (config.mode === 'durable' ? config.timeoutMs : undefined) ?? timeoutMs[config.mode],
        bodyTimeoutMs,
        onHead: (httpStatus) => {
          if (destination.wire.read === undefined && isAccepted(httpStatus, config)) onAccepted()
        },
        poolKey: String(destinationId),
      })
      const { read } = destination.wire
      const outcome = classify(answer, config, clock(), { read, users: delivery.users.length })
      const isTokenRefused = outcome.status === 'failed' && faultOf(outcome) === 'unauthorized'
      if (token !== undefined && isTokenRefused) tokens.drop(destinationId, token.token)

      const secrets =
        authorization === undefined
          ? secretValues(destination)
          : [...secretValues(destination), authorization, authorization.slice(authorization.indexOf(' ') + 1)]
      const attempt =
        outcome.status === 'stopped'
          ? undefined
          : attemptOf(delivery.attempts.length + 1, startedAtMs, answer, outcome, secrets)
      return {
        outcome,
        attempt,
        headers: headers.map((header) => masked(header, destination, authorization)),
        url,
      }
    },
  }
}

/** Of a destination; read out of its configuration once, the longest first, because one may stand in another. */
function secretValues(destination: DestinationRule): readonly string[] {
  let values = known.get(destination)
  if (values === undefined) {
    values = destination.wire.secrets
      // A free header may say `7` or `json`: that is no secret, and would be found everywhere.
      .filter(({ path, value }) => !path.startsWith('headers.') || value.length >= HIDDEN_VALUE_MIN)
      .map((secret) => secret.value)
      .sort((a, b) => b.length - a.length)
    known.set(destination, values)
  }
  return values
}

const known = new WeakMap<DestinationRule, readonly string[]>()

function authorizationOf({ config: { auth } }: DestinationRule, token: string | undefined): string | undefined {
  if (token !== undefined) return `Bearer ${token}`
  if (auth.type !== 'basic') return undefined
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
}

function requestHeaders(
  { config }: DestinationRule,
  { method, deliveryId }: StoredDelivery,
  signed: string | Buffer,
  authorization: string | undefined,
  userAgent: string,
  nowMs: number,
): Header[] {
  const headers: Header[] = [['User-Agent', userAgent]]
  if (!Object.keys(config.headers ?? {}).some((name) => /^accept$/i.test(name))) headers.push(['Accept', '*/*'])
  headers.push(['Accept-Encoding', 'gzip'])
  if (method === 'POST') headers.push(['Content-Type', 'application/json'])
  if (authorization !== undefined) headers.push(['Authorization', authorization])
  // The same on every attempt and on a replay of these bytes [SEC-41]. In compat nothing is sent that AAM would not send.
  const hasWebhook = hasWebhookSignature(config)
  if (config.mode === 'durable' || hasWebhook) headers.push(['webhook-id', deliveryId])
  if (config.headers !== undefined) headers.push(...Object.entries(config.headers))
  if (hasWebhook) headers.push(...webhookHeaders(config, deliveryId, nowMs, signed))
  headers.push(...signatureHeaders(config, signed))
  return headers
}

function masked([name, value]: Header, { config }: DestinationRule, authorization: string | undefined): Header {
  if (config.headers !== undefined && Object.hasOwn(config.headers, name)) return [name, MASK]
  return value === authorization ? [name, `${value.slice(0, value.indexOf(' '))} ${MASK}`] : [name, value]
}

function attemptOf(
  number: number,
  startedAtMs: number,
  answer: EgressAnswer,
  outcome: Exclude<Outcome, { status: 'stopped' }>,
  secrets: readonly string[],
): Attempt {
  const hide = (text: string) => hidden(text, secrets)
  const isAnswered = answer.status === 'answered'
  const responseHeaders: Record<string, string> = {}
  const fields = isAnswered ? answer.headers : {}
  for (const name of Object.keys(fields).slice(0, RESPONSE_HEADERS_MAX)) {
    responseHeaders[name] =
      name === 'set-cookie' ? MASK : hide(fields[name] as string).slice(0, RESPONSE_HEADER_CHARS_MAX)
  }
  return {
    number,
    startedAtMs,
    durationMs: Math.round(answer.durationMs),
    outcome: outcome.status === 'acknowledged' || outcome.status === 'unknown' ? outcome.status : 'failed',
    httpStatus: isAnswered ? answer.httpStatus : null,
    error: errorOf(outcome),
    responseHeaders,
    responseExcerpt: isAnswered ? excerpt(answer.body, hide) : '',
    ...(isAnswered && answer.isCut && { responseNote: answer.isGarbled ? 'not_decodable' : 'cut' }),
    ...(outcome.status === 'failed' && outcome.fault === 'unauthorized' && { isTokenRefused: true }),
  }
}

function errorOf(outcome: Exclude<Outcome, { status: 'stopped' }>): string | null {
  if (outcome.status === 'acknowledged') return outcome.note ?? null
  // A status speaks for itself [OPS-51].
  return outcome.reason.startsWith('http_') ? null : outcome.reason
}

/** The token endpoint is at fault, and nothing was sent to that of the messages [OUT-84]. */
function withoutToken(
  { reason, retryAfterMs, said = '' }: TokenFailure,
  { number, startedAtMs, durationMs }: Pick<Attempt, 'number' | 'startedAtMs' | 'durationMs'>,
  secrets: readonly string[],
): Pick<Sent, 'outcome' | 'attempt'> {
  if (reason === 'closed') return { outcome: { status: 'stopped' }, attempt: undefined }
  const error = `oauth_${reason}`
  const attempt: Attempt = {
    ...{ number, startedAtMs, durationMs: Math.round(durationMs), outcome: 'failed', httpStatus: null, error },
    ...{ responseHeaders: {}, responseExcerpt: excerpt(Buffer.from(said), (text) => hidden(text, secrets)) },
  }
  return { outcome: { status: 'unauthenticated', reason: error, retryAfterMs }, attempt }
}

function hidden(text: string, secrets: readonly string[]): string {
  return secrets.reduce((all, secret) => (all.includes(secret) ? all.replaceAll(secret, MASK) : all), text)
}

/** Hidden before it is cut, so that no half of a secret stays. */
function excerpt(body: Buffer, hide: (text: string) => string): string {
  if (body.length === 0) return ''
  const text = hide(body.toString('utf8', 0, 4 * EXCERPT_BYTES_MAX))
  return Buffer.from(text).toString('utf8', 0, EXCERPT_BYTES_MAX)
}
