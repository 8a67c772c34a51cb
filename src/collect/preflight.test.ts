import { expect, test } from 'vitest'
import { type Reply, startTestEdge, type TestEdge } from './test-edge.conformance.ts'

const ORIGIN = 'https://shop.example'

function preflight(edge: TestEdge, target: string, headers: Record<string, string> = {}): Promise<Reply> {
  return edge.call(target, {
    method: 'OPTIONS',
    headers: { origin: ORIGIN, 'access-control-request-method': 'POST', ...headers },
  })
}

/** What a browser asks of the answer to a preflight with credentials before it sends the request (Fetch, 4.8). */
function mayBeSent(reply: Reply, method: string, names: readonly string[]): boolean {
  const list = (name: string) =>
    String(reply.headers[name] ?? '')
      .split(',')
      .map((item) => item.trim())
  const allowed = list('access-control-allow-headers').map((name) => name.toLowerCase())
  return (
    reply.status === 200 &&
    reply.headers['access-control-allow-origin'] === ORIGIN &&
    reply.headers['access-control-allow-credentials'] === 'true' &&
    (['GET', 'HEAD', 'POST'].includes(method) || list('access-control-allow-methods').includes(method)) &&
    names.every((name) => allowed.includes(name.toLowerCase()))
  )
}

test.each([
  ['content-type'],
  ['content-type', 'traceparent', 'tracestate', 'baggage'],
  ['x-datadog-origin', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'x-datadog-trace-id'],
  ['newrelic', 'traceparent', 'tracestate'],
  ['sentry-trace', 'baggage'],
  ['authorization', 'x-requested-with', 'uber-trace-id', 'b3', 'x-b3-traceid', 'elastic-apm-traceparent'],
  ["x!#$%&'*+.^_`|~0-9"],
])('a page whose scripts add headers may send its calls: %s, ... [COL-10]', async (...names) => {
  await using edge = await startTestEdge()
  for (const target of [
    '/event?_ts=1',
    '/?d_src=1',
    '/id?d_ver=2',
    '/ibs:dpid=1&dpuuid=x',
    '/demoptout',
    '/optOutStatus',
    '/tag.js',
  ]) {
    const reply = await preflight(edge, target, { 'access-control-request-headers': names.join(',') })
    expect([target, mayBeSent(reply, 'POST', names)]).toEqual([target, true])
    expect(reply.headers['access-control-max-age']).toBe('86400')
    expect(String(reply.headers.vary).split(/, */).sort()).toEqual(['Access-Control-Request-Headers', 'Origin'])
  }
  expect(edge.calls).toEqual([])
})

test('blanks, case and empty items of the list do not matter; what is no name is not given back [COL-10]', async () => {
  await using edge = await startTestEdge()
  const ask = async (list: string) =>
    (await preflight(edge, '/event', { 'access-control-request-headers': list })).headers[
      'access-control-allow-headers'
    ]
  expect(await ask('Traceparent , X-Own,,CONTENT-TYPE')).toBe('Content-Type, Traceparent, X-Own')
  expect(await ask('a b, x-own, "q", <script>, \u00fc')).toBe('Content-Type, x-own')
  expect(await ask('')).toBe('Content-Type')
})

test('a preflight of any method is answered the same: GET, POST and HEAD may be sent, and no other [COL-10] [SEC-04]', async () => {
  await using edge = await startTestEdge()
  for (const method of ['GET', 'POST', 'HEAD', 'PUT', 'DELETE'])
    expect([
      method,
      mayBeSent(await preflight(edge, '/event', { 'access-control-request-method': method }), method, []),
    ]).toEqual([method, method !== 'PUT' && method !== 'DELETE'])
})

test('a public page may call an edge in a private network [COL-10]', async () => {
  await using edge = await startTestEdge()
  const asked = await preflight(edge, '/event', { 'access-control-request-private-network': 'true' })
  expect(asked.headers['access-control-allow-private-network']).toBe('true')
  expect((await preflight(edge, '/event')).headers['access-control-allow-private-network']).toBeUndefined()
})

test('origins that may not read answers are not allowed to send either [SEC-20]', async () => {
  await using edge = await startTestEdge({ config: { corsOrigins: ['https://other.example'] } })
  const reply = await preflight(edge, '/event', { 'access-control-request-headers': 'traceparent' })
  expect([reply.status, mayBeSent(reply, 'POST', ['traceparent'])]).toEqual([200, false])
  expect((await preflight(edge, '/event', { origin: 'null' })).headers['access-control-allow-origin']).toBeUndefined()
})
