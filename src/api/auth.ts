import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Networks } from '../lib/networks.ts'
import { isOwnHost } from '../lib/page-server.ts'
import { readSessionCookie } from './session-cookie.ts'
import type { SessionKeeper } from './session-keeper.ts'

/** Whom a request acts for. `author` is the user id it writes: 0 is the administrator. */
export interface Caller {
  readonly author: number
  /** Tells tokens and sessions apart without naming them: each has a rate of its own [SEC-72]. */
  readonly key: string
  /** Of a person in a browser; undefined for a bearer token. */
  readonly session?: { readonly expiresAtMs: number; isOpen(): Promise<boolean> }
}

export type Authentication =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly reason: 'missing' | 'invalid' }

/** Checks bearer tokens [API-6]; in constant time, and independent of their lengths and of which one fits. */
export function createAuthenticator(adminTokens: readonly string[]) {
  const expected = adminTokens.map(digest)
  return (request: FastifyRequest): Authentication => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ', 2)
    if (scheme?.toLowerCase() !== 'bearer' || token === undefined || token === '')
      return { ok: false, reason: 'missing' }
    const given = digest(token)
    const which = expected.reduce((found, one, at) => (timingSafeEqual(given, one) ? at : found), -1)
    return which >= 0 ? { ok: true, caller: { author: 0, key: `token ${which}` } } : { ok: false, reason: 'invalid' }
  }
}

/** The session cookie of a browser [SEC-66]; a bearer token beside it goes first. */
export function createSessionReader(sessions: SessionKeeper, isSecure: boolean) {
  return async (request: FastifyRequest): Promise<Authentication> => {
    const secret = readSessionCookie(request, isSecure)
    if (secret === undefined) return { ok: false, reason: 'missing' }
    const session = await sessions.find(secret)
    if (session === undefined) return { ok: false, reason: 'missing' }
    const { expiresAtMs } = session
    const caller = {
      author: 0,
      key: `session ${digest(secret).toString('base64url')}`,
      session: { expiresAtMs, isOpen: () => sessions.isOpen(secret) },
    }
    return { ok: true, caller }
  }
}

/** The `WWW-Authenticate` of a 401; the token is not echoed [API-10]. */
export function challenge(reason: 'missing' | 'invalid'): string {
  if (reason === 'missing') return 'Bearer realm="oauth"'
  return 'Bearer realm="oauth", error="invalid_token", error_description="Access token expired or unknown"'
}

/**
 * Asked for by a program of this machine itself: not through a proxy on it, nor by a page of elsewhere in a browser on it,
 * whose name was made to point here (DNS rebinding) and which would read the answer.
 * @param host the address or name that is listened on
 */
export function isOfThisMachine(request: FastifyRequest, host: string): boolean {
  return !isForwarded(request) && isOwnHost(request.raw, host) && loopback.includes(request.socket.remoteAddress ?? '')
}

const loopback = new Networks(['127.0.0.0/8', '::1'])

function isForwarded({ headers }: FastifyRequest): boolean {
  return Object.keys(headers).some((name) => /^(?:forwarded|via|x-forwarded-.*|x-real-ip)$/.test(name))
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}
