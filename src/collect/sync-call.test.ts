import { expect, test } from 'vitest'
import { consentString } from './test-consent.conformance.ts'
import {
  DEVICE,
  dataSource,
  ECID,
  NEW_DEVICE,
  NOW_MS,
  startTestEdge,
  type TestEdge,
  testDirectory,
} from './test-edge.conformance.ts'

const directory = testDirectory([
  dataSource(420, {
    integrationCode: 'partner',
    redirectHosts: ['partner.example', '*.ads.example', 'http://old.example:8080'],
  }),
])
const dpm = { headers: { host: 'dpm.demdex.net' } }
const withRedir = (url: string, rest = 'dpid=420&dpuuid=u1') => `/ibs:${rest}&redir=${encodeURIComponent(url)}`

test.each([
  '/ibs:dpid=420&dpuuid=u1',
  '/ibs:d_dpid=420&d_dpuuid=u1',
  '/ibs:d_cid=420%01u1',
  '/ibs:d_cid_ic=partner%01u1',
  `/ibs:dpid=420&dpuuid=u1&d_uuid=${DEVICE}`,
  `/ibs:dpid=420&dpuuid=u1&d_mid=${ECID}`,
  '/ibs?dpid=420&dpuuid=u1',
  '/ibs:dpid=420?dpuuid=u1&x=1',
])(
  '%s is an ID sync and answers a pixel [COL-152] [COL-153] [COL-154] [COL-160] [OUT-10] [OUT-12] [COL-92] [CLI-8] [COL-165]',
  async (target) => {
    await using edge = await startTestEdge({ directory })
    const reply = await edge.call(target, dpm)
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'image/gif'])
    expect(edge.calls[0]).toMatchObject({
      kind: 'sync',
      declaredIds: [{ dataSourceId: 420, id: 'u1', authState: 0 }],
      errors: [],
    })
  },
)

test('the path is read as it is: slashes, plus signs and %2F in it are data [COL-152] [COL-34]', async () => {
  await using edge = await startTestEdge({ directory })
  await edge.call('/ibs:dpid=420&dpuuid=a//b%2Fc+d&d_uuid=12345678901234567890123456789012345678', dpm)
  expect(edge.calls[0]?.declaredIds[0]?.id).toBe('a//b/c+d')
  expect(edge.calls[0]?.deviceId).toBe(DEVICE)
})

test('the mapping is handed over, demdex set, dextp extended [COL-155] [COL-156] [COL-125] [OUT-12]', async () => {
  await using edge = await startTestEdge({ directory })
  const first = await edge.call('/ibs:dpid=420&dpuuid=u1', dpm)
  expect(first.cookies.map((cookie) => cookie.split(';')[0])).toEqual([
    `demdex=${NEW_DEVICE}`,
    `dextp=420-1-${NOW_MS}|`,
  ])
  const again = await edge.call('/ibs:dpid=420&dpuuid=u1', {
    headers: { ...dpm.headers, cookie: `demdex=${DEVICE}; dextp=21-1-1490307821616|420-1-1490307822038|` },
  })
  expect(again.cookies.map((cookie) => cookie.split(';')[0])).toEqual([
    `demdex=${DEVICE}`,
    `dextp=21-1-1490307821616|420-1-${NOW_MS}|`,
  ])
})

test('the redirect carries the device ID in every spelling of the macro [COL-157] [COL-158] [OUT-11] [SEC-15]', async () => {
  await using edge = await startTestEdge({ directory })
  const location = async (url: string) => (await edge.call(withRedir(url), dpm)).headers.location
  expect(await location('https://partner.example/cb?u=${DD_UUID}')).toBe(`https://partner.example/cb?u=${NEW_DEVICE}`)
  expect(await location('https://partner.example/${dd_uuid}/x?u=%24%7BDD_UUID%7D&v=$%7BDD_UUID%7D#${DD_UUID}')).toBe(
    `https://partner.example/${NEW_DEVICE}/x?u=${NEW_DEVICE}&v=${NEW_DEVICE}#${NEW_DEVICE}`,
  )
  expect(await location('https://a.ads.example/?g=${GDPR}&c=${GDPR_CONSENT_42}')).toBe('https://a.ads.example/?g=0&c=0')
  expect(await location('https://partner.example/plain')).toBe('https://partner.example/plain')
  expect(await location('http://old.example:8080/x')).toBe('http://old.example:8080/x')
})

