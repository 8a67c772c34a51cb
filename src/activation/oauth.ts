import type { Egress } from '../lib/egress/egress.ts'
import type { EgressAnswer } from '../lib/egress/exchange.ts'
import { parseRetryAfter, RETRY_AFTER_MS_MAX } from '../lib/retry-after.ts'
import type { Clock } from '../model/clock.ts'
import type { DestinationId } from '../model/ids.ts'
import type { RunnerSettings } from './destinations/runner-settings.ts'

/**
 * Access tokens by client credentials, kept for each destination and fetched by one request at a time. Tokens and
 * credentials appear in no log and no answer. Source: outbound.md section 5, security.md SEC-55.
 */
export interface TokenSource {
  /** @returns the cached token, or a new one */
  get(destinationId: DestinationId, config: RunnerSettings): Promise<TokenAnswer>
  /** Forgets a token that was refused; a newer one is kept [OUT-83]. */
  drop(destinationId: DestinationId, token: string): void
}

export type TokenAnswer = { readonly status: 'ok'; readonly token: string } | TokenFailure

/** `reason`: the kind of network error, `http_<status>`, or what is wrong with the answer. */
export interface TokenFailure {
  readonly status: 'failed'
  readonly reason: string
  readonly retryAfterMs?: number | undefined
  /** What the endpoint said; undefined: nothing, or what may hold a token. */
  readonly said?: string | undefined
}

