import type { ServerResponse } from 'node:http'
import { READY_RETRY_SECONDS, readinessOf } from '../lib/readiness.ts'
import { addCorsHeaders } from './answers.ts'
import type { Edge } from './edge.ts'
import type { EdgeRequest } from './edge-request.ts'

/** A status without a body. @param close ends the connection: its rest cannot be trusted, or is not worth reading */
export function sendNothing(
  status: number,
  response: ServerResponse,
  close: boolean,
  more: readonly string[] = [],
): void {
  const head = ['Content-Length', '0', 'Cache-Control', 'no-store', ...more]
  if (close) head.push('Connection', 'close')
  response.writeHead(status, head)
  response.end()
}

/** `/healthz`: the process turns. `/readyz`: it can do its work; 503 with the reasons otherwise [OPS-12], [SEC-86]. */
export function sendHealth(edge: Edge, name: 'healthz' | 'readyz', response: ServerResponse): void {
  const state = name === 'healthz' ? { status: 'ok' } : readinessOf(edge.ready())
  const isReady = state.status !== 'not_ready'
  const body = JSON.stringify(state)
  const head = ['Content-Type', 'application/json;charset=utf-8', 'Content-Length', String(Buffer.byteLength(body))]
  if (!isReady) head.push('Retry-After', READY_RETRY_SECONDS)
  response.writeHead(isReady ? 200 : 503, [...head, 'Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff'])
  response.end(body)
}

/**
 * Answers a preflight; nothing is processed [COL-10]. Pages add headers of their own to every request (tracing,
 * monitoring), and a browser sends nothing if one of them is not allowed. The names that are asked for are given back:
 * with credentials `*` would mean a header of that name.
 */
export function sendPreflight(edge: Edge, request: EdgeRequest, response: ServerResponse): void {
  const { headers } = request
  const head = [
    'Content-Length',
    '0',
    'Access-Control-Allow-Methods',
    'GET, POST, HEAD, OPTIONS',
    'Access-Control-Allow-Headers',
    ['Content-Type', ...namesOf(headers['access-control-request-headers'])].join(', '),
    'Access-Control-Max-Age',
    '86400',
    'Vary',
    'Access-Control-Request-Headers',
  ]
  // A public page may call an edge in a private network: visitors' browsers are whom it is for.
  if (headers['access-control-request-private-network'] === 'true') {
    head.push('Access-Control-Allow-Private-Network', 'true')
  }
  addCorsHeaders(edge, request, head)
  response.writeHead(200, head)
  response.end()
}

/** Header names of a list; what is none is left out. */
function namesOf(list: string | undefined): readonly string[] {
  const names = (list ?? '').split(',').map((name) => name.trim())
  return names.filter((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && name.toLowerCase() !== 'content-type')
}
