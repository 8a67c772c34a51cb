import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import type { LiveFeed } from '../lib/live-feed.ts'
import type { Routes } from './app.ts'
import { createBoundedWriter } from './bounded-writer.ts'
import { operationsOf } from './operation-words.ts'
import { Problem } from './problem.ts'

const HEARTBEAT_MS = 15_000
/** How long a stream may outlive the session it was opened with. */
const SESSION_CHECK_MS = 2_000
const RETRY_AFTER_SECONDS = 10

/** `GET /v1/live`: server-sent events, `rates` each second and a sample of what happens [OPS-45]. */
export const liveRoutes: Routes<{ live: Pick<LiveFeed, 'subscribe'> }> = (app, { live }) => {
  const streams = new Set<ServerResponse>()
  const words = operationsOf('Overview')(
    'Watch what happens',
    'Server-sent events: `rates` each second, and a sample of at most 20 events, membership changes and deliveries a second.',
  )
  const schema = { ...words, produces: ['text/event-stream'], response: { 200: z.string() } }

  app.get('/v1/live', { schema, exposeHeadRoute: false }, (request, reply) => {
    const { session } = request.caller
    const response = reply.raw
    const timers: NodeJS.Timeout[] = []
    const write = createBoundedWriter(response)
    const unsubscribe = live.subscribe(write)
    if (unsubscribe === undefined) {
      reply.header('retry-after', RETRY_AFTER_SECONDS)
      throw new Problem(503, 'too_many_streams', 'Too many live streams are open; close one, or try again later.')
    }
    reply.hijack()
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) response.setHeader(name, value)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    response.write(': live\n\n')
    streams.add(response)
    timers.push(setInterval(() => write(': still here\n\n'), HEARTBEAT_MS))
    if (session !== undefined) {
      const endWithSession = async () => {
        if (!(await session.isOpen())) response.end()
      }
      timers.push(setInterval(() => void endWithSession().catch(() => response.end()), SESSION_CHECK_MS))
    }
    response.on('close', () => {
      unsubscribe()
      streams.delete(response)
      for (const timer of timers) clearInterval(timer)
    })
  })

  // An open stream would hold up the end of the server for ever.
  app.addHook('preClose', async () => {
    for (const response of streams) response.end()
  })
}
