import { z } from 'zod'
import type { Routes } from './app.ts'
import { challenge, createAuthenticator, isOfThisMachine } from './auth.ts'
import type { AdminParts } from './parts.ts'
import { Problem } from './problem.ts'

/** What machines ask without signing in [OPS-12], [SEC-86], [SEC-87]. */
export const probeRoutes: Routes<Pick<AdminParts, 'ready' | 'metrics' | 'config'>> = (
  app,
  { ready, metrics, config },
) => {
  const isPublic = { isPublic: true }
  const authenticate = createAuthenticator(config.adminTokens)
  const Ready = z.object({ status: z.enum(['ready', 'not_ready']), reasons: z.array(z.string()) })
  const tags = ['Probes']

  app.get(
    '/healthz',
    { config: isPublic, schema: { tags, response: { 200: z.object({ status: z.literal('ok') }) } } },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    { config: isPublic, schema: { tags, response: { 200: Ready, 503: Ready } } },
    async (_request, reply) => {
      const reasons = [...(await ready())]
      if (reasons.length === 0) return { status: 'ready' as const, reasons }
      return reply
        .code(503)
        .header('retry-after', '1')
        .send({ status: 'not_ready' as const, reasons })
    },
  )

  const page = { config: isPublic, schema: { tags, produces: ['text/plain'], response: { 200: z.string() } } }
  app.get('/metrics', page, async (request, reply) => {
    if (!isOfThisMachine(request, config.host)) {
      const authentication = authenticate(request)
      if (!authentication.ok) {
        metrics.authFailure('metrics')
        reply.header('www-authenticate', challenge(authentication.reason))
        throw new Problem(
          401,
          'unauthorized',
          'A valid bearer token is needed, except for programs of this machine that ask localhost or 127.0.0.1 itself.',
        )
      }
    }
    const text = await metrics.text()
    return reply.type(metrics.contentType).serializer(String).send(text)
  })
}