export interface TokenSourceOptions {
  readonly egress: Pick<Egress, 'request'>
  readonly clock: Clock
  readonly userAgent: string
  /** Deadline of one fetch; a failed one is repeated once [OUT-84]. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 3_000
const TRIES = 2
const SAID_BYTES_MAX = 4 * 1024
const RENEW_BEFORE_MS = 60_000
const BODY = 'grant_type=client_credentials'

/** The endpoint turned us away and said for how long [SEC-100]. */
interface Silence {
  readonly source: string
  readonly failure: TokenFailure
  readonly untilMs: number
}

interface CachedToken {
  /** What the token was fetched with: another endpoint or other credentials need another one. */
  readonly source: string
  readonly token: string
  readonly expiresAtMs: number
}

export function openTokenSource({ egress, clock, userAgent, timeoutMs = TIMEOUT_MS }: TokenSourceOptions): TokenSource {
  const tokens = new Map<DestinationId, CachedToken>()
  const fetches = new Map<DestinationId, { readonly source: string; readonly answer: Promise<TokenAnswer> }>()
  const silences = new Map<DestinationId, Silence>()

  async function fetchToken(destinationId: DestinationId, auth: OAuth, config: RunnerSettings): Promise<TokenAnswer> {
    const agent = userAgentOf(config, userAgent)
    let failure: TokenFailure = { status: 'failed', reason: 'not_tried' }
    silences.delete(destinationId)
    for (let tries = 0; tries < TRIES; tries++) {
      const answer = await egress.request({
        url: auth.tokenUrl,
        method: 'POST',
        headers: tokenHeaders(basicCredentials(auth), agent),
        body: BODY,
        timeoutMs,
        poolKey: `oauth ${destinationId}`,
      })
      const parsed = parseTokenAnswer(answer)
      if (parsed.status === 'failed') {
        failure = { ...parsed, said: saidBy(answer) }
        const askedMs =
          answer.status === 'answered' ? parseRetryAfter(answer.headers['retry-after'], clock()) : undefined
        // In compat the endpoint is asked as AAM asks it, come what may [OUT-84].
        if (askedMs === undefined || config.mode === 'compat') continue
        silences.set(destinationId, { source: sourceOf(auth), failure, untilMs: clock() + askedMs })
        return { ...failure, retryAfterMs: askedMs }
      }
      const expiresAtMs = clock() + parsed.lifetimeMs - RENEW_BEFORE_MS
      tokens.set(destinationId, { source: sourceOf(auth), token: parsed.token, expiresAtMs })
      return { status: 'ok', token: parsed.token }
    }
    return failure
  }

  return {
    async get(destinationId, config) {
      const { auth } = config
      if (auth.type !== 'oauth2') return { status: 'failed', reason: 'not_configured' }
      const source = sourceOf(auth)
      const cached = tokens.get(destinationId)
      if (cached !== undefined && cached.source === source && clock() < cached.expiresAtMs)
        return { status: 'ok', token: cached.token }
      const silence = silences.get(destinationId)
      const silentMs = silence?.source === source ? silence.untilMs - clock() : 0
      // Longer than any silence lasts: the clock was ahead when it began.
      if (silence !== undefined && silentMs > 0 && silentMs <= RETRY_AFTER_MS_MAX)
        return { ...silence.failure, retryAfterMs: silentMs }
      const running = fetches.get(destinationId)
      if (running !== undefined && running.source === source) return running.answer
      const answer = fetchToken(destinationId, auth, config).finally(() => {
        if (fetches.get(destinationId)?.answer === answer) fetches.delete(destinationId)
      })
      fetches.set(destinationId, { source, answer })
      return answer
    },
    drop(destinationId, token) {
      if (tokens.get(destinationId)?.token === token) tokens.delete(destinationId)
    },
  }
}

/** The preset `aam` sends what AAM sends; anything else is sent as written [OUT-80]. */
export function userAgentOf({ userAgent }: Pick<RunnerSettings, 'userAgent'>, usual: string): string {
  return userAgent === 'aam' ? 'Adobe Audience Manager Iris' : (userAgent ?? usual)
}

type OAuth = Extract<RunnerSettings['auth'], { type: 'oauth2' }>

/**
 * An opaque value goes as the partner gave it. Of a pair both halves are form-encoded first, so that no colon, sign or letter
 * in them is lost, unless the partner's server does not decode them. Source: outbound.md OUT-79, RFC 6749 section 2.3.1.
 */
function basicCredentials({ credentials, clientId = '', clientSecret = '', rawCredentials }: OAuth): string {
  if (credentials !== undefined) return credentials
  const encode = rawCredentials === true ? (text: string) => text : formEncoded
  return Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64')
}

/** `application/x-www-form-urlencoded`: a space is `+`; letters, digits and `*-._` stay. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

function sourceOf(auth: OAuth): string {
  return `${auth.tokenUrl} ${basicCredentials(auth)}`
}

/** In the order of the documented example [OUT-78]. */
function tokenHeaders(credentials: string, userAgent: string) {
  return [
    ['User-Agent', userAgent],
    ['Authorization', `Basic ${credentials}`],
    ['Content-Type', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['Accept-Encoding', 'gzip'],
  ] as const
}

/** An answer with a token in it is said to nobody. */
function saidBy(answer: EgressAnswer): string | undefined {
  const isRefusal = answer.status === 'answered' && answer.httpStatus >= 400
  return isRefusal ? answer.body.toString('utf8', 0, SAID_BYTES_MAX) || undefined : undefined
}

type ParsedToken =
  | { readonly status: 'ok'; readonly token: string; readonly lifetimeMs: number }
  | { readonly status: 'failed'; readonly reason: string }

/** Without `expires_in` a token is used until it is refused [OUT-81]. */
function parseTokenAnswer(answer: EgressAnswer): ParsedToken {
  if (answer.status !== 'answered') return failed(answer.error)
  if (answer.httpStatus !== 200) return failed(`http_${answer.httpStatus}`)
  if (answer.isCut) return failed('response_cut')
  const json = parseJson(answer.body.toString('utf8'))
  if (typeof json !== 'object' || json === null) return failed('not_json')
  const { token_type: type, access_token: token, expires_in: seconds } = json as Readonly<Record<string, unknown>>
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return failed('token_type_not_bearer')
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token)) return failed('access_token_missing')
  return { status: 'ok', token, lifetimeMs: lifetimeOf(seconds) }
}

/** Some servers write the number as a text. Unreadable, or no time at all, is as if it were not there. */
function lifetimeOf(seconds: unknown): number {
  const isText = typeof seconds === 'string' && /^\d{1,15}(\.\d+)?$/.test(seconds)
  const lifetimeMs = isText || typeof seconds === 'number' ? Number(seconds) * 1000 : 0
  return lifetimeMs > 0 ? lifetimeMs : Number.POSITIVE_INFINITY
}

function failed(reason: string): ParsedToken {
  return { status: 'failed', reason }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
