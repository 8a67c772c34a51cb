import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** How long a client may take to read its last answer and close. */
const LINGER_MS = 1000

/**
 * Answers what was no HTTP, and ends the connection: says so, since a client that keeps it would lose its next request,
 * and holds no slot for one that does not close. What still comes in meanwhile is thrown away; with unread bytes the
 * system would reset the connection, and the answer with it.
 * @param body JSON, if there is one
 */
export function sendLastAnswer(socket: Duplex, status: number, body = '', headers: readonly string[] = []): void {
  // The parser reports again with each further piece: that one is under way already.
  if (socket.writableEnded) return
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const type = body === '' ? [] : ['Content-Type: application/json; charset=utf-8']
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...type,
    ...headers,
  ]
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
  socket.on('error', () => socket.destroy())
  socket.resume()
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** The status for what Node's parser or its timers report. */
export function statusOfClientError({ code }: NodeJS.ErrnoException): 400 | 408 | 431 {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408
  return code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
}
