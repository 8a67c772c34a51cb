import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { freePort } from '../../testkit/free-port.ts'
import type { Lookup } from './checked-connector.ts'
import { type Egress, type EgressOptions, type EgressRequest, openEgress } from './egress.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function open(options: Partial<EgressOptions> = {}): Egress {
  const egress = openEgress({ allowPrivate: true, ownListeners: [], ...options })
  cleanups.push(() => egress.close())
  return egress
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  const port = await freePort()
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return port
}

const http = (listener: RequestListener) => listen(createHttpServer(listener))
/** Writes raw bytes as the answer to whatever comes. */
const raw = (answer: (socket: Socket) => void) =>
  listen(createTcpServer((socket) => socket.on('error', () => {}).once('data', () => answer(socket))))

function post(url: string, more: Partial<EgressRequest> = {}): EgressRequest {
  return {
    url,
    method: 'POST',
    headers: [['Content-Type', 'application/json']],
    body: '{}',
    timeoutMs: 2_000,
    poolKey: 'd1',
    ...more,
  }
}

/** Resolves every name to what the test says, one answer after another; the last one repeats. */
function names(...answers: string[][]): Lookup & { asked: string[] } {
  const asked: string[] = []
  const lookup: Lookup = (hostname, done) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? []
    asked.push(hostname)
    setImmediate(() =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    )
  }
  return Object.assign(lookup, { asked })
}

test('sends the bytes it was given and reads the answer', async () => {
  const seen: unknown[] = []
  const port = await http((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push([request.method, request.url, request.rawHeaders, Buffer.concat(chunks).toString()])
      response.writeHead(200, { 'X-Answer': ['a', 'b'] }).end('fine')
    })
  })
  const answer = await open().request(
    post(`http://127.0.0.1:${port}/in?a=%2F`, {
      headers: [
        ['X-Signature', 'old'],
        ['X-Signature', 'new'],
      ],
      body: '{"ä":1}',
    }),
  )
  expect(answer).toMatchObject({ status: 'answered', httpStatus: 200, isCut: false })
  expect(answer.status === 'answered' && [answer.body.toString(), answer.headers['x-answer']]).toEqual(['fine', 'a, b'])
  expect(seen).toEqual([
    [
      'POST',
      '/in?a=%2F',
      [
        'host',
        `127.0.0.1:${port}`,
        'connection',
        'keep-alive',
        'X-Signature',
        'old',
        'X-Signature',
        'new',
        'content-length',
        '8',
      ],
      '{"ä":1}',
    ],
  ])
})

test('private targets, schemes and ports are refused before a name is asked [SEC-24] [SEC-25~] [OUT-20]', async () => {
  const lookup = names(['8.8.8.8'])
  const egress = open({ allowPrivate: false, lookup })
  const detail = async (url: string) => {
    const answer = await egress.request(post(url))
    return answer.status === 'not_sent' ? [answer.error, answer.detail] : answer.status
  }
  expect(await detail('http://partner.test/in')).toEqual(['egress_denied', 'scheme_not_allowed'])
  expect(await detail('https://partner.test:25/in')).toEqual(['egress_denied', 'port_not_allowed'])
  expect(await detail('https://127.0.0.1/in')).toEqual(['egress_denied', 'private_address'])
  expect(await detail('https://[::ffff:169.254.169.254]/in')).toEqual(['egress_denied', 'reserved_address'])
  expect(await detail('https://u:p@partner.test/in')).toEqual(['egress_denied', 'url_invalid'])
  expect(lookup.asked).toEqual([])
})

test('one private address among public ones denies the name [SEC-23]', async () => {
  const egress = open({ allowPrivate: false, lookup: names(['93.184.215.14', '10.0.0.7']) })
  expect(await egress.request(post('https://partner.test/in'))).toMatchObject({
    status: 'not_sent',
    error: 'egress_denied',
    detail: 'private_address',
  })
})

