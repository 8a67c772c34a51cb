import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app.ts'
import { type Caller, challenge, createAuthenticator, createSessionReader } from './auth.ts'
import type { AdminParts } from './parts.ts'
import { Problem } from './problem.ts'
import { createRateLimiter } from './rate-limit.ts'
import { refuseForgery } from './session-cookie.ts'
import type { SessionKeeper } from './session-keeper.ts'
import { isPageVisit } from './ui.ts'

const REQUESTS_PER_SECOND = 100
const BURST_SECONDS = 10
const NOBODY: Caller = { author: -1, key: 'nobody' }

/** Stands before every route: who calls, how often, and the headers that every answer has. */
export function registerGatekeeper(
  app: App,
  { config, clock, metrics }: Pick<AdminParts, 'config' | 'clock' | 'metrics'>,
  { sessions, isSecure }: { readonly sessions: SessionKeeper; readonly isSecure: boolean },
): void {
  const perSecond = config.requestsPerSecond ?? REQUESTS_PER_SECOND
  const limiter = createRateLimiter({ perSecond, burst: config.requestBurst ?? perSecond * BURST_SECONDS })
  const authenticate = createAuthenticator(config.adminTokens)
  const readSession = createSessionReader(sessions, isSecure)

  const limit = (key: string, scope: 'token' | 'address', reply: FastifyReply) => {
    const verdict = limiter.take(key, clock.now())
    reply.header('x-ratelimit-limit', verdict.limit)
    reply.header('x-ratelimit-remaining', verdict.remaining)
    reply.header('x-ratelimit-reset', verdict.resetSeconds)
    if (verdict.allowed) return
    metrics.rateLimited(scope)
    reply.header('retry-after', verdict.retryAfterSeconds)
    throw new Problem(429, 'rate_limited', `Too many requests; try again in ${verdict.retryAfterSeconds} s.`)
  }

  app.decorateRequest('caller')
  app.addHook('onRequest', async (request: FastifyRequest, reply) => {
    request.caller = NOBODY
    addSecurityHeaders(request, reply, config.tls !== undefined)
    if (request.routeOptions.config.isPublic === true || (request.is404 && isPageVisit(request))) return
    const byToken = authenticate(request)
    const isByToken = byToken.ok || byToken.reason === 'invalid'
    const authentication = isByToken ? byToken : await readSession(request)
    if (!authentication.ok) {
      // Guesses are counted by address, so that they cannot use up what the token's owner may do.
      metrics.authFailure('token')
      limit(`address ${request.socket.remoteAddress}`, 'address', reply)
      reply.header('www-authenticate', challenge(authentication.reason))
      throw new Problem(401, 'unauthorized', 'A valid bearer token is needed.')
    }
    if (!isByToken) refuseForgery(request)
    request.caller = authentication.caller
    limit(request.caller.key, 'token', reply)
  })
}

/** [SEC-21]. Nothing here may be framed, sniffed, or read by another origin; there is no CORS [SEC-20]. */
export function addSecurityHeaders(request: FastifyRequest, reply: FastifyReply, hasTls: boolean): void {
  reply.header('x-request-id', request.id)
  reply.header('x-content-type-options', 'nosniff')
  reply.header('referrer-policy', 'no-referrer')
  reply.header('x-frame-options', 'DENY')
  reply.header('cache-control', 'no-store')
  reply.header('cross-origin-resource-policy', 'same-origin')
  reply.header(
    'content-security-policy',
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  if (hasTls) reply.header('strict-transport-security', 'max-age=31536000; includeSubDomains')
}
