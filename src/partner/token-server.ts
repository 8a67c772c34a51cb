import { timingSafeEqual } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { randomToken } from '../lib/random-ids.ts'

/**
 * The token endpoint of a partner that asks for OAuth 2.0 client credentials: strict about the request, and able to
 * expire, revoke and refuse. Source: spec/outbound.md section 5.
 */
export interface TokenServerOptions {
  readonly clientId: string
  readonly clientSecret: string
  /** Left out of the answer when not given, as in the documented example [OUT-81]. */
  readonly expiresInSeconds?: number
  /** Path of the endpoint; default `/oauth2/token`. */
  readonly path?: string
  /** Answers this status instead of a token. */
  readonly answer?: number
}

export interface TokenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** What was wrong with the request; empty when nothing was. */
  readonly complaints: readonly string[]
}

export interface TokenRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export interface TokenServer {
  readonly path: string
  issue(request: TokenRequest, nowMs: number): TokenAnswer
  /** Is this value of an `Authorization` header a token of ours that is still good? */
  accepts(authorization: string | undefined, nowMs: number): boolean
  /** All tokens so far are worth nothing from now on. */
  revokeAll(): void
  /** Tokens issued since the start. */
  issued(): number
}

/** Tokens that are good at once; a sender that asks before each message must not fill the memory. */
const TOKENS_MAX = 10_000

export function createTokenServer(options: TokenServerOptions): TokenServer {
  const expected = basicValues(options)
  const validUntilMs = new Map<string, number>()
  let issued = 0
  return {
    path: options.path ?? '/oauth2/token',
    issue(request, nowMs) {
      const complaints = requestComplaints(request)
      if (options.answer !== undefined) return refuse(options.answer, 'temporarily_unavailable', complaints)
      const stranger = strangerComplaint(request.headers['authorization'], expected)
      if (stranger !== undefined) return refuse(401, 'invalid_client', [stranger, ...complaints])
      if (complaints.length > 0) return refuse(400, 'invalid_request', complaints)
      const token = randomToken()
      issued += 1
      const [oldest] = validUntilMs.keys()
      if (validUntilMs.size >= TOKENS_MAX && oldest !== undefined) validUntilMs.delete(oldest)
      const { expiresInSeconds } = options
      validUntilMs.set(
        token,
        expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : nowMs + expiresInSeconds * 1000,
      )
      const body = {
        token_type: 'Bearer',
        access_token: token,
        ...(expiresInSeconds === undefined ? {} : { expires_in: expiresInSeconds }),
      }
      return {
        status: 200,
        headers: { 'content-type': 'application/json; charset=utf-8', 'content-encoding': 'gzip' },
        body: gzipSync(JSON.stringify(body)),
        complaints: [],
      }
    },
    accepts(authorization, nowMs) {
      if (authorization?.startsWith('Bearer ') !== true) return false
      return (validUntilMs.get(authorization.slice(7)) ?? 0) > nowMs
    },
    revokeAll: () => validUntilMs.clear(),
    issued: () => issued,
  }
}

/** Why the sender is not the client agreed on, without a word of what it should have been. */
function strangerComplaint(
  received: string | readonly string[] | undefined,
  expected: readonly string[],
): string | undefined {
  if (expected.some((value) => isSame(received, value))) return undefined
  if (received === undefined)
    return 'Authorization is missing: a token is asked for with Basic and the client agreed on'
  if (!/^Basic /i.test(String(received))) return 'Authorization is not Basic'
  return 'Authorization is Basic, but not of the client ID and secret agreed on'
}

/** Form-encoded as RFC 6749 section 2.3.1 asks, and as many servers take it [OUT-79]. */
function basicValues({ clientId, clientSecret }: TokenServerOptions): string[] {
  const form = (text: string) =>
    encodeURIComponent(text)
      .replaceAll('%20', '+')
      .replace(/[!'()~]/g, hexOf)
  const pairs = [`${form(clientId)}:${form(clientSecret)}`, `${clientId}:${clientSecret}`]
  return pairs.map((pair) => `Basic ${Buffer.from(pair).toString('base64')}`)
}

function hexOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

/** [OUT-78]: exactly this request and nothing else. */
function requestComplaints({ method, headers, body }: TokenRequest): string[] {
  const complaints: string[] = []
  if (method !== 'POST') complaints.push(`the token request is ${method}, not POST`)
  if (body !== 'grant_type=client_credentials') complaints.push('the body is not exactly grant_type=client_credentials')
  if (headers['content-type'] !== 'application/x-www-form-urlencoded;charset=UTF-8') {
    complaints.push('Content-Type is not application/x-www-form-urlencoded;charset=UTF-8')
  }
  if (headers['accept-encoding'] !== 'gzip') complaints.push('Accept-Encoding is not gzip')
  return complaints
}

function refuse(status: number, error: string, complaints: readonly string[]): TokenAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="usher partner"' } : {}),
    },
    // RFC 6749 section 5.2: for the developer of the other side.
    body: Buffer.from(
      JSON.stringify({ error, ...(complaints.length === 0 ? {} : { error_description: complaints.join('; ') }) }),
    ),
    complaints,
  }
}

function isSame(received: string | readonly string[] | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(String(received)), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