test.each([
  ['https://partner.example/red shoes?q=red shoes#a b', 'https://partner.example/red%20shoes?q=red%20shoes#a%20b'],
  [' \thttps://partner.example/x \r\n', 'https://partner.example/x'],
  ['https://partner.example/?q=a%20b+c', 'https://partner.example/?q=a%20b+c'],
  ['https://partner.example/caf\u00e9?q=\u00e9\u20ac', 'https://partner.example/caf%C3%A9?q=%C3%A9%E2%82%AC'],
  ['https://partner.example/?q=a\u00a0b', 'https://partner.example/?q=a%C2%A0b'],
  ['https://partner.example/?q="a"|{b}<c>^`[d]', 'https://partner.example/?q=%22a%22|{b}%3Cc%3E^`[d]'],
  ['https://partner.example/"a"|{b}', 'https://partner.example/%22a%22|%7Bb%7D'],
  ['https://partner.example/?q=100%&r=%zz', 'https://partner.example/?q=100%&r=%zz'],
])('the target %j leads on, written as a browser would [SEC-14] [COL-157]', async (url, location) => {
  await using edge = await startTestEdge({ directory })
  const reply = await edge.call(withRedir(url), dpm)
  expect([reply.status, reply.headers.location]).toEqual([302, location])
  expect(edge.blockedRedirects).toEqual([])
})

test('quotes, pipes and braces may stand unencoded in the path of a sync, and a plus is no blank there [COL-152] [COL-34]', async () => {
  await using edge = await startTestEdge({ directory })
  const target = '/ibs:dpid=420&dpuuid=u1&redir=https://partner.example/a+b"x"|{y};z'
  const answer = await edge.raw(`GET ${target} HTTP/1.1\r\nHost: dpm.demdex.net\r\nConnection: close\r\n\r\n`)
  expect(/Location: (.*)\r/.exec(answer)?.[1]).toBe('https://partner.example/a+b%22x%22|%7By%7D;z')
})

test('a consent string that was accepted is passed on [COL-158] [COL-187]', async () => {
  await using edge = await startTestEdge({ directory })
  const string = consentString({})
  const reply = await edge.call(
    `${withRedir('https://partner.example/?g=${GDPR}&c=${GDPR_CONSENT_42}')}&gdpr=1&gdpr_consent=${string}`,
    dpm,
  )
  expect(reply.headers.location).toBe(`https://partner.example/?g=1&c=${string}`)
})

