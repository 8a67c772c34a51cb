import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { freePort } from '../../src/testkit/free-port.ts'
import type { HostileReceiver } from './hostile-receivers.ts'

export interface StartedReceiver {
  readonly url: string
  /** Connections it took since the start. */
  accepted(): number
  /** Connections that are open now, as this side sees it. */
  open(): number
  /** Bytes that left it on the one connection that took the most. */
  takenMax(): number
  close(): Promise<void>
}

const sayOk = (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')

/** A receiver on a bare socket. */
export async function startHostile(receiver: HostileReceiver): Promise<StartedReceiver> {
  const { tls, connected, asked } = receiver
  const sockets = new Set<Socket>()
  let accepted = 0
  let takenMax = 0
  const server: Server =
    tls === undefined || tls === 'none'
      ? createServer((socket) => {
          connected?.(socket)
          if (asked !== undefined) socket.on('data', () => asked(socket))
          // Reads on, so that the end of the other side is seen.
          socket.resume()
        })
      : createTlsServer(tls, (socket) => {
          socket.on('error', () => {})
          socket.on('data', () => (asked ?? sayOk)(socket))
        })
  server.on('connection', (socket: Socket) => {
    accepted += 1
    sockets.add(socket)
    const timer = setInterval(() => {
      takenMax = Math.max(takenMax, socket.bytesWritten - socket.writableLength)
    }, 20)
    socket.on('error', () => {})
    socket.once('close', () => {
      clearInterval(timer)
      takenMax = Math.max(takenMax, socket.bytesWritten - socket.writableLength)
      sockets.delete(socket)
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/in`,
    accepted: () => accepted,
    open: () => sockets.size,
    takenMax: () => takenMax,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