test('the name is asked once for each connection, and each answer is checked [SEC-23]', async () => {
  const port = await http((_request, response) => response.setHeader('connection', 'close').end())
  // The second answer points elsewhere: it is checked like the first and refused, never connected to.
  const lookup = names(['127.0.0.1'], ['169.254.169.254'])
  const egress = open({ lookup })
  const url = `http://partner.test:${port}/in`
  expect(await egress.request(post(url))).toMatchObject({ status: 'answered', httpStatus: 200 })
  expect(lookup.asked).toEqual(['partner.test'])
  expect(await egress.request(post(url))).toMatchObject({ error: 'egress_denied', detail: 'reserved_address' })
  expect(lookup.asked).toEqual(['partner.test', 'partner.test'])
})

test('exactly the exempt host and port may be reached without the development switch [OPS-25]', async () => {
  const port = await http((_request, response) => response.end())
  const egress = open({ allowPrivate: false, allowedTargets: [`127.0.0.1:${port}`] })
  expect(await egress.request(post(`http://127.0.0.1:${port}/`))).toMatchObject({ httpStatus: 200 })
  expect(await egress.request(post(`http://127.0.0.1:${port + 1}/`))).toMatchObject({ error: 'egress_denied' })
  expect(await egress.request(post(`http://127.0.0.2:${port}/`))).toMatchObject({ error: 'egress_denied' })
})

test('our own listener is never a destination [SEC-24]', async () => {
  const port = await http((_request, response) => response.end())
  const egress = open({ ownListeners: [{ host: '127.0.0.1', port }] })
  expect(await egress.request(post(`http://localhost:${port}/`))).toMatchObject({
    error: 'egress_denied',
    detail: 'own_listener',
  })
})

test('a redirect is an answer and is not followed [SEC-26]', async () => {
  const paths: (string | undefined)[] = []
  const port = await http((request, response) => {
    paths.push(request.url)
    response.writeHead(307, { location: '/other' }).end()
  })
  expect(await open().request(post(`http://127.0.0.1:${port}/in`))).toMatchObject({
    status: 'answered',
    httpStatus: 307,
  })
  expect(paths).toEqual(['/in'])
})

test('headers without end stop at 16 KiB [SEC-27]', async () => {
  const port = await raw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const timer = setInterval(() => socket.write(`x-filler: ${'a'.repeat(4_000)}\r\n`), 1)
    socket.on('close', () => clearInterval(timer))
  })
  expect(await open().request(post(`http://127.0.0.1:${port}/`))).toMatchObject({
    status: 'unknown',
    error: 'response_head_too_large',
  })
})

test('a body is read to 64 KiB and no further; the status counts [SEC-27] [OUT-21]', async () => {
  const port = await http((_request, response) => {
    const write = () => response.write(Buffer.alloc(20_000, 0x61), (error) => error ?? setTimeout(write, 1))
    write()
  })
  const answer = await open().request(post(`http://127.0.0.1:${port}/`))
  expect(answer).toMatchObject({ status: 'answered', httpStatus: 200, isCut: true })
  expect(answer.status === 'answered' && answer.body.length).toBe(64 * 1024)
})

test('a slow body ends at the deadline with what came; the status counts [SEC-27] [OUT-22]', async () => {
  const port = await http((_request, response) => response.write('begun'))
  const answer = await open().request(post(`http://127.0.0.1:${port}/`, { timeoutMs: 1_000 }))
  expect(answer).toMatchObject({ status: 'answered', httpStatus: 200, isCut: true, body: Buffer.from('begun') })
})

test('a body has its own time: the answer is known at the headers, and a body that never ends ends with that [OUT-22] [SEC-27~]', async () => {
  const port = await http((_request, response) => response.write('begun'))
  const heads: number[] = []
  const limits = { timeoutMs: 100_000, bodyTimeoutMs: 1, onHead: (httpStatus: number) => heads.push(httpStatus) }
  const answer = await open().request(post(`http://127.0.0.1:${port}/`, limits))
  expect([answer.status, heads]).toEqual(['answered', [200]])
  expect(answer).toMatchObject({ httpStatus: 200, isCut: true, isGarbled: false })
})

