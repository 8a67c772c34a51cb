import { request as httpsRequest } from 'node:https'
import { expect, test } from 'vitest'
import type { EdgeConfig } from './edge-config.ts'
import { TEST_CERTIFICATE } from './test-certificate.conformance.ts'
import { startTestEdge } from './test-edge.conformance.ts'

type Headers = Record<string, string | string[]>

const behindProxy: Partial<EdgeConfig> = { trustedProxies: ['127.0.0.0/8'] }
const behindForwarded: Partial<EdgeConfig> = { ...behindProxy, forwardedHeader: 'forwarded' }

/** Whether the visitor's cookie is for encrypted connections only. */
async function isSecure(config: Partial<EdgeConfig>, headers: Headers): Promise<boolean> {
  await using edge = await startTestEdge({ config })
  const reply = await edge.call('/event?d_dil_ver=9', { headers: headers as Record<string, string> })
  const cookie = reply.cookies[0] ?? ''
  const signs = [
    /; Secure\b/.test(cookie),
    /; SameSite=None\b/.test(cookie),
    'strict-transport-security' in reply.headers,
  ]
  expect(new Set(signs).size, 'all signs of TLS or none').toBe(1)
  return signs[0] === true
}

test.each([
  ['https', true],
  ['HTTPS', true],
  ['Https ', true],
  ['https,http', true], // The left-most speaks of the visitor's own connection.
  [' https , http', true],
  ['"https"', true],
  ['" https ", http', true],
  ['https,', true],
  [['https', 'http'], true], // Several lines are one list.
  ['http', false],
  ['http,https', false],
  [['http', 'https'], false],
  [',https', false],
  ['', false],
  ['wss', false],
  ['https://', false],
  ['httpss', false],
  ['on', false],
])('X-Forwarded-Proto %j of a trusted proxy: encrypted %s [SEC-99] [COL-124]', async (value, expected) => {
  expect(await isSecure(behindProxy, { 'x-forwarded-proto': value })).toBe(expected)
  // What the proxy says goes before what is configured.
  expect(await isSecure({ ...behindProxy, tlsEndedInFront: true }, { 'x-forwarded-proto': value })).toBe(expected)
})

test.each<[string | string[], string | undefined, boolean]>([
  ['proto=https', undefined, true],
  ['for=192.0.2.60;proto=https;by=203.0.113.43', undefined, true],
  ['For="[2001:db8:cafe::17]:4711"; Proto="HTTPS"', undefined, true],
  ['for=192.0.2.60;proto=https, for=10.0.0.1;proto=http', undefined, true],
  [['for=192.0.2.60;proto=https', 'for=10.0.0.1;proto=http'], undefined, true],
  ['for=192.0.2.60, for=10.0.0.1;proto=https', undefined, true],
  ['for=192.0.2.60;host="a,b;proto=http";proto=https', undefined, true],
  ['for=192.0.2.60;proto=http, for=10.0.0.1;proto=https', undefined, false],
  ['proto=wss', 'https', false],
  ['proto=', 'https', false],
  ['proto=https', 'http', true],
  ['for=192.0.2.60', 'https', true], // It names none: the question goes to the other header.
  ['for=192.0.2.60;xproto=https', 'http', false],
  ['for=192.0.2.60', undefined, false],
])('Forwarded %j beside X-Forwarded-Proto %s: encrypted %s [SEC-99]', async (forwarded, proto, expected) => {
  const headers: Headers = { forwarded, ...(proto === undefined ? {} : { 'x-forwarded-proto': proto }) }
  expect(await isSecure(behindForwarded, headers)).toBe(expected)
})

test('Forwarded is read only where it is the configured header [SEC-99] [COL-141]', async () => {
  expect(await isSecure(behindProxy, { forwarded: 'proto=https' })).toBe(false)
  expect(await isSecure(behindForwarded, { 'x-forwarded-proto': 'https' })).toBe(true)
})

test('nobody but a trusted proxy says anything about it [SEC-99] [SEC-09]', async () => {
  for (const config of [{}, { trustedProxies: ['10.0.0.0/8', '::1'] }]) {
    expect(await isSecure(config, { 'x-forwarded-proto': 'https' })).toBe(false)
    expect(await isSecure({ ...config, forwardedHeader: 'forwarded' }, { forwarded: 'proto=https' })).toBe(false)
    expect(await isSecure({ ...config, tlsEndedInFront: true }, { 'x-forwarded-proto': 'http' })).toBe(true)
  }
})

test('TLS that ends in front counts where no header speaks of it [SEC-99] [COL-124]', async () => {
  expect(await isSecure({ tlsEndedInFront: true }, {})).toBe(true)
  expect(await isSecure({ ...behindProxy, tlsEndedInFront: true }, {})).toBe(true)
  expect(await isSecure(behindProxy, {})).toBe(false)
})

test('a proxy that itself speaks TLS to us still speaks for its visitor [SEC-99]', async () => {
  await using edge = await startTestEdge({ config: { ...behindProxy, tls: TEST_CERTIFICATE } })
  const cookieFor = (proto: string) =>
    new Promise<string>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: edge.port, path: '/event', rejectUnauthorized: false, agent: false }
      const headers = { host: 'a.demdex.net', 'x-forwarded-proto': proto }
      httpsRequest({ ...options, headers }, (response) => {
        response.resume().on('end', () => resolve(response.headers['set-cookie']?.[0] ?? ''))
      })
        .on('error', reject)
        .end()
    })
  expect(await cookieFor('https')).toContain('; Secure')
  expect(await cookieFor('http')).not.toContain('; Secure')
})

test('every cookie follows the scheme of the visitor, and is partitioned where that is set: of opt-outs too [SEC-99] [SEC-18]', async () => {
  await using edge = await startTestEdge({ config: behindProxy })
  const { cookies } = await edge.call('/demoptout.jpg', { headers: { 'x-forwarded-proto': 'HTTPS,http' } })
  expect(cookies).toHaveLength(2)
  for (const cookie of cookies) expect(cookie).toContain('; Secure; SameSite=None')
  await using partitioned = await startTestEdge({ config: { ...behindProxy, partitionedCookies: true } })
  for (const target of ['/ibs:dpid=1&dpuuid=u', '/demoptout.jpg']) {
    const reply = await partitioned.call(target, { headers: { 'x-forwarded-proto': 'https' } })
    expect(reply.cookies.map((cookie) => cookie.endsWith('; Partitioned'))).toEqual([true, true])
  }
})
