import { expect, test } from 'vitest'
import { consentString } from './test-consent.conformance.ts'
import { DEVICE, dataSource, ECID, NEW_DEVICE, startTestEdge, testDirectory } from './test-edge.conformance.ts'

const anyHost = { config: { redirectAnyHost: true } }

test('the documented click pair [COL-184] [COL-185] [COL-186] [COL-188]', async () => {
  await using edge = await startTestEdge(anyHost)
  const target =
    '/event?d_event=click&d_creative=123&d_rd=http%3A%2F%2Fadobe.com%2Fcallback%3Fcreative%3D%25d_creative%25'
  const reply = await edge.call(target, { headers: { host: 'client.demdex.net' } })
  expect([reply.status, reply.headers.location]).toEqual([302, 'http://adobe.com/callback?creative=123'])
  expect(edge.calls[0]?.signals.all('d_creative')).toEqual(['123'])
})

test('a target encoded twice gives the same [COL-185]', async () => {
  await using edge = await startTestEdge(anyHost)
  const twice = encodeURIComponent(encodeURIComponent('https://adobe.com/cb?creative=%d_creative%&x=1'))
  expect((await edge.call(`/event?d_event=click&d_creative=123&d_rd=${twice}`)).headers.location).toBe(
    'https://adobe.com/cb?creative=123&x=1',
  )
})

test.each([
  ['https%3A%2F%2Fa.example%2F%3Fkw%3Dred%20shoes', 'kw=red%20shoes'],
  ['https%3A%2F%2Fa.example%2F%3Fkw%3Dred+shoes', 'kw=red%20shoes'],
  ['https%3A%2F%2Fa.example%2F%3Fkw%3Dred%2520shoes', 'kw=red%20shoes'],
  ['https%3A%2F%2Fa.example%2F%3Fkw%3Dred%2Bshoes', 'kw=red+shoes'],
  ['https%253A%252F%252Fa.example%252F%253Fkw%253Dred%2520shoes', 'kw=red%20shoes'],
  ['https://a.example/?kw=red+shoes', 'kw=red%20shoes'],
  ['https%3A%2F%2Fa.example%2F%3Fkw%3Da%0D%0A', 'kw=a'],
  ['%20%0Ahttps%3A%2F%2Fa.example%2F%3Fkw%3Da%2525', 'kw=a%25'],
  ['https%3A%2F%2Fa.example%2F%3Fkw%3D%C3%A9%7Cb%22c%22%7Bd%7D', 'kw=%C3%A9|b%22c%22{d}'],
  ['https%3A%2F%2Fa.example%2F%3Fkw%3Dred shoes %25d_creative%25'.replaceAll(' ', '%20'), 'kw=red%20shoes%207'],
])('the keywords in %s take the visitor on as %s [COL-189] [COL-185] [SEC-14]', async (target, query) => {
  await using edge = await startTestEdge(anyHost)
  const reply = await edge.call(`/event?d_event=click&d_creative=7&d_rd=${target}`)
  expect([reply.status, reply.headers.location]).toEqual([302, `https://a.example/?${query}`])
})

test('an encoded equals sign is tolerated [COL-190]', async () => {
  await using edge = await startTestEdge(anyHost)
  expect((await edge.call('/event?d_event=click&d_rd%3Dhttp%3A%2F%2Fadobe.com%2Fx')).headers.location).toBe(
    'http://adobe.com/x',
  )
})

test('every macro of the page has its value or the documented stand-in [COL-186] [COL-210]', async () => {
  await using edge = await startTestEdge(anyHost)
  const go = async (rest: string, query = '') => {
    const reply = await edge.call(
      `/event?d_event=click${query}&d_rd=${encodeURIComponent(`https://a.example/?${rest}`)}`,
    )
    return (reply.headers.location ?? '').slice('https://a.example/?'.length)
  }
  expect(await go('%d_src%|%d_id%|%d_dpuuid%|%own%', '&d_src=1&d_dpid=123&d_dpuuid=u%261&own=a%20b')).toBe(
    '1|123|u%261|a%20b',
  )
  expect(await go('r=%d_region%', '&d_region=IA')).toBe('r=7')
  expect(await go('u=%d_uuid%&m=%d_mid%')).toBe(`u=${NEW_DEVICE}&m=${ECID}`)
  expect(await go('u=%d_uuid%', `&d_uuid=${DEVICE}`)).toBe(`u=${DEVICE}`)
  expect(await go('%r_rand%')).toMatch(/^[0-9]{10}$/)
  expect(await go('%r_rand%', '&r_rand=77')).toBe('77')
  expect(await go('a=%d_campaign%&b=%unknown%&c=%41')).toBe('a=&b=%unknown%&c=%41')
  expect(await go('p=%p_age%', '&p_age=23')).toBe('p=%p_age%')
})

test('the consent macros of a click [COL-187]', async () => {
  await using edge = await startTestEdge({ config: { redirectAnyHost: true, cmpList: new Map([[31, null]]) } })
  const rd = encodeURIComponent('https://a.example/?g=${gdpr}&c=${gdpr_consent_565}')
  const go = async (query: string) =>
    (await edge.call(`/event?d_event=click&d_rd=${rd}${query}`)).headers.location?.slice(19)
  const string = consentString({})
  expect(await go('')).toBe('g=0&c=0')
  expect(await go(`&gdpr=1&gdpr_consent=${string}`)).toBe(`g=1&c=${string}`)
  expect(await go(`&gdpr=1&gdpr_consent=${consentString({ cmpId: 99 })}`)).toBe('g=0&c=')
})

test('a click goes on when the data does not: opted out, refused, broken, or in trouble [COL-189]', async () => {
  await using edge = await startTestEdge({
    ...anyHost,
    process: () => Promise.reject(new Error('x')),
    overloaded: () => false,
  })
  const rd = '/event?d_event=click&d_rd=https%3A%2F%2Fa.example%2F%3Fu%3D%25d_uuid%25'
  for (const [query, cookie, code] of [
    ['', 'demdex=NOTARGET', 171],
    ['&x=%zz', 'a=b', 311],
    ['&gdpr=1', 'a=b', 315],
    ['', 'a=b', 0],
  ] as const) {
    const reply = await edge.call(rd + query, { headers: { cookie } })
    expect([reply.status, reply.headers.location, reply.codes()]).toEqual([302, 'https://a.example/?u=', [code]])
  }
})

test('without a target, or with one that is not allowed, the pixel is the answer [COL-184] [COL-188] [SEC-13~] [SEC-17]', async () => {
  const directory = testDirectory([dataSource(50, { integrationCode: 'media', redirectHosts: ['shop.example'] })])
  await using edge = await startTestEdge({ directory })
  expect((await edge.call('/event?d_event=click')).headers['content-type']).toBe('image/gif')
  const rd = '&d_rd=https%3A%2F%2Fshop.example%2Fa'
  expect((await edge.call(`/event?d_event=click${rd}`)).status).toBe(200)
  expect((await edge.call(`/event?d_event=click&d_src=50${rd}`)).status).toBe(302)
  expect((await edge.call(`/event?d_event=click&d_src=media${rd}`)).status).toBe(302)
  expect((await edge.call(`/event?d_event=imp&d_src=media${rd}`)).status).toBe(200)
  for (const source of ['0x32', '50.0', '5e1', '%2B50', '50%20'])
    expect([source, (await edge.call(`/event?d_event=click&d_src=${source}${rd}`)).status]).toEqual([source, 200])
  expect(edge.blockedRedirects).toEqual(Array(6).fill('host'))
  expect(edge.calls).toHaveLength(10)
})
