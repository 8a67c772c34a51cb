import { z } from 'zod'
import { READY_RETRY_SECONDS, readinessOf } from '../lib/readiness.ts'
import type { Routes } from './app.ts'
import { challenge, createAuthenticator, isOfThisMachine } from './auth.ts'
import { operationsOf } from './operation-words.ts'
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
  const says = operationsOf('Probes')

  app.get(
    '/healthz',
    {
      config: isPublic,
      schema: {
        ...says('Is the process alive?', 'Always `ok` while it answers; says nothing of what it can do.'),
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      config: isPublic,
      schema: {
        ...says(
          'Can the process do its work?',
          '200, or 503 with the names of the checks that fail. The same on the collection edge.',
        ),
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const { status, reasons } = readinessOf(await ready())
      if (status === 'not_ready') reply.code(503).header('retry-after', READY_RETRY_SECONDS)
      return reply.send({ status, reasons: [...reasons] })
    },
  )

  const page = {
    config: isPublic,
    schema: {
      ...says(
        'Read the metrics',
        'In the text format of Prometheus. From this machine without signing in, from elsewhere with a token.',
      ),
      produces: ['text/plain'],
      response: { 200: z.string() },
    },
  }
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
