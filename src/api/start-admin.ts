import type { AddressInfo } from 'node:net'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { listenerUrl } from '../lib/listener-url.ts'
import type { App } from './app.ts'
import { backupRoutes } from './backups.ts'
import { registerBodyGuard } from './body-guard.ts'
import { answerClientError, refuseTunnels } from './client-errors.ts'
import { clockRoutes } from './clock.ts'
import { dataSourceRoutes } from './data-sources.ts'
import { deliveryRoutes } from './deliveries.ts'
import { denyListRoutes } from './deny-list.ts'
import { destinationHealthRoutes } from './destination-health.ts'
import { destinationTypeRoutes } from './destination-types.ts'
import { destinationRoutes } from './destinations.ts'
import { createErrorHandler, registerItemCheck, sendProblem, validateBySchema } from './error-handler.ts'
import { folderRoutes } from './folders.ts'
import { addSecurityHeaders, registerGatekeeper } from './gatekeeper.ts'
import { registerJsonAnswers } from './json-answers.ts'
import { liveRoutes } from './live.ts'
import { mappingRoutes } from './mappings.ts'
import { mergeRuleRoutes } from './merge-rules.ts'
import { openapiRoutes, registerOpenapi } from './openapi.ts'
import { overviewRoutes } from './overview.ts'
import type { AdminParts } from './parts.ts'
import { probeRoutes } from './probes.ts'
import { Problem } from './problem.ts'
import { profileRoutes } from './profiles.ts'
import { regionRoutes } from './regions.ts'
import { replayRoutes } from './replays.ts'
import { newRequestId } from './request-id.ts'
import { searchRoutes } from './search.ts'
import { segmentRoutes } from './segments.ts'
import { sessionRoutes } from './session.ts'
import { createSessionKeeper, type SessionKeeper } from './session-keeper.ts'
import { testClockRoutes } from './test-clock.ts'
import { registerTextGuard } from './text-guard.ts'
import { traitRoutes } from './traits.ts'
import { isPageVisit, sendPage, uiRoutes } from './ui.ts'
import { verifyRoutes } from './verify.ts'

export interface Admin {
  readonly port: number
  /** `http://127.0.0.1:8081` */
  readonly url: string
  /** Who is signed in, and new links to do so. */
  readonly sessions: SessionKeeper
  /** Stops accepting, finishes what it accepted. */
  close(): Promise<void>
}

const BODY_BYTES_MAX = 1024 * 1024
/** Time for a request to arrive whole; a slow sender holds nothing longer. */
const REQUEST_TIMEOUT_MS = 60_000
const CLOSE_GRACE_MS = 3_000

/** Starts the admin listener: REST API, its description, the UI, probes, metrics. Source: spec/operating.md [OPS-11], [OPS-12]. */
export async function startAdmin(parts: AdminParts): Promise<Admin> {
  const { config, catalog, clock, log } = parts
  const handleError = createErrorHandler(log)
  const app = createApp(config.tls, (error, request, reply) => {
    // No hook has run: the address does not even decode. A person who opened it sees a page all the same.
    addSecurityHeaders(request, reply, config.tls !== undefined)
    return isPageVisit(request) ? sendPage(parts.uiFolder, reply.code(404)) : handleError(error, request, reply)
  })
  app.setValidatorCompiler(validateBySchema)
  app.setErrorHandler(handleError)
  app.setNotFoundHandler((request, reply) =>
    isPageVisit(request)
      ? sendPage(parts.uiFolder, reply.code(404))
      : sendProblem(request, reply, new Problem(404, 'not_found', 'There is no such path.')),
  )
  registerTextGuard(app)
  registerBodyGuard(app)
  registerItemCheck(app)
  registerJsonAnswers(app)
  const sessions = createSessionKeeper(catalog.sessions, clock.now)
  const isSecure = config.tls !== undefined || config.tlsEndedInFront === true
  registerGatekeeper(app, parts, { sessions, isSecure })
  registerRequestLog(app, parts)
  const openapi = registerOpenapi(app, parts.version)

  const now = clock.now
  probeRoutes(app, parts)
  openapiRoutes(app, openapi)
  sessionRoutes(app, { ...parts, sessions, isSecure })
  dataSourceRoutes(app, { catalog })
  folderRoutes(app, parts)
  traitRoutes(app, parts)
  segmentRoutes(app, parts)
  mergeRuleRoutes(app, parts)
  destinationRoutes(app, parts)
  destinationHealthRoutes(app, parts)
  destinationTypeRoutes(app, parts)
  mappingRoutes(app, { catalog, now })
  regionRoutes(app, {})
  deliveryRoutes(app, parts)
  replayRoutes(app, parts)
  profileRoutes(app, parts)
  searchRoutes(app, parts)
  denyListRoutes(app, parts)
  overviewRoutes(app, parts)
  liveRoutes(app, parts)
  verifyRoutes(app, parts)
  backupRoutes(app, parts)
  clockRoutes(app, parts)
  uiRoutes(app, parts.uiFolder)
  testClockRoutes(app, { clock, production: config.production })

  refuseTunnels(app.server)
  await app.listen({ host: config.host, port: config.port })
  const { port } = app.server.address() as AddressInfo
  return {
    port,
    url: listenerUrl(config.host, port, config.tls !== undefined),
    sessions,
    close: () => closeApp(app),
  }
}

type Answerer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

function createApp(tls: AdminParts['config']['tls'], frameworkErrors: Answerer): App {
  const options = {
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Also what fails before a route is found, as a path that does not decode.
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      void frameworkErrors(error, request, reply),
    clientErrorHandler: answerClientError,
    // Idle keep-alive connections must not hold up a shutdown.
    forceCloseConnections: 'idle',
    genReqId: newRequestId,
    // Some clients print /api/v1 [API-2]; a trailing slash is optional everywhere [API-3].
    rewriteUrl: (request: { url?: string | undefined }) => (request.url ?? '/').replace(/^\/api\/v1(?=[/?]|$)/, '/v1'),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1_024 },
  } as const
  const app = tls === undefined ? fastify(options) : fastify({ ...options, https: { cert: tls.cert, key: tls.key } })
  return app as unknown as App
}

/** What was accepted is finished; a connection that asks for nothing is not waited for. */
async function closeApp(app: App): Promise<void> {
  const force = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS)
  try {
    await app.close()
  } finally {
    clearTimeout(force)
  }
}

/** One wide line for each request [OPS-43]; ids of objects, never of people [SEC-88]. */
function registerRequestLog(app: App, { log, metrics }: Pick<AdminParts, 'log' | 'metrics'>): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.httpRequest(route, reply.statusCode, reply.elapsedTime / 1000)
    log.info('admin.request', {
      requestId: request.id,
      method: request.method,
      route,
      ...objectIds(request),
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
      author: request.caller.author,
      address: request.socket.remoteAddress,
    })
  })
}

const LOGGED_PARAMS = new Set([
  'dataSourceId',
  'folderId',
  'sid',
  'mergeRuleDataSourceId',
  'destinationId',
  'mappingId',
  'deliveryId',
])

function objectIds(request: FastifyRequest): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request.params ?? {}).filter(([name]) => LOGGED_PARAMS.has(name)))
}