test('a body that is not what its Content-Encoding says is told from one that was cut [SEC-27~]', async () => {
  const port = await http((_request, response) => response.setHeader('content-encoding', 'gzip').end('plain'))
  const answer = await open().request(post(`http://127.0.0.1:${port}/`))
  expect(answer).toMatchObject({ httpStatus: 200, isCut: true, isGarbled: true, body: Buffer.alloc(0) })
})

test('one layer of gzip is removed, within the bound [SEC-27]', async () => {
  const bodies = [Buffer.from('{"ok":true}'), Buffer.alloc(1_000_000), gzipSync('twice')]
  const port = await http((_request, response) =>
    response.setHeader('content-encoding', 'gzip').end(gzipSync(bodies.shift() ?? '')),
  )
  const egress = open()
  const ask = () => egress.request(post(`http://127.0.0.1:${port}/`))
  expect(await ask()).toMatchObject({ body: Buffer.from('{"ok":true}'), isCut: false })
  expect(await ask()).toMatchObject({ httpStatus: 200, body: Buffer.alloc(0), isCut: true })
  expect(await ask()).toMatchObject({ body: gzipSync('twice'), isCut: false })
})

test('what failed before the first byte is told from what may have arrived', async () => {
  const egress = open({ lookup: (_name, done) => done(Object.assign(new Error(), { code: 'ENOTFOUND' }), []) })
  const closedPort = await freePort()
  expect(await egress.request(post(`http://127.0.0.1:${closedPort}/`))).toMatchObject({
    status: 'not_sent',
    error: 'connection_refused',
  })
  expect(await egress.request(post('http://nowhere.test/'))).toMatchObject({ status: 'not_sent', error: 'dns' })

  const resetting = await raw((socket) => socket.resetAndDestroy())
  expect(await egress.request(post(`http://127.0.0.1:${resetting}/`))).toMatchObject({
    status: 'unknown',
    error: 'connection_reset',
  })

  const silent = await raw(() => {})
  const late = await egress.request(post(`http://127.0.0.1:${silent}/`, { timeoutMs: 150 }))
  expect(late).toMatchObject({ status: 'unknown', error: 'timeout' })

  const babbling = await raw((socket) => socket.write('SSH-2.0-OpenSSH\r\n'))
  expect(await egress.request(post(`http://127.0.0.1:${babbling}/`))).toMatchObject({
    status: 'unknown',
    error: 'response_invalid',
  })
})

test('a connection that stands too late is closed, and nothing is written to it', async () => {
  let givenUp: (() => void) | undefined
  let connections = 0
  let closed = 0
  const received: Buffer[] = []
  const port = await listen(
    createTcpServer((socket) => {
      connections += 1
      socket
        .on('error', () => {})
        .on('close', () => {
          closed += 1
        })
      socket.on('data', (bytes) => received.push(bytes))
    }),
  )
  const egress = open({
    lookup: (_name, done) => {
      givenUp = () => done(null, [{ address: '127.0.0.1', family: 4 }])
    },
  })
  const answer = await egress.request(post(`http://slow.test:${port}/late`, { timeoutMs: 100 }))
  expect(answer).toMatchObject({ status: 'not_sent', error: 'timeout' })
  givenUp?.()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(received).toEqual([])
  expect(closed).toBe(connections)
})

