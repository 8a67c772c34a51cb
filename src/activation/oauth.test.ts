import { createServer as createTcpServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { type Egress, openEgress } from '../lib/egress/egress.ts'
import { freePort } from '../testkit/free-port.ts'
import { parseS2sConfig, type S2sConfig } from '../testkit/s2s-settings.ts'
import { openTokenSource } from './oauth.ts'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  NOW,
  OTHER,
  openWorkbench,
  type Received,
  startReceiver,
  until,
} from './workbench.conformance.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function egress(): Egress {
  const opened = openEgress({ allowPrivate: true, ownListeners: [] })
  cleanups.push(() => opened.close())
  return opened
}

function configOf(
  tokenUrl: string,
  auth: Readonly<Record<string, unknown>> = { credentials: 'zq2LOO1Ccy' },
  more: Readonly<Record<string, unknown>> = {},
): S2sConfig {
  const input = { url: 'https://partner.example/in', userDpid: 1, auth: { type: 'oauth2', tokenUrl, ...auth }, ...more }
  const parsed = parseS2sConfig(input, { allowPrivate: true })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.config
}

function sourceOf(clock: () => number = () => NOW, timeoutMs = 3_000) {
  return openTokenSource({ egress: egress(), clock, userAgent: 'Usher/test', timeoutMs })
}

const bearer = (token: string, more: object = {}) =>
  JSON.stringify({ token_type: 'Bearer', access_token: token, ...more })
const tokenServer = (...answers: (string | number)[]) =>
  startReceiver((response, _request, number) => {
    const answer = answers[Math.min(number, answers.length) - 1] ?? ''
    if (typeof answer === 'number') response.writeHead(answer).end()
    else response.setHeader('content-type', 'application/json; charset=utf-8').end(answer)
  })

