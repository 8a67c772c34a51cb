import { X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import { expect, test } from 'vitest'
import { handedOverAddress, TrustedProxies } from './client-address.ts'
import type { EdgeConfig } from './edge-config.ts'
import { TEST_CERTIFICATE } from './test-certificate.conformance.ts'
import { DEVICE, startTestEdge, type TestEdge } from './test-edge.conformance.ts'

/** The tests call from here: the listed caller's own address, in the country where its data centre stands. */
const CALLER = '127.0.0.1'
const countryOf = (address: string) => (address.startsWith('203.0.113.') ? 'DE' : 'IE')
const seen = (edge: TestEdge) => edge.calls.at(-1)?.signals.first('h_ip')

async function callWith(config: Partial<EdgeConfig>, forwarded: string | undefined, host = 'shop.demdex.net') {
  await using edge = await startTestEdge({ config })
  const headers = forwarded === undefined ? { host } : { host, 'x-forwarded-for': forwarded }
  const reply = await edge.call(`/event?d_uuid=${DEVICE}`, { headers })
  return { codes: reply.codes(), address: seen(edge) }
}

test("a listed caller hands over the end user by the last entry; all that is left of it is the user's own text [COL-264] [COL-220]", async () => {
  const config = { callers: [CALLER] }
  expect(await callWith(config, '203.0.113.7')).toEqual({ codes: [], address: '203.0.113.0' })
  expect(await callWith(config, '198.51.100.1, 203.0.113.7:1234')).toMatchObject({ address: '203.0.113.0' })
  expect(await callWith({ ...config, obfuscation: 'none' }, '203.0.113.7')).toMatchObject({ address: '203.0.113.7' })
})

test('whoever is not listed hands over nothing [COL-264] [SEC-09]', async () => {
  for (const callers of [[], ['192.0.2.0/24'], ['other=127.0.0.0/8']])
    expect(await callWith({ callers }, '203.0.113.7')).toEqual({ codes: [], address: '127.0.0.0' })
})

test('a caller counts for its own alias alone [COL-264]', async () => {
  const config = { callers: ['Shop=127.0.0.0/8'], aliases: ['shop', 'bank'] }
  expect((await callWith(config, '203.0.113.7', 'shop.demdex.net')).address).toBe('203.0.113.0')
  expect((await callWith(config, '203.0.113.7', 'SHOP.demdex.net:443')).address).toBe('203.0.113.0')
  expect((await callWith(config, '203.0.113.7', 'bank.demdex.net')).address).toBe('127.0.0.0')
  expect((await callWith(config, '203.0.113.7', 'use.demdex.net')).address).toBe(undefined)
})

test('198 and 199 look at the address that was handed over; without one there is no check and no h_ip [COL-264] [COL-122]', async () => {
  const config = {
    callers: [CALLER],
    countryOf,
    blockedCountries: ['DE'],
    onlyCountries: [],
    forbiddenCountries: ['IE'],
  }
  expect(await callWith(config, '203.0.113.7')).toMatchObject({ codes: [198] })
  expect(await callWith({ ...config, callers: [] }, '203.0.113.7')).toMatchObject({ codes: [199] })
  for (const none of [undefined, '', 'unknown', '203.0.113.7, unknown', 'a b'])
    expect(await callWith(config, none), String(none)).toEqual({ codes: [], address: undefined })
})

test.each([
  ['peer is the caller', '10.9.9.9', 'x, 203.0.113.7', '203.0.113.7'],
  ['behind a proxy', '10.0.0.1', '203.0.113.7, 192.0.2.5', '203.0.113.7'],
  ['behind two', '10.0.0.1', '203.0.113.7, 192.0.2.5, 10.0.0.2', '203.0.113.7'],
  ['behind a proxy, none handed over', '10.0.0.1', '192.0.2.5', undefined],
  ['behind a proxy that tells nothing', '10.0.0.1', '', undefined],
  ['behind a proxy that tells text', '10.0.0.1', '203.0.113.7, text', undefined],
  ['nothing but proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', undefined],
])(
  'the entry left of the one the caller is seen under: %s [COL-264] [COL-141]',
  (_where, peer, forwarded, expected) => {
    expect(handedOverAddress(peer, forwarded, new TrustedProxies(['10.0.0.0/24']))).toBe(expected)
  },
)

test('behind a trusted proxy a caller is known by the address the proxy saw [COL-264] [COL-141]', async () => {
  await using edge = await startTestEdge({ config: { callers: ['192.0.2.5'], trustedProxies: [CALLER] } })
  const call = (forwarded: string) => edge.call('/event', { headers: { 'x-forwarded-for': forwarded } })
  await call('203.0.113.7, 192.0.2.5')
  expect(seen(edge)).toBe('203.0.113.0')
  await call('203.0.113.7, 192.0.2.6')
  expect(seen(edge)).toBe('192.0.2.0')
})

test('many calls of a caller warn and ban nobody; what a browser did too often stays denied for all [COL-146] [COL-264]', async () => {
  const denyList = {
    enabled: true,
    deviceCallsPerMinute: 3,
    deviceCallsPerDay: 100,
    personCallsPerMinute: 3,
    personCallsPerDay: 100,
    dataSourceIds: [],
  }
  await using edge = await startTestEdge({ config: { denyList, callers: ['shop=127.0.0.1'] } })
  const call = async (query: string, alias: string) =>
    (await edge.call(`/event?${query}`, { headers: { host: `${alias}.demdex.net` } })).codes()
  for (let i = 0; i < 11; i++) expect(await call(`d_uuid=${DEVICE}&d_cid=123%01crm`, 'shop')).toEqual([])
  expect(edge.callerWarnings).toEqual([-1, 123, -1, 123])
  // The same ID from its own browser begins at nothing.
  for (let i = 0; i < 3; i++) expect(await call(`d_uuid=${DEVICE}`, 'bank')).toEqual([])
  expect(await call(`d_uuid=${DEVICE}`, 'bank')).toEqual([307])
  expect(await call(`d_uuid=${DEVICE}`, 'shop')).toEqual([307])
})

test('a rate limit for each address counts the visitors of a caller, not the caller [COL-264] [COL-113]', async () => {
  const { limits } = (await import('./edge-config.ts')).DEFAULT_EDGE_CONFIG
  const config = { callers: ['shop=127.0.0.1'], limits: { ...limits, requestsPerSecondMax: 2 } }
  await using edge = await startTestEdge({ config })
  const statuses = async (alias: string, forwarded?: string) => {
    const headers: Record<string, string> = { host: `${alias}.demdex.net` }
    if (forwarded !== undefined) headers['x-forwarded-for'] = forwarded
    const replies = await Promise.all(Array.from({ length: 3 }, () => edge.call('/event', { headers })))
    return replies.map(({ status }) => status).sort()
  }
  expect(await statuses('shop')).toEqual([200, 200, 200])
  expect(await statuses('shop', '203.0.113.7')).toEqual([200, 200, 429])
  expect(await statuses('bank')).toEqual([200, 200, 429])
})

test('a caller may be known by its client certificate; visitors need none, and a foreign one is none [COL-264]', async () => {
  const fingerprint = new X509Certificate(TEST_CERTIFICATE.cert).fingerprint256
  const config = { tls: TEST_CERTIFICATE, callers: [`shop=sha256:${fingerprint}`] }
  await using edge = await startTestEdge({ config })
  const call = (port: number, client: object, host = 'shop.demdex.net') =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { host, 'x-forwarded-for': '203.0.113.7' }
      const options = {
        host: '127.0.0.1',
        port,
        path: '/event',
        rejectUnauthorized: false,
        agent: false,
        headers,
        ...client,
      }
      const message = httpsRequest(options, (response) =>
        response.resume().on('end', () => resolve(response.statusCode)),
      )
      message.on('error', reject)
      message.end()
    })
  expect(await call(edge.port, TEST_CERTIFICATE)).toBe(200)
  expect(seen(edge)).toBe('203.0.113.0')
  expect(await call(edge.port, TEST_CERTIFICATE, 'bank.demdex.net')).toBe(200)
  expect(seen(edge)).toBe('127.0.0.0')
  expect(await call(edge.port, {})).toBe(200)
  expect(seen(edge)).toBe('127.0.0.0')
  await using other = await startTestEdge({ config: { ...config, callers: [`sha256:${'0'.repeat(64)}`] } })
  expect(await call(other.port, TEST_CERTIFICATE)).toBe(200)
  expect(seen(other)).toBe('127.0.0.0')
})

test.each(['nonsense', 'shop=', '10.0.0.0/33', 'sha256:12', 'shop=sha256:'])(
  '%j is no caller: the start is refused [COL-264]',
  async (entry) => {
    await expect(startTestEdge({ config: { callers: [entry] } })).rejects.toThrow(RangeError)
  },
)
