import { createServer } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerClientError } from '../../src/api/client-errors.ts'
import { DEFAULT_EDGE_CONFIG } from '../../src/collect/edge-config.ts'
import { startTestEdge, type TestEdge } from '../../src/collect/test-edge.conformance.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { startTestAdmin, TEST_TOKEN, type TestAdmin } from '../../src/testkit/start-test-admin.ts'
import { RawClient } from './raw-client.ts'

/**
 * A connection that ends says so. A client keeps every other one for its next request, which would be lost: each answer
 * of both listeners either carries `Connection: close` and the connection ends, or the next request is answered.
 */
let edge: TestEdge
let admin: TestAdmin
beforeAll(async () => {
  edge = await startTestEdge({ config: { limits: { ...DEFAULT_EDGE_CONFIG.limits, requestsPerSecondMax: 0 } } })
  admin = await startTestAdmin()
})
afterAll(async () => {
  await edge?.close()
  await admin?.[Symbol.asyncDispose]()
})

const portOf = (listener: string) => (listener === 'edge' ? edge.port : admin.admin.port)
const head = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, 'Host: a.example', `Authorization: Bearer ${TEST_TOKEN}`, ...headers].join('\r\n')}\r\n\r\n`
const JSON_TYPE = 'Content-Type: application/json'
const MIB = 1024 * 1024
const CHUNKED = 'Transfer-Encoding: chunked'

const requests: readonly (readonly [
  what: string,
  bytes: string,
  edgeStatus: number,
  adminStatus: number | undefined,
])[] = [
  ['NUL in a header', head('GET /event', 'X: a\0b'), 400, 400],
  ['a folded header', head('GET /event', 'X: 1', ' 2'), 400, 400],
  ['two lengths', head('POST /event', 'Content-Length: 1', 'Content-Length: 2'), 400, 400],
  ['length and chunks', head('POST /event', 'Content-Length: 1', CHUNKED), 400, 400],
  ['a broken chunk', `${head('POST /event', CHUNKED)}zz\r\n`, 400, 400],
  ['a broken chunk for the API', `${head('POST /v1/traits', CHUNKED, JSON_TYPE)}zz\r\n`, 404, 400],
  ['a version that is none', 'GET /event HTTP/9.9\r\nHost: a\r\n\r\n', 400, 400],
  ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 400],
  ['CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n', 400, 400],
  ['TRACE', head('TRACE /event'), 400, 404],
  ['PUT with a body', `${head('PUT /v1/traits', 'Content-Length: 2', JSON_TYPE)}{}`, 400, 404],
  ['the asterisk form', head('OPTIONS *'), 400, 404],
  ['a head of 40 KiB', head('GET /event', `X-Large: ${'x'.repeat(40_000)}`), 431, 431],
  ['a head of 17 KiB', head('GET /event', `X-Large: ${'x'.repeat(17_000)}`), 431, 431],
  ['150 headers', head('GET /healthz', ...Array.from({ length: 150 }, (_, at) => `X-${at}: 1`)), 431, 200],
  ['an address of 100 KB', head(`GET /event?${'a'.repeat(100_000)}`), 414, 431],
  ['an address of 9 KB', head(`GET /event?${'a'.repeat(9000)}`), 414, 404],
  ['a name in the path of 2 KB', head(`GET /v1/traits/${'a'.repeat(2000)}`), 404, 414],
  ['a path that does not decode', head('GET /v1/traits/%E0%A4%A'), 404, 400],
  ['a body over the limit, announced', head('POST /event', `Content-Length: ${MIB + 1}`), 413, undefined],
  ['a body over the limit for the API', head('POST /v1/traits', `Content-Length: ${MIB + 1}`, JSON_TYPE), 404, 413],
  [
    'chunks over the limit',
    `${head('POST /event', CHUNKED)}${`10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(17)}`,
    413,
    undefined,
  ],
  ['an encoding that is not read', `${head('POST /event', 'Content-Encoding: br', 'Content-Length: 1')}a`, 413, 404],
  ['a type that is not read', `${head('POST /v1/traits', 'Content-Type: text/xml', 'Content-Length: 1')}a`, 404, 415],
  ['broken JSON', `${head('POST /v1/traits', JSON_TYPE, 'Content-Length: 1')}{`, 404, 400],
  [
    'no token, and a body',
    `POST /v1/traits HTTP/1.1\r\nHost: a\r\n${JSON_TYPE}\r\nContent-Length: 2\r\n\r\n{}`,
    404,
    401,
  ],
  ['a body behind GET', `${head('GET /event', 'Content-Length: 3')}a=1`, 200, 404],
  ['nothing wrong', head('GET /healthz'), 200, 200],
]

