import type { ServerResponse } from 'node:http'
import { READY_RETRY_SECONDS, readinessOf } from '../lib/readiness.ts'
import { addCorsHeaders } from './answers.ts'
import type { Edge } from './edge.ts'
import type { EdgeRequest } from './edge-request.ts'

/** A status without a body. @param close ends the connection: its rest cannot be trusted, or is not worth reading */
export function sendNothing(status: number, response: ServerResponse, close: boolean): void {
  const head = ['Content-Length', '0', 'Cache-Control', 'no-store']
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

/** Answers a preflight; nothing is processed [COL-10]. */
export function sendPreflight(edge: Edge, request: EdgeRequest, response: ServerResponse): void {
  const head = [
    'Content-Length',
    '0',
    'Access-Control-Allow-Methods',
    'GET, POST, HEAD, OPTIONS',
    'Access-Control-Allow-Headers',
    'Content-Type',
    'Access-Control-Max-Age',
    '86400',
  ]
  addCorsHeaders(edge, request, head)
  response.writeHead(200, head)
  response.end()
}