test('an interim answer is not the answer', async () => {
  const port = await raw((socket) =>
    socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'),
  )
  expect(await open().request(post(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 'answered', httpStatus: 204 })
})

test('an idle connection is closed after 30 seconds, however long the other side offers to keep it [SEC-27]', async () => {
  let connections = 0
  const port = await raw((socket) => {
    connections += 1
    socket.on('close', () => {
      connections -= 1
    })
    socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=600\r\nContent-Length: 0\r\n\r\n')
  })
  const pause = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    expect(await open().request(post(`http://127.0.0.1:${port}/`))).toMatchObject({ httpStatus: 200 })
    await pause()
    vi.advanceTimersByTime(29_000)
    for (let turns = 0; turns < 50; turns++) await pause()
    expect(connections).toBe(1)
    vi.advanceTimersByTime(2_000)
    for (let turns = 0; turns < 500 && connections > 0; turns++) await pause()
    expect(connections).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('TLS is verified against the name, with an extra authority and at least version 1.2 [SEC-28~]', async () => {
  const names: (string | false | null)[] = []
  const server = createHttpsServer({ key: KEY, cert: CERTIFICATE }, (request, response) => {
    if (request.socket instanceof TLSSocket) names.push(request.socket.servername ?? null)
    response.end(request.headers.host)
  })
  const port = await listen(server)
  const oldPort = await listen(
    createHttpsServer({ key: KEY, cert: CERTIFICATE, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }),
  )
  const lookup: Lookup = (_name, done) => done(null, [{ address: '127.0.0.1', family: 4 }])
  const trusting = open({ extraCa: CERTIFICATE, lookup })

  const answer = await trusting.request(post(`https://partner.test:${port}/`))
  // The checked address is connected to, the name is kept for TLS and `Host` [SEC-23].
  expect(answer).toMatchObject({ httpStatus: 200, body: Buffer.from(`partner.test:${port}`) })
  expect(names).toEqual(['partner.test'])

  const wrongName = await trusting.request(post(`https://other.test:${port}/`))
  expect(wrongName).toMatchObject({ status: 'not_sent', error: 'tls', detail: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const unknownCa = await open({ lookup }).request(post(`https://partner.test:${port}/`))
  expect(unknownCa).toMatchObject({ status: 'not_sent', error: 'tls', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const tooOld = await trusting.request(post(`https://partner.test:${oldPort}/`))
  expect(tooOld).toMatchObject({ status: 'not_sent', error: 'tls' })
})

test('after close nothing is sent', async () => {
  const port = await http((_request, response) => response.end())
  const egress = open()
  await egress.close()
  expect(await egress.request(post(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 'not_sent', error: 'closed' })
})

// Made for this test with `openssl req -x509 -newkey ec`; valid for the name partner.test until 2126.
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfbv0IDrRg1JcfnB4
n+0fUF8Z+lTg/sibRWhBj3Q+JDuhRANCAATXQOqHD7lgzVCy4nlLpGUpgiNNVEK2
OlV4qRW77G6xnKIze/kr4bVjG7BG8OqrFSq2heV6jHH73gOH3j0ur8OA
-----END PRIVATE KEY-----
`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmDCCAT6gAwIBAgIUX5k1wkgZ9SoGSascMuvooTA9hfEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjAzMTUzMFoYDzIxMjYxMDI5
MDMxNTMwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATXQOqHD7lgzVCy4nlLpGUpgiNNVEK2OlV4qRW77G6xnKIze/kr4bVj
G7BG8OqrFSq2heV6jHH73gOH3j0ur8OAo2wwajAdBgNVHQ4EFgQUiaQqtzPrCN4/
6q65J55lv4OqXq4wHwYDVR0jBBgwFoAUiaQqtzPrCN4/6q65J55lv4OqXq4wDwYD
VR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxwYXJ0bmVyLnRlc3QwCgYIKoZIzj0E
AwIDSAAwRQIgRZgFjb+Q6ZuH6w7Qb4JNx1H/ej1TQrSLZkgY2T/rj3kCIQC9H/x9
6+Fnv2R51jt49sdpG1Y9vR2wY3sYCm69up+KpQ==
-----END CERTIFICATE-----
`
