import { SessionRequest, SessionView, SetupLink } from '../contract.ts'
import { isoTime } from '../model/time.ts'
import { NoContent, type Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { AdminParts } from './parts.ts'
import { Problem } from './problem.ts'
import { createRateLimiter } from './rate-limit.ts'
import { readSessionCookie, refuseOtherOrigin, sessionCookie } from './session-cookie.ts'
import type { SessionKeeper } from './session-keeper.ts'

/** Tries of a set-up link from one address: ten at once, then one in five seconds [SEC-65], [SEC-72]. */
const TRIES = { perSecond: 0.2, burst: 10 }

/** Routes under `/v1/session`: sign in by a one-time link, see, sign out. Source: operating.md [OPS-22], [SEC-66]. */
export const sessionRoutes: Routes<
  Pick<AdminParts, 'clock' | 'metrics'> & { readonly sessions: SessionKeeper; readonly isSecure: boolean }
> = (app, { sessions, isSecure, clock, metrics }) => {
  const says = operationsOf('Session')
  const tries = createRateLimiter(TRIES)

  app.post(
    '/v1/session',
    {
      config: { isPublic: true },
      schema: {
        ...says(
          'Sign in',
          'Exchanges the token of a one-time set-up link for a session cookie. The link is worth nothing afterwards.',
        ),
        body: SessionRequest,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      refuseOtherOrigin(request)
      const verdict = tries.take(`address ${request.socket.remoteAddress}`, clock.now())
      if (!verdict.allowed) {
        metrics.rateLimited('sign_in')
        reply.header('retry-after', verdict.retryAfterSeconds)
        throw new Problem(429, 'rate_limited', `Too many tries; try again in ${verdict.retryAfterSeconds} s.`)
      }
      const secret = await sessions.open(request.body.setupToken)
      if (secret === undefined) {
        metrics.authFailure('setup_link')
        throw new Problem(
          401,
          'setup_link_invalid',
          'This link was used, has expired or is not of this server. Get a new one on its machine with: bin/usher link',
        )
      }
      return reply.code(204).header('set-cookie', sessionCookie(secret, isSecure)).send()
    },
  )

  app.get(
    '/v1/session',
    {
      schema: {
        ...says('Show the session', 'Who is signed in with the cookie, and until when at the latest.'),
        response: { 200: SessionView },
      },
    },
    async (request) => {
      const { session } = request.caller
      if (session === undefined)
        throw new Problem(401, 'no_session', 'A bearer token is no session; there is none here.')
      return { user: { name: 'Administrator' }, expiresAt: isoTime(session.expiresAtMs) }
    },
  )

  app.delete(
    '/v1/session',
    { schema: { ...says('Sign out', 'Ends the session and removes its cookie.'), response: { 204: NoContent } } },
    async (request, reply) => {
      const secret = readSessionCookie(request, isSecure)
      if (secret !== undefined) await sessions.close(secret)
      return reply.code(204).header('set-cookie', sessionCookie('', isSecure)).send()
    },
  )

  app.post(
    '/v1/session/links',
    {
      schema: {
        ...says(
          'Make a set-up link',
          'A one-time link for a browser, with the bearer token only. `usher link` prints it.',
        ),
        response: { 200: SetupLink },
      },
    },
    async (request) => {
      // Who has only borrowed a session cannot make it last.
      if (request.caller.session !== undefined)
        throw new Problem(403, 'token_needed', 'A new link is made with a bearer token only: bin/usher link')
      return sessions.newLink()
    },
  )
}
