import type { FastifyRequest } from 'fastify'
import { CSRF_HEADER } from '../contract.ts'
import { Problem } from './problem.ts'
import { SESSION_MS } from './session-keeper.ts'

const NAME = 'usher_session'
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** With TLS the name binds the cookie to this very host; browsers refuse that prefix on plain HTTP [SEC-19]. */
function nameOf(isSecure: boolean): string {
  return isSecure ? `__Host-${NAME}` : NAME
}

/** Value of `Set-Cookie`. @param secret the empty string takes the cookie away */
export function sessionCookie(secret: string, isSecure: boolean): string {
  const maxAge = secret === '' ? 0 : SESSION_MS / 1000
  return `${nameOf(isSecure)}=${secret}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

/** @returns undefined without the cookie */
export function readSessionCookie(request: FastifyRequest, isSecure: boolean): string | undefined {
  const prefix = `${nameOf(isSecure)}=`
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const pair = part.trim()
    if (pair.startsWith(prefix) && pair.length > prefix.length) return pair.slice(prefix.length)
  }
  return undefined
}

/**
 * A change that the browser signs with the cookie must come from our own page: it carries a header that no form can, and
 * the browser says that it is of the same origin [SEC-66]. @throws Problem 403
 */
export function refuseForgery(request: FastifyRequest): void {
  if (SAFE_METHODS.has(request.method)) return
  if (request.headers[CSRF_HEADER] !== '1')
    throw new Problem(
      403,
      'csrf_header_missing',
      `A change with the session cookie needs the header ${CSRF_HEADER}: 1.`,
    )
  refuseOtherOrigin(request)
  if (request.headers['sec-fetch-site'] === undefined && request.headers.origin === undefined)
    throw new Problem(403, 'origin_unknown', 'A change with the session cookie needs Sec-Fetch-Site or Origin.')
}

/** Where the browser says who asks, it must be our own page. @throws Problem 403 */
export function refuseOtherOrigin(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  // What the browser says of the site is sure; behind a proxy the host that we see may be another than the page's.
  const isOurs =
    site === undefined ? origin === undefined || hostOf(origin) === request.headers.host : site === 'same-origin'
  if (!isOurs) throw new Problem(403, 'origin_refused', 'Only pages of this server may do this in a session.')
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
