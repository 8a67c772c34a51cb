import { expect, test } from 'vitest'
import { clientAddress, obfuscated, TrustedProxies } from './client-address.ts'
import { startTestEdge } from './test-edge.conformance.ts'

const trusted = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'])

test.each([
  ['198.51.100.1', '203.0.113.9', '198.51.100.1'], // The peer is nobody we know: the header is ignored.
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['10.0.0.1', '1.1.1.1, 203.0.113.9, 10.2.3.4', '203.0.113.9'], // Left of the client stands what the client wrote.
  ['10.0.0.1', '10.9.9.9, 192.0.2.7', '10.9.9.9'],
  ['10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
  ['10.0.0.1', '[2001:db9::1]:443, 10.1.1.1', '2001:db9::1'],
  ['10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
  ['10.0.0.1', '203.0.113.9, unknown, 10.1.1.1', '10.1.1.1'],
  ['10.0.0.1', 'text', '10.0.0.1'],
  ['10.0.0.1', 'for=203.0.113.9;proto=https, for="[2001:db8::5]:1"', '203.0.113.9'],
  ['::FFFF:a00:1', '203.0.113.9, ::ffff:a01:203', '203.0.113.9'], // Any spelling of a mapped address.
  ['0:0:0:0:0:ffff:10.0.0.1', '[::ffff:203.0.113.9]:4711', '203.0.113.9'],
  ['2001:DB8:0::1', 'fe80::9%eth0, 2001:0db8:0000::0002', 'fe80::9'], // A zone is cut off.
  ['10.0.0.1', '203.0.113.9,', '10.0.0.1'],
  ['10.0.0.1', '203.0.113.9, 10.1.1.1:http', '10.0.0.1'],
  ['10.0.0.1', '"203.0.113.9"', '203.0.113.9'],
  ['10.0.0.1', 'For="203.0.113.9:80";by="a,b";host="x\\",y", FOR=10.2.2.2', '203.0.113.9'], // Commas in quotes.
  ['10.0.0.1', 'for=6.6.6.6;x=", for="[2001:db9::1]:4711"', '2001:db9::1'], // A quote left open by a client.
  ['10.0.0.1', 'for=6.6.6.6, for=", for=203.0.113.9', '203.0.113.9'],
  ['10.0.0.1', 'for=6.6.6.6;for=7.7.7.7', '10.0.0.1'],
  ['10.0.0.1', 'for=_hidden, for=10.3.3.3', '10.3.3.3'],
])('peer %s, forwarded %s: the client is %s [COL-141] [SEC-09]', (peer, forwarded, expected) => {
  expect(clientAddress(peer, forwarded, trusted)).toBe(expected)
})

test('what is no network stops the start', () => {
  for (const cidr of [
    '10.0.0.0/33',
    'example',
    '10.0.0.0/x',
    '::1/129',
    '10.0.0.0/',
    '10.0.0.0/ ',
    '10.0.0.0/0x8',
    '10.0.0.0/8.0',
    '10.0.0.0/1e1',
  ])
    expect(() => new TrustedProxies([cidr])).toThrow(cidr)
})

test.each([
  ['255.255.255.255', '255.255.255.0'],
  ['203.0.113.9', '203.0.113.0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
  ['2001:db8::6', '2001:db8:0::'],
  ['::1', '0:0:0::'],
  ['::ffff:1.2.3.4%eth0', '0:0:0::'],
  ['nonsense', ''],
])('%s becomes %s [COL-219] [COL-211] [SEC-83~]', (address, expected) => {
  expect(obfuscated(address)).toBe(expected)
})

test('the address is obfuscated before anything uses it, and kept whole on request only [COL-218~] [COL-220] [COL-122] [SEC-83~]', async () => {
  const asked: string[] = []
  const countryOf = (address: string): undefined => void asked.push(address)
  const config = { trustedProxies: ['127.0.0.1'], countryOf }
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  await using edge = await startTestEdge({ config })
  await edge.call('/event', { headers })
  await using whole = await startTestEdge({ config: { ...config, obfuscation: 'none' } })
  await whole.call('/event', { headers })
  expect(asked).toEqual(['203.0.113.0', '203.0.113.9'])
  expect([edge.calls[0], whole.calls[0]].map((call) => call?.signals.all('h_ip'))).toEqual([
    ['203.0.113.0'],
    ['203.0.113.9'],
  ])
})

test('another header can be configured, and then this one is ignored [COL-141]', async () => {
  await using edge = await startTestEdge({
    config: { trustedProxies: ['127.0.0.0/8'], forwardedHeader: 'cdn-client-ip' },
  })
  await edge.call('/event', { headers: { 'x-forwarded-for': '198.51.100.1', 'cdn-client-ip': '203.0.113.9' } })
  expect(edge.calls[0]?.signals.all('h_ip')).toEqual(['203.0.113.0'])
})

test('a trusted proxy says whether TLS was ended in front [COL-09] [COL-124]', async () => {
  await using edge = await startTestEdge({ config: { trustedProxies: ['127.0.0.1'] } })
  const reply = await edge.call('/event', { headers: { 'x-forwarded-proto': 'https' } })
  expect(reply.cookies[0]).toContain('Secure; SameSite=None')
  expect(reply.headers['strict-transport-security']).toMatch(/^max-age=/)
  await using direct = await startTestEdge()
  const plain = await direct.call('/event', { headers: { 'x-forwarded-proto': 'https' } })
  expect([plain.cookies[0]?.includes('Secure'), plain.headers['strict-transport-security']]).toEqual([false, undefined])
})
