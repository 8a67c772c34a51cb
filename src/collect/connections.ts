import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { sendLastAnswer, statusOfClientError } from '../lib/last-answer.ts'
import type { Edge } from './edge.ts'

/**
 * Limits connections, in all and for each address; one too many is closed before anything is parsed [SEC-03]. Trusted
 * proxies stand for many visitors and are not limited.
 */
export function limitConnections(edge: Edge, server: Server): void {
  const { connectionsMax, connectionsPerAddressMax } = edge.config.limits
  const counts = new Map<string, number>()
  server.maxConnections = connectionsMax
  server.on('drop', () => edge.events.onRejected?.('connections'))
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    if (edge.trustedProxies.includes(address)) return
    const count = (counts.get(address) ?? 0) + 1
    if (count > connectionsPerAddressMax) {
      edge.events.onRejected?.('connections_per_address')
      socket.destroy()
      return
    }
    counts.set(address, count)
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1
      if (left === 0) counts.delete(address)
      else counts.set(address, left)
    })
  })
}

/** Answers what the HTTP parser refused, and closes. */
export function answerParserErrors(edge: Edge, server: Server): void {
  server.on('clientError', (error: ClientError, socket) => {
    if (socket.writableEnded) return
    const status = statusOf(error, edge.config.limits.urlBytesMax)
    if (error.code !== 'ECONNRESET') edge.events.onRejected?.(`http_${status}`)
    sendLastAnswer(socket, status)
  })
  // Tunnels and protocol switches are nothing we do; without listeners Node closes a CONNECT without a word.
  server.on('connect', (_request, socket) => {
    edge.events.onRejected?.('method')
    sendLastAnswer(socket, 400)
  })
}

type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer }

function statusOf(error: ClientError, urlBytesMax: number): number {
  const status = statusOfClientError(error)
  if (status !== 431) return status
  // The overflow may lie in the request line: then it is the address that is too long.
  const lineEnd = error.rawPacket?.indexOf('\r\n') ?? 0
  return lineEnd < 0 || lineEnd > urlBytesMax ? 414 : 431
}
