import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, addCorsHeaders, sendAnswer } from './answers.ts'
import { addBody } from './body-parameters.ts'
import { sendDest5 } from './dest5.ts'
import type { Edge } from './edge.ts'
import { type EdgeRequest, readRequest, wantsJson } from './edge-request.ts'
import { callError } from './error-codes.ts'
import { serveOptOut, serveOptOutStatus } from './opt-out.ts'
import { serveOptOutToken } from './opt-out-tools.ts'
import { isWithdrawal } from './page-consent.ts'
import { refuseProtocol } from './protocol-limits.ts'
import { readBody } from './read-body.ts'
import { hashOf } from './request-counter.ts'
import { originForm, type Route, routeOf } from './routes.ts'
import { serveCall, shedAnswer } from './serve-call.ts'
import { sendHealth, sendNothing, sendPreflight } from './small-answers.ts'
import { sendTag } from './tag-script.ts'

/** What the listener is doing now. */
export interface Load {
  /** Requests being processed, so that too many can be shed. */
  inFlight: number
  /** Set once the listener stops: answers then end their connections. */
  isClosing: boolean
}

/** One request from its head to its answer. Never throws and never rejects: nothing it is sent can stop the process [SEC-12]. */
export async function serveRequest(
  edge: Edge,
  load: Load,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedMs = performance.now()
  let route: Route | undefined
  let sent: Sent = NOTHING_SENT
  load.inFlight++
  if (load.isClosing) response.shouldKeepAlive = false
  try {
    const target = originForm(message.url ?? '')
    const refusal = refuseProtocol(edge.config.limits, message)
    route = routeOf(target)
    if (refusal !== undefined) {
      edge.events.onRejected?.(refusal.reason)
      refuse(edge, message, response, refusal.status)
    } else sent = await serveRoute(edge, load, message, response, target, route)
  } catch (error) {
    edge.events.onFault?.(error, sent.eventId)
    answerFault(edge, message, response)
  } finally {
    load.inFlight--
  }
  edge.events.onRequest?.({
    route: route?.name ?? 'unknown',
    status: response.statusCode,
    durationMs: performance.now() - startedMs,
    codes: sent.codes,
    eventId: sent.eventId,
  })
}

interface Sent {
  readonly codes: readonly number[]
  readonly eventId: string
}

const NO_BODY: ReadonlySet<string> = new Set(['dest5', 'tag', 'healthz', 'readyz', 'unknown'])

const NOTHING_SENT: Sent = { codes: [], eventId: '' }
const DONE = Promise.resolve(NOTHING_SENT)

function serveRoute(
  edge: Edge,
  load: Load,
  message: IncomingMessage,
  response: ServerResponse,
  target: string,
  route: Route,
): Promise<Sent> {
  // A body where none belongs is not waited for.
  if (hasBody(message) && (message.method !== 'POST' || NO_BODY.has(route.name))) {
    edge.events.onRejected?.('body_unexpected')
    response.shouldKeepAlive = false
  }
  if (route.name === 'healthz' || route.name === 'readyz') {
    sendHealth(edge, route.name, response)
    return DONE
  }
  if (route.name === 'unknown' || (route.name === 'optout_token' && edge.optOutTools.isEmpty)) {
    sendNothing(404, response, hasBody(message))
    return DONE
  }
  const request = readRequest(edge, message, target, route)
  if (message.method === 'OPTIONS') sendPreflight(edge, request, response)
  else if (route.name === 'dest5') sendDest5(request.secure, response)
  else if (route.name === 'tag') sendTag(edge, request, response)
  else return serveCollection(edge, load, message, response, request)
  return DONE
}

async function serveCollection(
  edge: Edge,
  load: Load,
  message: IncomingMessage,
  response: ServerResponse,
  request: EdgeRequest,
): Promise<Sent> {
  let answer = admitLoad(edge, load, request)
  if (answer === undefined && request.method === 'POST') {
    const body = await readBody(message, edge.config.limits)
    if (body.status === 'aborted') return NOTHING_SENT
    if (body.status === 'refused') {
      edge.events.onRejected?.(body.reason)
      refuse(edge, message, response, 413)
      return { codes: [], eventId: request.eventId }
    }
    if (body.status === 'malformed') request.parameters.malformed = true
    else addBody(request, body.bytes, body.oversize, edge.config.limits)
  }
  answer ??= await answerOf(edge, request)
  if (request.parameters.dropped > 0) edge.events.onRejected?.('parameters')
  for (const error of answer.errors) edge.events.onRejected?.(String(error.code))
  sendAnswer(edge, request, answer, response)
  return { codes: answer.errors.map((error) => error.code), eventId: request.eventId }
}

/** Over a limit of the protocol; a page that sent too much is to see the status. */
function refuse(edge: Edge, message: IncomingMessage, response: ServerResponse, status: number): void {
  const cors: string[] = []
  addCorsHeaders(edge, message, cors)
  sendNothing(status, response, true, cors)
}

function answerOf(edge: Edge, request: EdgeRequest): Promise<Answer> {
  switch (request.route.name) {
    case 'optout':
      return serveOptOut(edge, request)
    case 'optout_token':
      return Promise.resolve(serveOptOutToken(edge, request))
    case 'optout_status':
      return serveOptOutStatus(edge, request)
    default:
      return serveCall(edge, request)
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Share of `inFlightMax` at which a kind of call is shed: least important first, opt-outs never [SEC-11]. */
const SYNC_SHARE = 0.8
const PIXEL_SHARE = 0.9

/** An answer without processing: too many requests from one address, or too many in work. */
function admitLoad(edge: Edge, load: Load, request: EdgeRequest): Answer | undefined {
  const { name } = request.route
  if (name === 'optout' || name === 'optout_token' || name === 'optout_status') return undefined
  if (isWithdrawal(request)) return undefined
  const { requestsPerSecondMax, inFlightMax } = edge.config.limits
  // Calls without an address of their visitor, as some callers make, are of many.
  if (requestsPerSecondMax > 0 && request.address !== '') {
    const rate = edge.requestRates.add(hashOf(0, request.address), request.receivedAtMs)
    if (rate > requestsPerSecondMax) return limited(edge, request, 'rate_limited')
  }
  const share = name === 'sync' ? SYNC_SHARE : wantsJson(request) || name === 'id' ? 1 : PIXEL_SHARE
  return edge.overloaded() || load.inFlight > inFlightMax * share ? limited(edge, request, 'shed') : undefined
}

function limited(edge: Edge, request: EdgeRequest, reason: string): Answer {
  edge.events.onRejected?.(reason)
  return shedAnswer(edge, request)
}

/** Our own mistake: 200 with error 0 and, on `/id`, the object page libraries need; never a stack trace [SEC-02]. */
function answerFault(edge: Edge, message: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const isId = (message.url ?? '').startsWith('/id')
  const error = callError(0)
  const body = isId ? JSON.stringify({ error_msg: error.msg }) : JSON.stringify({ stuff: [], errors: [error] })
  const head = ['Content-Type', 'application/json;charset=utf-8', 'Content-Length', String(body.length), 'X-Error', '0']
  addCorsHeaders(edge, message, head)
  response.writeHead(200, head)
  response.end(body)
}
