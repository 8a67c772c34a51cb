import { request as httpRequest } from 'node:http'
import { Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, TEST_TOKEN, type TestAdmin } from '../testkit/start-test-admin.ts'

let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin()
})
afterAll(() => server[Symbol.asyncDispose]())

const requestId = expect.stringMatching(/^rq_/)

test('a call without a token is refused with a challenge [API-29], [API-10]', async () => {
  const answer = await server.call('GET', '/v1/traits', undefined, { authorization: '' })
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="oauth"')
  expect(answer.body).toEqual({
    code: 'unauthorized',
    message: 'A valid bearer token is needed.',
    details: [],
    requestId,
  })
})

test('a wrong token is refused without being echoed [API-10] [API-29]', async () => {
  const answer = await server.call('GET', '/v1/traits', undefined, { authorization: 'Bearer 9d3c1f7e-wrong' })
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toBe(
    'Bearer realm="oauth", error="invalid_token", error_description="Access token expired or unknown"',
  )
  expect(answer.text).not.toContain('9d3c1f7e')
})

test('the extra x-api-key header is accepted and ignored [API-6]', async () => {
  expect((await server.call('GET', '/v1/traits', undefined, { 'x-api-key': 'client' })).status).toBe(200)
})

test.each(['/v1/traits', '/v1/traits/', '/api/v1/traits', '/api/v1/traits/?page=0', '/v1/traits?page=0'])(
  '%s reaches the same list [API-2], [API-3]',
  async (path) => {
    expect((await server.call('GET', path)).status).toBe(200)
  },
)

test('an unknown path answers 404 in the form of every error [API-31], [API-34]', async () => {
  const answer = await server.call('GET', '/v1/nothing-here')
  expect(answer.status).toBe(404)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(answer.body).toEqual({ code: 'not_found', message: 'There is no such path.', details: [], requestId })
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId)
})

test('unreadable JSON, a foreign content type and a body over 1 MiB are refused in the same form [API-28], [API-34]', async () => {
  const broken = await server.call('POST', '/v1/traits', '{"name":')
  expect([broken.status, broken.body.code]).toEqual([400, 'invalid_request'])
  const foreign = await server.call('POST', '/v1/traits', 'name=x', {
    'content-type': 'application/x-www-form-urlencoded',
  })
  expect([foreign.status, foreign.body.code]).toEqual([415, 'content_type_not_supported'])
  const large = await server.call('POST', '/v1/traits', { name: 'x'.repeat(1024 * 1024) })
  expect([large.status, large.body.code]).toEqual([413, 'body_too_large'])
  const path = await server.call('GET', '/v1/traits/%E0%A4%A')
  expect([path.status, path.body.requestId]).toEqual([400, requestId])
})

test.each([
  ['{"__proto__":{"name":"x"},"name":"y"}', '__proto__', 'is a name that no member may have'],
  ['{"name":"y","a":[{"\\u005f_proto__":1}]}', 'a.0.__proto__', 'is a name that no member may have'],
  ['[{"name":"y"},{"__proto__":null}]', '1.__proto__', 'is a name that no member may have'],
  ['{"a":{"constructor":{"prototype":{}}}}', 'a.constructor', 'has the member `prototype`, which none may have'],
])(
  'JSON that reaches for a prototype is refused with its member, not as unreadable: %s [SEC-06~] [API-34~]',
  async (body, field, issue) => {
    const path = body.startsWith('[') ? '/v1/destinations/1/bulk-create' : '/v1/traits'
    expect(await server.call('POST', path, body)).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_request',
        message: 'The request is not valid.',
        details: [{ field, message: `\`${field}\` ${issue}.` }],
        requestId,
      },
    })
    expect(({} as { name?: unknown }).name).toBeUndefined()
  },
)

test('a member called constructor or prototype is unknown like any other [SEC-06~]', async () => {
  const answer = await server.call('POST', '/v1/traits', '{"constructor":{"a":1},"prototype":1}')
  expect([answer.status, answer.text.includes('no member may have')]).toEqual([400, false])
})

test('probes are open, and tell nothing of versions [OPS-12], [SEC-86~]', async () => {
  const healthz = await server.call('GET', '/healthz', undefined, { authorization: '' })
  expect([healthz.status, healthz.body]).toEqual([200, { status: 'ok' }])
  const readyz = await server.call('GET', '/readyz', undefined, { authorization: '' })
  expect([readyz.status, readyz.body]).toEqual([200, { status: 'ready', reasons: [] }])
})

test('readyz names the checks that fail with 503 [OPS-12], [SEC-86~]', async () => {
  await using ill = await startTestAdmin({ ready: () => ['disk_below_floor'] })
  const answer = await ill.call('GET', '/readyz')
  expect([answer.status, answer.body]).toEqual([503, { status: 'not_ready', reasons: ['disk_below_floor'] }])
})

test.each([
  ['127.0.0.1', 200],
  ['localhost', 200],
  ['LOCALHOST:8081', 200],
  ['[::1]:8081', 200],
  ['evil.example', 401],
  ['evil.example:8081', 401],
  ['localhost.evil.example', 401],
  ['127.0.0.1.evil.example', 401],
  ['localhost.', 401],
])(
  'a program of this machine that asks %s for the metrics gets %i: no page whose name points here reads them [SEC-87~]',
  async (host, status) => {
    const ask = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: server.admin.port, path: '/metrics', headers: { host, ...headers } }
        httpRequest(options, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end()
      })
    expect(await ask({})).toBe(status)
    expect(await ask({ authorization: `Bearer ${TEST_TOKEN}` })).toBe(200)
  },
)

