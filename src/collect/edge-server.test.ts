// Slow: waits for time-outs of the protocol.
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { DEFAULT_EDGE_CONFIG } from './edge-config.ts'
import { TEST_CERTIFICATE } from './test-certificate.conformance.ts'
import { defaultOutcome, form, NEW_DEVICE, startTestEdge } from './test-edge.conformance.ts'

const { limits } = DEFAULT_EDGE_CONFIG
const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${headers}\r\n`

test('an address of 8,192 bytes is served, one more is 414 [COL-13] [COL-15] [SEC-01] [COL-111]', async () => {
  await using edge = await startTestEdge()
  const target = (bytes: number) => `/event?${'a=1&'.repeat(3000)}`.slice(0, bytes)
  expect((await edge.call(target(8192))).status).toBe(200)
  const reply = await edge.call(target(8193))
  expect([reply.status, reply.headers.connection]).toEqual([414, 'close'])
  expect((await edge.raw(get(`/event?a=${'x'.repeat(60_000)}`))).slice(0, 12)).toBe('HTTP/1.1 414')
  expect(edge.rejected).toContain('url_too_long')
  expect(edge.calls).toHaveLength(1)
})

test('headers and cookies beyond their limits are 431 and close [SEC-01]', async () => {
  await using edge = await startTestEdge()
  const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('')
  expect((await edge.raw(get('/event', `${many(98)}Connection: close\r\n`))).slice(0, 12)).toBe('HTTP/1.1 200')
  expect((await edge.raw(get('/event', many(100)))).slice(0, 12)).toBe('HTTP/1.1 431')
  expect((await edge.raw(get('/event', `X-Large: ${'x'.repeat(17_000)}\r\n`))).slice(0, 12)).toBe('HTTP/1.1 431')
  expect((await edge.raw(get('/event', `X-Large: ${'x'.repeat(40_000)}\r\n`))).slice(0, 12)).toBe('HTTP/1.1 431')
  expect((await edge.raw(get('/event', `Cookie: a=${'x'.repeat(8200)}\r\n`))).slice(0, 12)).toBe('HTTP/1.1 431')
  expect(edge.calls).toHaveLength(1)
})

test.each([
  [
    'both lengths',
    'POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a repeated length', 'POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na'],
  ['a bare CR', 'GET /event HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'],
  ['a bare LF', 'GET /event HTTP/1.1\nHost: a\n\n'],
  ['a folded header', 'GET /event HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n'],
  ['NUL in a header', 'GET /event HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n'],
  ['TRACE', 'TRACE /event HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['DELETE', 'DELETE /event HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['the asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00'],
])('%s is 400 and the connection ends [SEC-04]', async (_name, bytes) => {
  await using edge = await startTestEdge()
  const answer = await edge.raw(bytes)
  expect(answer.slice(0, 12)).toBe('HTTP/1.1 400')
  expect(answer).toMatch(/connection: close/i)
  expect(edge.calls).toEqual([])
})

test('bodies: one layer of gzip, counted by what comes out [SEC-05] [SEC-01]', async () => {
  await using edge = await startTestEdge()
  const post = (body: Buffer, encoding: string) =>
    edge.call('/event', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': encoding },
    })
  expect((await post(gzipSync('a=1'), 'gzip')).status).toBe(200)
  expect(edge.calls[0]?.signals.all('a')).toEqual(['1'])
  expect((await post(gzipSync(`a=${'ab'.repeat(20_000)}`), 'gzip')).codes()).toEqual([900])
  for (const [body, encoding] of [
    [gzipSync('a'.repeat(400_000)), 'gzip'], // 1 : 1,000
    [gzipSync(Buffer.alloc(1_100_000, 'xyz')), 'gzip'],
    [gzipSync(gzipSync('a=1')), 'gzip, gzip'],
    [Buffer.from('a=1'), 'br'],
  ] as const) {
    const reply = await post(body, encoding)
    expect([reply.status, reply.headers.connection]).toEqual([413, 'close'])
  }
  expect((await post(Buffer.from('no gzip'), 'gzip')).codes()).toEqual([311])
  expect(edge.calls).toHaveLength(1)
})

test('a body beyond 1 MiB is 413, announced or not [COL-15] [SEC-01]', async () => {
  await using edge = await startTestEdge()
  const announced = await edge.raw(
    `POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: ${limits.bodyBytesMax + 1}\r\n\r\n`,
  )
  expect(announced.slice(0, 12)).toBe('HTTP/1.1 413')
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  const streamed = await edge.raw(
    `POST /event HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`,
  )
  expect(streamed.slice(0, 12)).toBe('HTTP/1.1 413')
  expect((await edge.call('/event', form('x'.repeat(limits.bodyBytesMax)))).codes()).toEqual([900])
  expect(edge.calls).toEqual([])
})

test('a page sees what was refused by a limit of the protocol [COL-10~] [COL-15] [SEC-01~]', async () => {
  await using edge = await startTestEdge()
  const origin = 'https://shop.example'
  const large = await edge.call('/event', {
    method: 'POST',
    body: 'x'.repeat(limits.bodyBytesMax + 1),
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin },
  })
  const long = await edge.call(`/event?a=${'x'.repeat(limits.urlBytesMax)}`, { headers: { origin } })
  expect([large.status, long.status]).toEqual([413, 414])
  for (const { headers } of [large, long]) {
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
      connection: 'close',
    })
  }
})

test('bytes of a form are counted as they are sent, percent-escapes included [COL-14] [COL-15]', async () => {
  await using edge = await startTestEdge()
  expect((await edge.call('/event', form(`a=${'%F0%9F%98%80'.repeat(2700)}`))).codes()).toEqual([])
  expect((await edge.call('/event', form(`a=${'%F0%9F%98%80'.repeat(2731)}`))).codes()).toEqual([900])
})

test('slow clients are cut off, within the configured time and a second [SEC-03]', async () => {
  await using edge = await startTestEdge({
    config: { limits: { ...limits, headersTimeoutMs: 200, requestTimeoutMs: 300 } },
  })
  const head = await edge.raw('GET /event HTTP/1.1\r\nHost: a\r\nX-Slow:', 5000)
  expect(head.slice(0, 12)).toBe('HTTP/1.1 408')
  const body = await edge.raw('POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\na=', 5000)
  expect(body.slice(0, 12)).toBe('HTTP/1.1 408')
  expect([limits.headersTimeoutMs, limits.requestTimeoutMs, limits.keepAliveTimeoutMs]).toEqual([10_000, 30_000, 5000])
})

test('connections are limited for each address, before anything is parsed [SEC-03]', async () => {
  await using edge = await startTestEdge({ config: { limits: { ...limits, connectionsPerAddressMax: 3 } } })
  const open = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise<ReturnType<typeof connect>>((resolve) => {
          const socket = connect(edge.port, '127.0.0.1', () => resolve(socket))
        }),
    ),
  )
  expect(await edge.raw(get('/event'))).toBe('')
  expect(edge.rejected).toEqual(['connections_per_address'])
  for (const socket of open) socket.destroy()
  await expect.poll(() => edge.raw(get('/event', 'Connection: close\r\n'))).toContain('HTTP/1.1 200')
  await using small = await startTestEdge({ config: { limits: { ...limits, connectionsMax: 1 } } })
  const first = connect(small.port, '127.0.0.1')
  await new Promise((resolve) => first.once('connect', resolve))
  expect(await small.raw(get('/event'))).toBe('')
  first.destroy()
  expect(limits.connectionsPerAddressMax).toBe(200)
})

test('a visitor who goes away in the middle of a request is no refusal; what cannot be parsed is one [SEC-04~]', async () => {
  await using edge = await startTestEdge()
  const broken = connect(edge.port, '127.0.0.1')
  await new Promise((resolve) => broken.once('connect', resolve))
  broken.write('GET /event HTTP/1.1\r\nHost: yourcomp')
  await new Promise((resolve) => setTimeout(resolve, 100))
  broken.resetAndDestroy()
  // Served behind the reset of the first.
  expect((await edge.call('/event')).status).toBe(200)
  expect(edge.rejected).toEqual([])
  await edge.raw('no HTTP at all\r\n\r\n')
  expect(edge.rejected).toEqual(['http_400'])
})

test('connections of a trusted proxy count against the global cap only [SEC-03]', async () => {
  const config = {
    trustedProxies: ['127.0.0.0/8'],
    limits: { ...limits, connectionsPerAddressMax: 1, connectionsMax: 3 },
  }
  await using edge = await startTestEdge({ config })
  const connected = () =>
    new Promise<ReturnType<typeof connect>>((resolve) => {
      const socket = connect(edge.port, '127.0.0.1', () => resolve(socket))
    })
  const open = [await connected(), await connected()]
  expect(await edge.raw(get('/event', 'Connection: close\r\n'))).toContain('HTTP/1.1 200')
  open.push(await connected())
  expect(await edge.raw(get('/event'))).toBe('')
  expect(edge.rejected).toEqual(['connections'])
  for (const socket of open) socket.destroy()
})

test('shed under load: least important first, page libraries and SDKs with 200 [SEC-11~] [COL-113] [CLI-3] [CLI-21]', async () => {
  await using edge = await startTestEdge({ overloaded: () => true })
  for (const target of ['/event?a=b', '/event?d_rtbd=json', '/ibs:dpid=1&dpuuid=a']) {
    const reply = await edge.call(target)
    expect([reply.status, reply.headers['retry-after'], reply.cookies], target).toEqual([429, '1', []])
  }
  const page = await edge.call('/event?d_rtbd=json', { headers: { origin: 'https://shop.example' } })
  expect([page.status, page.json()['errors'], page.json()['uuid']]).toEqual([
    200,
    [{ code: 0, msg: 'Unspecified error' }],
    undefined,
  ])
  expect((await edge.call('/event?d_ptfm=android&d_rtbd=json')).status).toBe(200)
  const id = await edge.call('/id?d_orgid=AB@AdobeOrg&d_rtbd=json')
  expect([id.status, typeof id.json()['error_msg']]).toEqual([200, 'string'])
  expect(edge.calls).toEqual([])
  expect(edge.rejected.filter((code) => code === 'shed')).toHaveLength(6)
})

test('calls in work are bounded, and ID syncs go before pixels and events [SEC-11~]', async () => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  await using edge = await startTestEdge({
    config: { limits: { ...limits, inFlightMax: 10 } },
    process: (call) => gate.then(() => defaultOutcome(call)),
  })
  const waiting = Array.from({ length: 8 }, () => edge.call('/event?d_rtbd=json'))
  await expect.poll(() => edge.calls.length).toBe(8)
  expect((await edge.call('/ibs:dpid=1&dpuuid=a')).status).toBe(429)
  waiting.push(edge.call('/event'))
  await expect.poll(() => edge.calls.length).toBe(9)
  expect((await edge.call('/event')).status).toBe(429)
  waiting.push(edge.call('/event?d_rtbd=json'))
  await expect.poll(() => edge.calls.length).toBe(10)
  expect((await edge.call('/event?d_rtbd=json')).status).toBe(429)
  expect((await edge.call('/demoptout')).status).toBe(200)
  release()
  for (const reply of await Promise.all(waiting)) expect(reply.status).toBe(200)
})

test('a rate limit, where one is set, is 429 with Retry-After [COL-113]', async () => {
  await using edge = await startTestEdge({ config: { limits: { ...limits, requestsPerSecondMax: 2 } } })
  const answers = []
  for (let i = 0; i < 4; i++) {
    const { status, headers } = await edge.call('/event')
    answers.push([status, headers['retry-after']])
  }
  expect(answers).toEqual([
    [200, undefined],
    [200, undefined],
    [429, '1'],
    [429, '1'],
  ])
  expect(limits.requestsPerSecondMax).toBe(0)
})

test('closing stops accepting and finishes what was accepted [SEC-89] [OPS-13]', async () => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const edge = await startTestEdge({ process: (call) => gate.then(() => defaultOutcome(call)) })
  const waiting = edge.call('/event?d_rtbd=json')
  const idle = connect(edge.port, '127.0.0.1')
  await expect.poll(() => edge.calls.length).toBe(1)
  let isClosed = false
  const closed = edge.close().then(() => {
    isClosed = true
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(isClosed).toBe(false)
  await expect(edge.call('/event')).rejects.toThrow('ECONNREFUSED')
  release()
  expect((await waiting).json()['uuid']).toBe(NEW_DEVICE)
  await closed
  idle.destroy()
})

test('health and readiness are answered on the edge [OPS-12] [SEC-86~]', async () => {
  let reasons = ['store_behind']
  await using edge = await startTestEdge({ ready: () => reasons })
  expect((await edge.call('/healthz')).json()).toEqual({ status: 'ok' })
  const waiting = await edge.call('/readyz')
  expect([waiting.status, waiting.headers['retry-after'], waiting.json()]).toEqual([
    503,
    '1',
    { status: 'not_ready', reasons: ['store_behind'] },
  ])
  reasons = []
  const ready = await edge.call('/readyz')
  expect([ready.status, ready.headers['retry-after'], ready.json()]).toEqual([
    200,
    undefined,
    { status: 'ready', reasons: [] },
  ])
  expect((await edge.call('/nothing')).status).toBe(404)
})

test('over TLS: SNI may differ from Host, cookies are secure, later calls are upgraded [COL-09] [COL-137] [COL-124]', async () => {
  await using edge = await startTestEdge({ config: { tls: TEST_CERTIFICATE } })
  const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const message = httpsRequest(
      {
        host: '127.0.0.1',
        port: edge.port,
        path: '/event',
        servername: 'usw2.demdex.net',
        rejectUnauthorized: false,
        agent: false,
        headers: { host: 'foo.demdex.net' },
      },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.headers))
      },
    )
    message.on('error', reject)
    message.end()
  })
  expect(headers['strict-transport-security']).toBe('max-age=31536000')
  expect((headers['set-cookie'] as string[])[0]).toBe(
    `demdex=${NEW_DEVICE}; Domain=.demdex.net; Path=/; Max-Age=15552000; Secure; SameSite=None; HttpOnly`,
  )
  expect(edge.calls[0]?.signals.all('h_host')).toEqual(['foo.demdex.net'])
})

test('one record for each request, with its codes and tid [OPS-43] [COL-104]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/event?d_uuid=1&d_caller=crm')
  await expect
    .poll(() => edge.records)
    .toEqual([
      { route: 'event', status: 200, durationMs: expect.any(Number), codes: [102], eventId: reply.headers['x-tid'] },
    ])
  expect(edge.calls[0]?.signals.all('d_caller')).toEqual(['crm'])
})

test('a target in absolute form and pipelined requests are served', async () => {
  await using edge = await startTestEdge()
  const answer = await edge.raw(
    `${get('http://a.example/event?d_rtbd=json')}${get('/event?d_rtbd=json', 'Connection: close\r\n')}`,
  )
  expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
})