test.each([
  ['https://elsewhere.example/', 'host'],
  ['https://partner.example.evil.example/', 'host'],
  ['https://ads.example/', 'host'],
  ['http://partner.example/', 'host'],
  ['https://partner.example:444/', 'host'],
  ['https://user:pw@partner.example/', 'user_info'],
  ['https://partner.example\\@evil.example/', 'characters'],
  ['https://partner.example/\r\nSet-Cookie: a=b', 'characters'],
  ['https://partner.example/\tx', 'characters'],
  ['https://partner.example/?a=b\nc', 'characters'],
  ['https://partner.example/\x00', 'characters'],
  ['https://partner.example/\x7f', 'characters'],
  ['https://partner.example/\u0085x', 'characters'],
  ['https://partner .example/', 'malformed'],
  ['https://partner.example /', 'malformed'],
  ['https:// partner.example/', 'malformed'],
  ['https://evil.example/ @partner.example/', 'host'],
  ['https://partner.example @evil.example/', 'user_info'],
  ['https ://partner.example/', 'scheme'],
  ['   ', 'scheme'],
  ['javascript:alert(1)', 'scheme'],
  ['//partner.example/', 'scheme'],
  ['/relative', 'scheme'],
  ['ftp://partner.example/', 'scheme'],
  ['https://', 'malformed'],
  ['https://${DD_UUID}.ads.example/', 'macro_in_host'],
  [`https://partner.example/${'a'.repeat(4096)}`, undefined],
  ['https://dpm.demdex.net/ibs:dpid=1&dpuuid=2', 'loop'],
])(
  '%s is refused: a pixel, the mapping is kept, the reason counted [COL-159] [SEC-13~] [SEC-14] [SEC-15] [SEC-16] [SEC-17] [OUT-11]',
  async (url, reason) => {
    await using edge = await startTestEdge({ directory })
    const reply = await edge.call(withRedir(url), dpm)
    expect([reply.status, reply.headers.location, reply.headers['content-type']]).toEqual([200, undefined, 'image/gif'])
    expect(edge.calls[0]?.declaredIds).toHaveLength(1)
    // A target over 4 KiB is left out as a parameter already.
    expect(edge.blockedRedirects).toEqual(reason === undefined ? [] : [reason])
  },
)

/** Follows our own redirects as a browser does that a partner sends straight back: with the cookies it was given. */
async function followChain(edge: TestEdge, target: (hop: number) => string, hopsMax: number) {
  const jar = new Map<string, string>()
  for (let hop = 1; hop <= hopsMax; hop++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await edge.call(target(hop), { headers: { ...dpm.headers, cookie } })
    if (reply.status !== 302) return { redirects: hop - 1, reply }
    for (const set of reply.cookies) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split('=')
      jar.set(name, value)
    }
  }
  return { redirects: hopsMax, reply: undefined }
}

test('the ninth hop of a chain between us and partners answers the pixel; the sync itself is made [SEC-16] [SEC-17]', async () => {
  await using edge = await startTestEdge({ directory })
  // The ID differs in each hop, so that nothing but the chain itself could be recognised.
  const target = (hop: number) => withRedir('https://partner.example/back', `dpid=420&dpuuid=u${hop}`)
  const { redirects, reply } = await followChain(edge, target, 20)
  expect([redirects, reply?.status, reply?.headers['content-type']]).toEqual([8, 200, 'image/gif'])
  expect(edge.blockedRedirects).toEqual(['hops'])
  expect(edge.calls.map((call) => call.declaredIds[0]?.id)).toEqual(Array.from({ length: 9 }, (_, at) => `u${at + 1}`))
})

test('a chain is over after ten seconds, and syncs of one page beside each other are none [SEC-16]', async () => {
  let nowMs = NOW_MS
  await using edge = await startTestEdge({ directory, nowMs: () => nowMs })
  const target = () => withRedir('https://partner.example/back')
  const slow = await followChain(
    edge,
    () => {
      nowMs += 2_000
      return target()
    },
    20,
  )
  expect(slow.redirects).toBe(20)
  const parallel = await Promise.all(Array.from({ length: 20 }, () => edge.call(target(), dpm)))
  expect(parallel.map((reply) => reply.status)).toEqual(parallel.map(() => 302))
})

test.each([
  'dexhop=8',
  'dexhop=08x-1',
  'dexhop=99-99999999999999',
  `dexhop=9-${NOW_MS - 10_000}`,
  `dexhop=9-${NOW_MS + 1}`,
  'xdexhop=9-1',
])('a hop count that is not ours, or not of now, counts nothing: %s [SEC-16]', async (cookie) => {
  await using edge = await startTestEdge({ directory })
  const reply = await edge.call(withRedir('https://partner.example/'), { headers: { ...dpm.headers, cookie } })
  expect([reply.status, reply.cookies.at(-1)]).toEqual([
    302,
    `dexhop=1-${NOW_MS}; Domain=.demdex.net; Path=/; Max-Age=10; HttpOnly`,
  ])
})

