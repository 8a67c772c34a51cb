import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ProblemBody } from '../contract.ts'
import { sendLastAnswer, statusOfClientError } from '../lib/last-answer.ts'
import { newRequestId } from './request-id.ts'

/** What was no request, in the form of every error [API-34]. */
const problems = {
  400: { code: 'invalid_request', message: 'This is no HTTP request that can be read.' },
  408: { code: 'request_timeout', message: 'The request did not arrive whole in time.' },
  431: { code: 'headers_too_large', message: 'Path and headers together are too large.' },
} as const

/** Answers what the HTTP parser refused, and what did not arrive in time; the connection ends, and the answer says so. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  refuse(socket, statusOfClientError(error))
}

/** Tunnels are nothing we do; without a listener Node closes a CONNECT without a word. */
export function refuseTunnels(server: Pick<Server, 'on'>): void {
  server.on('connect', (_request, socket) => refuse(socket, 400))
}

function refuse(socket: Duplex, status: keyof typeof problems): void {
  const requestId = newRequestId()
  const problem: ProblemBody = { ...problems[status], details: [], requestId }
  sendLastAnswer(socket, status, JSON.stringify(problem), [`X-Request-Id: ${requestId}`, 'Cache-Control: no-store'])
}