test.each(
  requests.flatMap(([what, bytes, edgeStatus, adminStatus]) => [
    { what, listener: 'edge', bytes, status: edgeStatus },
    // Undefined: it waits for the rest of the body.
    ...(adminStatus === undefined ? [] : [{ what, listener: 'admin', bytes, status: adminStatus }]),
  ]),
)(
  '$what on the $listener listener is $status, and the next request is not lost [SEC-01] [SEC-04] [API-34]',
  async ({ listener, bytes, status }) => {
    const answer = await exchange(portOf(listener), bytes)
    expect(answer.status).toBe(status)
    if (answer.saysClose) expect(answer.next).toBe('closed')
    else expect(answer.next).toBe('200')
    if (listener === 'admin' && status >= 400) {
      const requestId = expect.stringMatching(/^rq_/)
      expect(JSON.parse(answer.body)).toMatchObject({
        code: expect.any(String),
        message: expect.any(String),
        requestId,
      })
    }
  },
)

interface Exchanged {
  readonly status: number
  readonly head: string
  readonly body: string
  readonly saysClose: boolean
  /** Status of the next request on the connection, or `closed`. */
  readonly next: string
}

/** Sends a request, reads its answer whole, and sends another as a client would that keeps the connection. */
function exchange(port: number, bytes: string): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let text = ''
    let isClosed = false
    let first: Omit<Exchanged, 'next'> | undefined
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => void socket.write(bytes, 'latin1'))
    const timer = setTimeout(() => reject(new Error(`no answer: ${JSON.stringify(text.slice(0, 200))}`)), 20_000)
    const finish = (next: string) => {
      clearTimeout(timer)
      socket.destroy()
      if (first === undefined) reject(new Error('closed without an answer'))
      else resolve({ ...first, next })
    }
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const answerHead = text.slice(0, end)
      const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(answerHead)?.[1] ?? 0)
      if (text.length < end + 4 + length) return
      if (first !== undefined) return finish(answerHead.slice(9, 12))
      const body = text.slice(end + 4, end + 4 + length)
      const saysClose = /\r\nconnection: *close/i.test(answerHead)
      first = { status: Number(answerHead.slice(9, 12)), head: answerHead, body, saysClose }
      text = ''
      if (saysClose && isClosed) finish('closed')
      else if (!saysClose) socket.write(head('GET /healthz'), () => {})
    })
    const onClose = () => {
      isClosed = true
      if (first !== undefined) finish('closed')
    }
    socket.on('end', onClose)
    socket.on('error', onClose)
    socket.on('close', () => finish('closed'))
  })
}

test('a request that does not arrive in time is 408, and the answer says that the connection ends [SEC-03] [API-34]', async () => {
  await using slow = await startTestEdge({
    config: { limits: { ...DEFAULT_EDGE_CONFIG.limits, headersTimeoutMs: 200, requestTimeoutMs: 300 } },
  })
  // The admin listener waits for a minute: its handler stands here on a server that does not.
  const server = createServer({ headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 100 })
  server.on('clientError', answerClientError)
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  try {
    for (const bytes of [
      'GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow:',
      'POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\na=',
    ])
      for (const on of [slow.port, port]) {
        const { status, saysClose, next } = await exchange(on, bytes)
        expect([status, saysClose, next]).toEqual([408, true, 'closed'])
      }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

test('a client that does not close after its last answer holds no slot [SEC-03]', async () => {
  await using small = await startTestEdge({
    config: { limits: { ...DEFAULT_EDGE_CONFIG.limits, connectionsPerAddressMax: 3 } },
  })
  for (const bytes of [
    'GET /event HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
    'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'PUT /event HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n',
    `POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: ${MIB + 1}\r\n\r\n`,
  ]) {
    const held = Array.from({ length: 3 }, () => {
      const socket = connect({ port: small.port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => {})
      socket.resume().write(bytes)
      return socket
    })
    const isServed = async () => {
      const client = new RawClient(small.port)
      const { status } = await client.exchange(Buffer.from(head('GET /healthz')), false)
      client.close()
      return status
    }
    await expect.poll(isServed, { timeout: 5_000, interval: 100 }).toBe(200)
    for (const socket of held) socket.destroy()
  }
})
