import type { Socket } from 'node:net'
import { type buildConnector, Client, type Dispatcher } from 'undici'

/** How far the answer to a request has come, for those whose answer is awaited. */
export const awaited = new WeakMap<Dispatcher.DispatchOptions, { hasHead: boolean }>()

/** Status line, interim answers and headers as they come over the wire; undici itself counts names and values alone. */
const HEAD_WIRE_BYTES_MAX = 32 * 1024
/** A whole answer over the wire: 64 KiB of body in chunks of a few bytes, and then some. */
const ANSWER_WIRE_BYTES_MAX = 512 * 1024

/**
 * A client of undici, one request at a time, that keeps two promises undici does not: it connects only while a request
 * waits (undici makes a new connection, used by nobody, for each request that was given up), and it reads no more of an
 * answer than the bounds above, also where they are filled with what undici does not count: a status line, interim
 * answers, chunk extensions. Source: security.md SEC-27.
 */
export function boundedClient(origin: URL, options: Client.Options, connect: buildConnector.connector): Client {
  let latest: Dispatcher.DispatchOptions | undefined
  let socket: Socket | undefined
  let readBefore = 0
  const progress = () => latest && awaited.get(latest)

  const client = new Client(origin, {
    ...options,
    connect(target, done) {
      if (progress() === undefined) return done(new Error('no request waits any more'), null)
      connect(target, (error, connected) => {
        if (error !== null) return done(error, null)
        done(null, connected)
        socket = connected
        readBefore = connected.bytesRead
        // Added after that of undici, which has read and judged what came.
        connected.on('readable', () => check(connected))
      })
    },
  })
  const dispatch = client.dispatch.bind(client)
  client.dispatch = (request, handler) => {
    latest = request
    readBefore = socket?.bytesRead ?? 0
    return dispatch(request, handler)
  }

  function check(connected: Socket): void {
    const answer = progress()
    const bytesMax = answer?.hasHead === true ? ANSWER_WIRE_BYTES_MAX : HEAD_WIRE_BYTES_MAX
    if (answer !== undefined && connected.bytesRead - readBefore > bytesMax) {
      connected.destroy(Object.assign(new Error('answer too large'), { code: 'UND_ERR_HEADERS_OVERFLOW' }))
    }
  }
  return client
}