test.each(['via', 'x-real-ip', 'x-forwarded-proto', 'forwarded'])(
  '%s tells of a proxy: the metrics need a token [SEC-87~]',
  async (name) => {
    expect((await server.call('GET', '/metrics', undefined, { authorization: '', [name]: 'x' })).status).toBe(401)
  },
)

test('metrics need no token from loopback, and one through a proxy [SEC-87~]', async () => {
  const direct = await server.call('GET', '/metrics', undefined, { authorization: '' })
  expect([direct.status, direct.text]).toEqual([200, 'usher_up 1\n'])
  const proxied = { 'x-forwarded-for': '203.0.113.9' }
  expect((await server.call('GET', '/metrics', undefined, { ...proxied, authorization: '' })).status).toBe(401)
  expect((await server.call('GET', '/metrics', undefined, proxied)).status).toBe(200)
})

test('the start page has a strict policy and no script; nothing allows other origins [SEC-20], [SEC-21]', async () => {
  const page = await server.call('GET', '/', undefined, { authorization: '', origin: 'https://evil.example' })
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  expect(page.headers.get('access-control-allow-origin')).toBeNull()
  expect(page.text).not.toMatch(/<script|style=/)
})

test('requests beyond the rate are turned away with Retry-After, and let in again later [API-35], [SEC-72~]', async () => {
  await using slow = await startTestAdmin({ config: { requestsPerSecond: 1, requestBurst: 3 } })
  const first = await slow.call('GET', '/v1/dcs-regions')
  expect(['limit', 'remaining', 'reset'].map((name) => first.headers.get(`x-ratelimit-${name}`))).toEqual([
    '3',
    '2',
    '1',
  ])
  await slow.call('GET', '/v1/dcs-regions')
  // The third moves the product's clock by nothing; the bucket is then empty.
  await slow.call('POST', '/v1/test/clock', { advanceMs: 0 })
  const refused = await slow.call('GET', '/v1/dcs-regions')
  expect([refused.status, refused.headers.get('retry-after'), refused.body.code]).toEqual([429, '1', 'rate_limited'])
  // Guesses from the same address do not use up the token's bucket, nor are they let through by it.
  expect((await slow.call('GET', '/v1/dcs-regions', undefined, { authorization: 'Bearer guess' })).status).toBe(401)
  expect((await slow.call('GET', '/healthz')).status).toBe(200)
})

test('each token has a rate of its own: who used up his keeps nobody else out [API-35] [SEC-72~]', async () => {
  const second = 'another-token-of-enough-characters'
  await using slow = await startTestAdmin({
    config: { requestsPerSecond: 0.001, requestBurst: 2, adminTokens: [TEST_TOKEN, second] },
  })
  const call = (token: string) =>
    slow.call('GET', '/v1/dcs-regions', undefined, { authorization: `Bearer ${token}` }).then(({ status }) => status)
  expect([await call(TEST_TOKEN), await call(TEST_TOKEN), await call(TEST_TOKEN)]).toEqual([200, 200, 429])
  expect([await call(second), await call(second), await call(second)]).toEqual([200, 200, 429])
})

test('each request is one log line with what it was about, without tokens [OPS-43], [SEC-88]', async () => {
  const before = server.log.length
  await server.call('GET', '/v1/segments/4711')
  const lines = server.log.slice(before).filter((line) => line.message === 'admin.request')
  expect(lines).toHaveLength(1)
  expect(lines[0]?.fields).toMatchObject({
    method: 'GET',
    route: '/v1/segments/:sid',
    sid: '4711',
    status: 404,
    author: 0,
    requestId,
  })
  expect(JSON.stringify(server.log)).not.toContain(TEST_TOKEN)
})

test('the clock is moved by the test switch, and not in production [OPS-27]', async () => {
  await using other = await startTestAdmin()
  expect((await other.call('POST', '/v1/test/clock', { advanceMs: 86_400_000 })).body).toEqual({
    now: '2026-11-23T12:00:00.000Z',
  })
  const unknown = await other.call('POST', '/v1/test/clock', { advanceMs: 1, hours: 2 })
  expect(unknown.body).toMatchObject({
    code: 'invalid_request',
    details: [{ field: 'hours', message: 'Unknown member.' }],
  })

  await using production = await startTestAdmin({ config: { production: true } })
  const refused = await production.call('POST', '/v1/test/clock', { advanceMs: 1 })
  expect([refused.status, refused.body.code]).toEqual([403, 'test_switch_refused'])
})

test('DELETE with a content type and no body is understood [API-6]', async () => {
  const answer = await server.call('DELETE', '/v1/traits/4711')
  expect([answer.status, answer.body.message]).toEqual([404, 'There is no trait 4711.'])
})

test('close finishes although a client keeps an idle connection', async () => {
  const other = await startTestAdmin()
  const socket = new Socket()
  await new Promise<void>((resolve) => socket.connect(other.admin.port, '127.0.0.1', resolve))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  await other[Symbol.asyncDispose]()
  await expect(ended).resolves.toBe(false)
})
