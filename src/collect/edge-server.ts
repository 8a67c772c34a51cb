import { createServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { setTimeout as setTimeoutOf } from 'node:timers/promises'
import { listenerUrl } from '../lib/listener-url.ts'
import { answerParserErrors, limitConnections } from './connections.ts'
import { createEdge, type Edge, type EdgeParts } from './edge.ts'
import type { EdgeConfig } from './edge-config.ts'
import { type Load, serveRequest } from './serve-request.ts'

export interface RunningEdge {
  readonly port: number
  /** Address without a trailing slash. */
  readonly url: string
  /** Stops accepting and resolves when everything that was accepted is answered [SEC-89]. */
  close(): Promise<void>
}

/** Longest wait for clients that read slowly, before their connections are cut. */
const CLOSE_TIMEOUT_MS = 8000
/** How often the parser's time-outs are checked [SEC-03]. */
const TIMEOUT_CHECK_MS = 1000
const SWEEP_MS = 50

/**
 * Opens the public collection edge on bare `node:http`. Source: spec/collection.md; spec/security.md section 2.
 * @throws the listener's error when the port cannot be had
 */
export async function startEdge(parts: EdgeParts): Promise<RunningEdge> {
  const edge = createEdge(parts)
  const { config } = parts
  const load: Load = { inFlight: 0, isClosing: false }
  const server = createHttpServer(edge)
  server.keepAliveTimeout = config.limits.keepAliveTimeoutMs
  // One more than is allowed, so that the surplus is seen and not silently cut.
  server.maxHeadersCount = config.limits.headersMax + 1
  server.on('request', (message, response) => {
    void serveRequest(edge, load, message, response)
  })
  limitConnections(edge, server)
  answerParserErrors(edge, server)
  await listen(server, config)
  const port = portOf(server)
  return {
    port,
    url: listenerUrl(config.host, port, config.tls !== undefined),
    close: () => close(server, load),
  }
}

function createHttpServer({ config, callers }: Edge): Server {
  const { limits, tls } = config
  const options: ServerOptions = {
    // A missing Host has a documented answer of its own (100) [COL-04].
    requireHostHeader: false,
    maxHeaderSize: limits.urlBytesMax + limits.headerBytesMax + 1024,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    insecureHTTPParser: false,
    noDelay: true,
  }
  if (tls === undefined) return createServer(options)
  // Callers are known by the certificate itself, so nobody has to vouch for it; visitors have none, and none is needed.
  const requestCert = callers.haveCertificates
  return createTlsServer({ ...options, cert: tls.cert, key: tls.key, requestCert, rejectUnauthorized: false })
}

function listen(server: Server, config: EdgeConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: config.port, host: config.host, backlog: 1024 }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function close(server: Server, load: Load): Promise<void> {
  load.isClosing = true
  const deadlineMs = performance.now() + CLOSE_TIMEOUT_MS
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection becomes idle when its answer is written; Node itself looks only once.
  const sweep = setInterval(() => {
    if (performance.now() < deadlineMs) server.closeIdleConnections()
    else server.closeAllConnections()
  }, SWEEP_MS)
  await closed
  clearInterval(sweep)
  // Calls whose client has gone are finished as well.
  while (load.inFlight > 0 && performance.now() < deadlineMs) await setTimeoutOf(SWEEP_MS)
}