test('the token request is the documented one, byte for byte on the wire [OUT-78] [OUT-79] [OUT-80]', async () => {
  let wire = ''
  const server = createTcpServer((socket: Socket) => {
    socket.on('data', (chunk) => {
      wire += chunk.toString('latin1')
      const body = gzipSync(bearer('glIbBVohK8d86alDEnllPWi6IpjZvJC6'))
      if (wire.includes('\r\n\r\n')) {
        socket.end(
          Buffer.concat([
            Buffer.from(
              `HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`,
            ),
            body,
          ]),
        )
      }
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  cleanups.push(() => server.close())

  const credentials = 'zq2LOO1CcYGrODS5nXiNHpEz97eCpVHAoMF8pAgCntXAzxp5uRV7DTAE2qtPLjhMQwrEX3O6MHV4S'
  const config = configOf(`http://127.0.0.1:${port}/oauth2/token`, { credentials }, { userAgent: 'aam' })
  // The answer is gzipped and has no `expires_in` [OUT-81].
  expect(await sourceOf().get(DESTINATION, config)).toEqual({ status: 'ok', token: 'glIbBVohK8d86alDEnllPWi6IpjZvJC6' })
  const [head = '', body] = wire.split('\r\n\r\n')
  const [line, ...fields] = head.split('\r\n')
  expect(line).toBe('POST /oauth2/token HTTP/1.1')
  expect(
    fields.map((field) => (field.toLowerCase().startsWith('content-length') ? field.toLowerCase() : field)).sort(),
  ).toEqual([
    'Accept-Encoding: gzip',
    `Authorization: Basic ${credentials}`,
    'Content-Type: application/x-www-form-urlencoded;charset=UTF-8',
    'User-Agent: Adobe Audience Manager Iris',
    'connection: keep-alive',
    'content-length: 29',
    `host: 127.0.0.1:${port}`,
  ])
  expect(body).toBe('grant_type=client_credentials')
})

test('an id and a secret are form-encoded each and go as Base64 of both, raw where the server wants them so, an opaque value verbatim [OUT-79]', async () => {
  await using server = await tokenServer(bearer('t'))
  const send = (auth: object) => sourceOf().get(DESTINATION, configOf(server.url, { ...auth }))
  await send({ clientId: 'testId', clientSecret: 'testSecret' })
  await send({ clientId: 'a b:c', clientSecret: 'p@ss+wörd%' })
  await send({ clientId: 'a b', clientSecret: 'p@ss+wörd%', rawCredentials: true })
  await send({ clientId: 'AZaz09*-._', clientSecret: "~!'()&=/" })
  await send({ credentials: 'not base64!' })
  expect(server.requests.map((request) => request.headers.authorization)).toEqual([
    'Basic dGVzdElkOnRlc3RTZWNyZXQ=',
    'Basic YStiJTNBYzpwJTQwc3MlMkJ3JUMzJUI2cmQlMjU=',
    'Basic YSBiOnBAc3Mrd8O2cmQl',
    `Basic ${Buffer.from('AZaz09*-._:%7E%21%27%28%29%26%3D%2F').toString('base64')}`,
    'Basic not base64!',
  ])
})

test.each([
  ['3600', 3_600],
  [3600.5, 3_600.5],
  [3600, 3_600],
])('the lifetime %j of a token counts [OUT-81]', async (lifetime, seconds) => {
  await using server = await tokenServer(bearer('a', { expires_in: lifetime }), bearer('b'))
  let nowMs = NOW
  const tokens = sourceOf(() => nowMs)
  await tokens.get(DESTINATION, configOf(server.url))
  nowMs += 1000 * seconds - 60_000 - 1
  expect(await tokens.get(DESTINATION, configOf(server.url))).toEqual({ status: 'ok', token: 'a' })
  nowMs += 1
  expect(await tokens.get(DESTINATION, configOf(server.url))).toEqual({ status: 'ok', token: 'b' })
})

test.each(['1e3', '0x10', '1 hour', '2026-11-22', '', true, [90], null, 0, -5])(
  'a lifetime %j is none: the token is used until it is refused [OUT-81]',
  async (lifetime) => {
    await using server = await tokenServer(bearer('a', { expires_in: lifetime }), bearer('b'))
    let nowMs = NOW
    const tokens = sourceOf(() => nowMs)
    await tokens.get(DESTINATION, configOf(server.url))
    nowMs += 30 * 86_400_000
    expect(await tokens.get(DESTINATION, configOf(server.url))).toEqual({ status: 'ok', token: 'a' })
  },
)

test('a token endpoint that asks to wait is not asked before, neither at once nor for the next message [SEC-100]', async () => {
  await using server = await startReceiver((response, _request, number) => {
    if (number === 1) response.writeHead(429, ['Retry-After', '8.5', 'Retry-After', '-1']).end()
    else response.end(bearer('t'))
  })
  let nowMs = NOW
  const tokens = sourceOf(() => nowMs)
  const get = () => tokens.get(DESTINATION, configOf(server.url))
  const silent = (retryAfterMs: number) => ({ status: 'failed', reason: 'http_429', retryAfterMs })
  expect(await get()).toEqual(silent(9_000))
  nowMs += 8_999
  expect(await get()).toEqual(silent(1))
  expect(server.requests).toHaveLength(1)
  // Other credentials were not turned away.
  expect((await tokens.get(OTHER, configOf(server.url))).status).toBe('ok')
  nowMs += 1
  expect(await get()).toEqual({ status: 'ok', token: 't' })
  expect(server.requests).toHaveLength(3)
})

test('in compat the token endpoint is asked twice, come what may [OUT-84]', async () => {
  await using server = await startReceiver((response) => response.writeHead(503, { 'retry-after': '60' }).end())
  const tokens = sourceOf()
  const config = configOf(server.url, undefined, { mode: 'compat' })
  for (let at = 0; at < 2; at++)
    expect(await tokens.get(DESTINATION, config)).toEqual({ status: 'failed', reason: 'http_503' })
  expect(server.requests).toHaveLength(4)
})

test('durable: the message waits as long as the token endpoint asks [SEC-100] [SEC-55]', async () => {
  let isBusy = true
  await using endpoint = await startReceiver()
  await using tokens = await startReceiver((response) =>
    isBusy ? response.writeHead(429, { 'retry-after': '600' }).end() : response.end(bearer('t')),
  )
  const timers = manualTimers()
  let nowMs = NOW
  const config = { url: endpoint.url, auth: { type: 'oauth2', tokenUrl: tokens.url, credentials: 'bm90' } }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { after: timers.after, clock: () => nowMs })
  await bench.commit(deviceIn(1, [100]))
  await until(() => timers.waits().length === 1)
  expect(timers.waits()).toEqual([600_000])
  expect(tokens.requests).toHaveLength(1)
  isBusy = false
  nowMs += 600_000
  timers.advance(600_000)
  await bench.idle()
  expect(bench.ended).toMatchObject([{ status: 'acknowledged' }])
})

test('a token without a lifetime is used until it is refused; with one it is renewed a minute before its end [OUT-81] [SEC-55]', async () => {
  await using server = await tokenServer(
    bearer('a', { token_type: 'bEARER' }),
    bearer('b', { expires_in: 100 }),
    bearer('c'),
  )
  let nowMs = NOW
  const tokens = sourceOf(() => nowMs)
  const config = configOf(server.url)
  const get = async () => {
    const answer = await tokens.get(DESTINATION, config)
    return answer.status === 'ok' ? answer.token : answer.reason
  }
  expect(await get()).toBe('a')
  nowMs += 30 * 86_400_000
  expect(await get()).toBe('a')
  tokens.drop(DESTINATION, 'another')
  expect(await get()).toBe('a')
  tokens.drop(DESTINATION, 'a')
  expect(await get()).toBe('b')
  nowMs += 39_999
  expect(await get()).toBe('b')
  nowMs += 1
  expect(await get()).toBe('c')
  expect(server.requests).toHaveLength(3)
})

test('one fetch at a time for each destination, shared by all who wait; nothing is shared between destinations [OUT-82] [OUT-84]', async () => {
  await using server = await startReceiver((response, _request, number) =>
    setTimeout(() => response.end(bearer(`t${number}`)), 30),
  )
  const tokens = sourceOf()
  const config = configOf(server.url)
  const same = await Promise.all(Array.from({ length: 10 }, () => tokens.get(DESTINATION, config)))
  expect(new Set(same.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(server.requests).toHaveLength(1)
  await tokens.get(OTHER, config)
  expect(server.requests).toHaveLength(2)
  // Other credentials need another token.
  await tokens.get(DESTINATION, configOf(server.url, { credentials: 'changed' }))
  expect(server.requests).toHaveLength(3)
})

test.each([
  ['http_500', [500]],
  ['http_302', [302]],
  ['not_json', ['<html>']],
  ['token_type_not_bearer', [JSON.stringify({ token_type: 'mac', access_token: 'x' })]],
  ['access_token_missing', [JSON.stringify({ token_type: 'Bearer' })]],
  ['access_token_missing', [bearer('line\r\nbreak')]],
] as const)(
  'a failing token endpoint is tried once more, then reported as %s [OUT-81] [OUT-84]',
  async (reason, answers) => {
    await using server = await tokenServer(...answers)
    expect(await sourceOf().get(DESTINATION, configOf(server.url))).toEqual({ status: 'failed', reason })
    expect(server.requests).toHaveLength(2)
    await using recovering = await tokenServer(answers[0], bearer('fine'))
    expect(await sourceOf().get(DESTINATION, configOf(recovering.url))).toEqual({ status: 'ok', token: 'fine' })
  },
)

test('a silent token endpoint fails at its deadline [OUT-84]', async () => {
  await using server = await startReceiver(() => {})
  expect(await sourceOf(() => NOW, 200).get(DESTINATION, configOf(server.url))).toEqual({
    status: 'failed',
    reason: 'timeout',
  })
})

/** A partner whose endpoint wants the token it gave out last. */
async function partner(refusals: number) {
  let given = 0
  let refused = 0
  const tokens = await startReceiver((response) => response.end(bearer(`t${++given}`)))
  const endpoint = await startReceiver((response, request) => {
    const isRefused = refused < refusals
    refused += isRefused ? 1 : 0
    response
      .writeHead(isRefused || request.headers.authorization !== `Bearer t${given}` ? 401 : 200)
      .end(`echo ${request.headers.authorization}`)
  })
  cleanups.push(
    () => tokens[Symbol.asyncDispose](),
    () => endpoint[Symbol.asyncDispose](),
  )
  const config = {
    url: endpoint.url,
    auth: { type: 'oauth2', tokenUrl: tokens.url, credentials: 'secret-credentials' },
  }
  return { tokens, endpoint, config }
}

const bearers = (requests: readonly Received[]) => requests.map((request) => request.headers.authorization)

test('messages carry the token in the documented form [OUT-78] [OUT-85]', async () => {
  const { endpoint, config } = await partner(0)
  await using bench = await openWorkbench({ destinations: [{ config: { ...config, userAgent: 'aam' } }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(endpoint.requests[0]).toMatchObject({
    method: 'POST',
    headers: {
      'user-agent': 'Adobe Audience Manager Iris',
      authorization: 'Bearer t1',
      'content-type': 'application/json',
      'accept-encoding': 'gzip',
    },
  })
})

test('compat: a 401 fetches a new token, and the repetition with it is the single retry [OUT-83] [OUT-84]', async () => {
  const { endpoint, tokens, config } = await partner(1)
  await using bench = await openWorkbench({ destinations: [{ config: { ...config, mode: 'compat' } }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(bearers(endpoint.requests)).toEqual(['Bearer t1', 'Bearer t2'])
  expect(bench.ended).toMatchObject([{ status: 'acknowledged', attempts: [{ httpStatus: 401 }, { httpStatus: 200 }] }])
  expect(tokens.requests).toHaveLength(2)
  // Tokens are passwords: the partner's echo of one is not kept [OUT-84].
  expect(JSON.stringify(await bench.deliveries.get(bench.ended[0]?.deliveryId ?? ('' as never)))).not.toMatch(
    /Bearer t\d|secret-credentials/,
  )
})

test('compat: a second 401 is final [OUT-83]', async () => {
  const { endpoint, config } = await partner(9)
  await using bench = await openWorkbench({ destinations: [{ config: { ...config, mode: 'compat' } }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(bearers(endpoint.requests)).toEqual(['Bearer t1', 'Bearer t2'])
  expect(bench.ended).toMatchObject([{ status: 'dead', reason: 'http_401', aamWouldDrop: true }])
})

test('durable: one new token and one immediate repetition, then the schedule [SEC-55]', async () => {
  const { endpoint, config } = await partner(2)
  const timers = manualTimers()
  await using bench = await openWorkbench({ destinations: [{ config }] }, { after: timers.after, random: () => 0.5 })
  await bench.commit(deviceIn(1, [100]))
  await until(() => timers.waits().length === 1)
  timers.advance(0)
  await until(() => timers.waits()[0] === 300_000)
  timers.advance(300_000)
  await bench.idle()
  expect(bearers(endpoint.requests)).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t3'])
  expect(bench.ended).toMatchObject([{ status: 'acknowledged' }])
})

test('without a token compat fails the message and durable keeps it, no attempt used up; both say that it was the token endpoint, and what it answered [OUT-84] [OUT-24~] [SEC-55]', async () => {
  let isDown = true
  await using endpoint = await startReceiver()
  const said = '{"error":"invalid_client","sent":"not to be seen"}'
  await using tokens = await startReceiver((response) =>
    isDown ? response.writeHead(401).end(said) : response.end(bearer('t')),
  )
  const auth = { type: 'oauth2', tokenUrl: tokens.url, credentials: 'not to be seen' }
  const config = { url: endpoint.url, auth }
  const timers = manualTimers()
  const destinations = [{ config: { ...config, mode: 'compat' } }, { id: OTHER, config }]
  await using bench = await openWorkbench({ destinations }, { after: timers.after })
  await bench.commit(deviceIn(1, [100]), [DESTINATION, OTHER])
  await until(() => bench.ended.length === 1 && timers.waits().length === 1)
  const responseExcerpt = '{"error":"invalid_client","sent":"***"}'
  const attempt = { number: 1, outcome: 'failed', httpStatus: null, error: 'oauth_http_401', responseExcerpt }
  const failed = { reason: 'authentication_failed', attempts: [attempt] }
  expect(bench.ended).toMatchObject([{ destinationId: DESTINATION, status: 'dead', aamWouldDrop: true, ...failed }])
  expect(bench.dispatcher.stats().destinations.map((one) => one.authenticationFailed)).toEqual([true, true])
  expect(bench.dispatcher.health().map(({ lastFailure }) => lastFailure?.reason)).toEqual(
    Array(2).fill('oauth_http_401'),
  )
  const waiting = async () => (await bench.deliveries.list({ status: 'retrying', page: 0, pageSize: 9 })).list
  expect(await waiting()).toMatchObject([failed])
  // However often it is asked, one record of it.
  const asked = tokens.requests.length
  timers.advance(5_000)
  await until(() => tokens.requests.length > asked && timers.waits().length === 1)
  expect(await waiting()).toMatchObject([failed])
  isDown = false
  timers.advance(10_000)
  await bench.idle()
  expect(bench.ended[1]).toMatchObject({
    status: 'acknowledged',
    attempts: [
      { error: 'oauth_http_401', uncounted: 'no_token' },
      { number: 2, outcome: 'acknowledged' },
    ],
  })
})

test('what a token endpoint answers with a token in it is in no record [SEC-55~] [SEC-27~]', async () => {
  await using tokens = await tokenServer(JSON.stringify({ token_type: 'mac', access_token: 'not to be seen' }))
  const auth = { type: 'oauth2', tokenUrl: tokens.url, credentials: 'x' }
  const config = { url: 'https://partner.example/in', mode: 'compat', auth }
  await using bench = await openWorkbench({ destinations: [{ config }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  const [ended] = bench.ended
  expect(ended?.attempts).toMatchObject([{ error: 'oauth_token_type_not_bearer', responseExcerpt: '' }])
  expect(JSON.stringify(ended)).not.toContain('not to be seen')
})