test('where no cookie may be set none counts the hops [SEC-16] [COL-54]', async () => {
  await using edge = await startTestEdge({ directory })
  const reply = await edge.call(withRedir('https://partner.example/', 'dpid=420&dpuuid=u1&d_coppa=1'), dpm)
  expect([reply.status, reply.cookies]).toEqual([302, []])
})

test('an empty list redirects nowhere; any host is a switch [SEC-13~]', async () => {
  await using closed = await startTestEdge()
  expect((await closed.call(withRedir('https://partner.example/', 'dpid=1&dpuuid=a'), dpm)).status).toBe(200)
  await using open = await startTestEdge({ config: { redirectAnyHost: true } })
  expect((await open.call(withRedir('http://partner.example/a', 'dpid=1&dpuuid=a'), dpm)).headers.location).toBe(
    'http://partner.example/a',
  )
  expect((await open.call(withRedir('javascript:1', 'dpid=1&dpuuid=a'), dpm)).status).toBe(200)
  await using listed = await startTestEdge({ config: { redirectHosts: ['partner.example'] } })
  const unknown = await listed.call(withRedir('https://partner.example/a', 'dpid=99999&dpuuid=a'), dpm)
  expect([unknown.status, unknown.codes()]).toEqual([302, [302, 104]])
})

test('opted out or without consent: no mapping, and the macro stays empty [COL-162] [COL-170] [OUT-13~] [COL-246]', async () => {
  await using edge = await startTestEdge({ directory })
  const target = withRedir('https://partner.example/?u=${DD_UUID}')
  for (const [query, cookie] of [
    ['', 'demdex=NOTARGET'],
    ['&gdpr=1', 'a=b'],
    [`&gdpr=1&gdpr_consent=${consentString({ purposes: [] })}`, `demdex=${DEVICE}`],
  ] as const) {
    const reply = await edge.call(target + query, { headers: { ...dpm.headers, cookie } })
    expect([reply.status, reply.headers.location, reply.cookies]).toEqual([302, 'https://partner.example/?u=', []])
  }
  expect(edge.calls).toEqual([])
  expect(edge.optOuts).toEqual([]) // `dpm` without an organization names no partner [COL-245].
})

test('Sec-GPC: no mapping is shared, in either direction [SEC-78]', async () => {
  await using edge = await startTestEdge({ directory })
  const reply = await edge.call(withRedir('https://partner.example/?u=${DD_UUID}'), {
    headers: { ...dpm.headers, 'sec-gpc': '1' },
  })
  expect(reply.headers.location).toBe('https://partner.example/?u=')
  expect(reply.cookies.some((cookie) => cookie.startsWith('dextp='))).toBe(false)
  expect(edge.calls[0]?.consent).toMatchObject({ syncDenied: true, reason: 'gpc' })
})

test('an unknown data source is 302 in X-Error, without a mapping [COL-163]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/ibs:dpid=99999&dpuuid=a', dpm)
  expect(reply.headers['x-error']).toBe('302,104')
  expect(edge.calls[0]?.declaredIds).toEqual([])
  const away = encodeURIComponent('https://partner.example/')
  await using known = await startTestEdge({ directory })
  const redirected = await known.call(`/ibs:dpid=99999&dpuuid=a&redir=${away}`, dpm)
  expect([redirected.status, redirected.headers['x-error'], known.blockedRedirects]).toEqual([200, '302,104', ['host']])
})

test('an ID sync with broken parameters is disregarded, redirect and all [COL-38]', async () => {
  await using edge = await startTestEdge({ directory })
  const reply = await edge.call(`${withRedir('https://partner.example/')}&x=%zz`, dpm)
  expect([reply.status, reply.codes(), edge.calls.length]).toEqual([200, [311], 0])
})
