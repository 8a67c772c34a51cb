import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { randomEventId } from '../lib/random-ids.ts'
import type { EventId } from '../model/ids.ts'
import { clientAddress, handedOverAddress, obfuscated } from './client-address.ts'
import { type CookieScope, readCookies, type VisitorCookies } from './cookies.ts'
import type { Edge } from './edge.ts'
import type { HostFacts } from './hosts.ts'
import { emptyParameters, type Parameters, parseParameters } from './parse-query.ts'
import { isChildsPage } from './privacy-flags.ts'
import type { Route } from './routes.ts'
import { isVisitorEncrypted } from './visitor-scheme.ts'

/** One request as the edge works with it; headers and parameters still carry wire names. */
export interface EdgeRequest {
  readonly eventId: EventId
  readonly receivedAtMs: number
  readonly method: string
  /** Path and query, as they arrived. */
  readonly target: string
  readonly route: Route
  readonly headers: IncomingHttpHeaders
  /** Undefined without a usable `Host` header (100). */
  readonly host: HostFacts | undefined
  readonly cookies: VisitorCookies
  readonly parameters: Parameters
  /** The visitor's own connection is encrypted [SEC-99]. */
  readonly secure: boolean
  /** Address of the visitor, obfuscated on receipt [COL-220]; empty where a caller handed over none [COL-264]. */
  readonly address: string
  /** A listed server-to-server caller calls for somebody else [COL-264]. */
  readonly isOfCaller: boolean
  /** The body was larger than what is processed (900) [COL-15]. */
  oversize: boolean
  /** Why the body cannot be read, and the call with it (901). */
  bodyProblem: string | undefined
  /** Why the body was left alone, of a call that counts by its address (901). */
  unreadBody: string | undefined
}

export function readRequest(edge: Edge, message: IncomingMessage, target: string, route: Route): EdgeRequest {
  const { headers } = message
  const peer = message.socket.remoteAddress ?? ''
  const isProxied = edge.trustedProxies.includes(peer)
  const forwarded = isProxied ? forwardedOf(edge, headers) : undefined
  const host = edge.readHost(headers.host)
  let address = clientAddress(peer, forwarded, edge.trustedProxies)
  const isOfCaller = !edge.callers.isEmpty && isListedCaller(edge, message, address, host)
  // Its data centre is not the visitor's place: without an address from it there is none.
  if (isOfCaller) address = handedOverAddress(peer, forwardedOf(edge, headers), edge.trustedProxies) ?? ''

  const parameters = emptyParameters()
  const { limits } = edge.config
  if (route.pathStart < route.pathEnd) {
    parseParameters(target, route.pathStart, route.pathEnd, false, limits, parameters)
  }
  parseParameters(target, route.queryStart, target.length, true, limits, parameters)
  if (route.isRoot && parameters.signals.first('event') === '' && parameters.signals.all('event').join('') === '')
    parameters.signals.delete('event')

  return {
    eventId: randomEventId() as EventId,
    receivedAtMs: edge.clock(),
    method: message.method ?? '',
    target,
    route,
    headers,
    host,
    cookies: readCookies(headers.cookie),
    parameters,
    secure: isVisitorEncrypted(message, isProxied, edge.config),
    address: edge.config.obfuscation === 'all' ? obfuscated(address) : address,
    isOfCaller,
    oversize: false,
    bodyProblem: undefined,
    unreadBody: undefined,
  }
}

/** First value of a signal or a flag. */
export function firstValue(request: EdgeRequest, key: string): string | undefined {
  return request.parameters.signals.first(key)
}

export function wantsJson(request: EdgeRequest): boolean {
  return firstValue(request, 'd_rtbd') === 'json'
}

/** A child's page: no cookies of ours, no third-party syncs [COL-54]. */
export function isCoppa(request: EdgeRequest): boolean {
  return isChildsPage(request.parameters.privacy)
}

/** Page libraries and mobile SDKs stop for good at any status but 200 [COL-113]. */
export function needsStatus200(request: EdgeRequest): boolean {
  return request.route.name === 'id' || request.headers.origin !== undefined || request.parameters.signals.has('d_ptfm')
}

export function cookieScope(edge: Edge, request: EdgeRequest): CookieScope {
  return {
    domain: request.host?.cookieDomain ?? '',
    secure: request.secure,
    partitioned: edge.config.partitionedCookies,
  }
}

function forwardedOf(edge: Edge, headers: IncomingHttpHeaders): string | undefined {
  const forwarded = headers[edge.config.forwardedHeader]
  return Array.isArray(forwarded) ? forwarded.join(',') : forwarded
}

/** A caller counts for its own alias only: on any other host it is a visitor like all [COL-264]. */
function isListedCaller(edge: Edge, message: IncomingMessage, address: string, host: HostFacts | undefined): boolean {
  const label = host?.label ?? ''
  return edge.callers.hasAddress(address, label) || edge.callers.hasCertificateOf(message, label)
}
