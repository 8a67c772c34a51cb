import { expect, test } from 'vitest'
import { callError } from './error-codes.ts'
import { consentString } from './test-consent.conformance.ts'
import { DEVICE, form, NEW_DEVICE, startTestEdge, type TestSetup } from './test-edge.conformance.ts'

interface Row {
  readonly code: number
  readonly target: string
  readonly setup?: TestSetup
  readonly headers?: Record<string, string>
  /** Whether the call goes on ("drop") or not ("stop"). */
  readonly goesOn: boolean
  readonly codes?: readonly number[]
  readonly msg: string
}

const countryIs = (country: string): TestSetup => ({ config: { countryOf: () => country, blockedCountries: ['DE'] } })
const twelve = [1, 2, 3, 4].flatMap((id) => ['a', 'b', 'c'].map((user) => `d_cid=${id}%01${user}`)).join('&')

const UNKNOWN_ORGANIZATION = 'Invalid d_orgid value (could not find a config for this org id): '
const BLOCKED_COUNTRY = 'Requests from this country are blocked by partner'

const rows: readonly Row[] = [
  {
    code: 0,
    msg: 'Unspecified error',
    target: 'a=b',
    setup: { process: () => Promise.reject(new Error('x')) },
    goesOn: false,
  },
  {
    code: 1,
    msg: 'Could not find config for hostname: yourcompany.demdex.net',
    target: 'a=b',
    setup: { config: { aliases: ['other'] } },
    goesOn: false,
  },
  { code: 2, msg: `${UNKNOWN_ORGANIZATION}nonsense`, target: 'd_orgid=nonsense', goesOn: false },
  {
    code: 2,
    msg: `${UNKNOWN_ORGANIZATION}AB@AdobeOrg`,
    target: 'd_orgid=AB@AdobeOrg',
    setup: { config: { organizations: ['CD@AdobeOrg'] } },
    goesOn: false,
  },
  {
    code: 100,
    msg: 'Could not retrieve host name for the request',
    target: 'a=b',
    headers: { host: 'a b/c' },
    goesOn: false,
  },
  { code: 101, msg: 'Invalid Experience Cloud id passed in 123', target: 'd_mid=123', goesOn: true },
  { code: 102, msg: 'Invalid AAM ID passed in request 123456789', target: 'd_uuid=123456789', goesOn: true },
  { code: 104, msg: 'All customer IDs are invalid', target: 'd_cid=x%01a', codes: [300, 104], goesOn: true },
  {
    code: 109,
    msg: 'Referer https://bad.example/ is not allowed for partner yourcompany',
    target: 'h_referer=https://good.example/',
    setup: { config: { refererHosts: ['good.example'] } },
    headers: { referer: 'https://bad.example/' },
    goesOn: false,
  },
  {
    code: 171,
    msg: 'Encountered opt out tag for id NOTARGET',
    target: 'a=b',
    headers: { cookie: 'demdex=NOTARGET' },
    goesOn: false,
  },
  { code: 198, msg: BLOCKED_COUNTRY, target: 'a=b', setup: countryIs('DE'), goesOn: false },
  {
    code: 198,
    msg: BLOCKED_COUNTRY,
    target: 'a=b',
    setup: { config: { countryOf: () => 'FR', onlyCountries: ['DE'] } },
    goesOn: false,
  },
  ...['CU', 'IR', 'KP', 'SD', 'SY'].map((country) => ({
    code: 199,
    msg: 'Requests from this country are not allowed',
    target: 'a=b',
    setup: countryIs(country),
    goesOn: false,
  })),
  { code: 300, msg: 'Invalid customer id 123', target: 'd_cid=123&d_cid=123%01b', goesOn: true },
  {
    code: 301,
    msg: 'Maximum number of customer ids exceeded. Maximum allowed is 10. Found is 12.',
    target: twelve,
    codes: [301, 309, 309],
    goesOn: true,
  },
  { code: 302, msg: 'Unauthorized customer id 99999%01a', target: 'd_cid=99999%01a&d_cid=123%01b', goesOn: true },
  { code: 303, msg: 'Blocked customer id null', target: 'd_cid=123%01null&d_cid=123%01b', goesOn: true },
  {
    code: 304,
    msg: 'Blocked datasource id 1',
    target: 'd_cid=1%01a&d_cid=123%01b',
    setup: { config: { denyList: denyAll({ dataSourceIds: [1] }) } },
    goesOn: true,
  },
  {
    code: 310,
    msg: 'Customer id was discarded because it exceeded the limit for a given namespace. Namespace id is 1, customer id is d.',
    target: 'd_cid=1%01a&d_cid=1%01b&d_cid=1%01c&d_cid=1%01d',
    goesOn: true,
  },
  { code: 311, msg: 'Request contains invalid parameters', target: 'd_site=%esid!', goesOn: false },
  {
    code: 312,
    msg: 'Request contains an invalid Global Device ID',
    target: 'd_cid=20915%01a53cc5a2-6aa1-4210-8ded-a88b29b6212z&d_cid=123%01b',
    codes: [312, 300],
    goesOn: true,
  },
  {
    code: 313,
    msg: 'CMP ID is not present in GCL',
    target: `gdpr=1&gdpr_consent=${consentString({})}`,
    setup: { config: { cmpList: new Map() } },
    codes: [313, 315],
    goesOn: false,
  },
  {
    code: 313,
    msg: 'CMP ID is not present in GCL',
    target: `gdpr=1&gdpr_consent=${consentString({})}`,
    setup: { config: { cmpList: new Map(), acceptUnlistedCmp: true } },
    goesOn: true,
  },
  {
    code: 314,
    msg: 'CMP ID is marked as deleted in GCL',
    target: `gdpr=1&gdpr_consent=${consentString({})}`,
    setup: { config: { cmpList: new Map([[31, 1]]) } },
    codes: [314, 315],
    goesOn: false,
  },
  { code: 315, msg: 'Consent string indicates no consent', target: 'gdpr=1', goesOn: false },
]

function denyAll(over: { readonly dataSourceIds?: readonly number[]; readonly perMinute?: number }) {
  const perMinute = over.perMinute ?? 1000
  return {
    enabled: true,
    deviceCallsPerMinute: perMinute,
    deviceCallsPerDay: 100_000,
    personCallsPerMinute: perMinute,
    personCallsPerDay: 100_000,
    dataSourceIds: over.dataSourceIds ?? [],
  }
}

test.each(rows)(
  'code $code for $target [COL-118~] [COL-114] [COL-111] [COL-03] [COL-04] [COL-06] [COL-57] [COL-58] [COL-61] [COL-121] [COL-122] [COL-123] [SEC-02] [COL-23] [COL-38] [COL-64] [COL-86] [COL-87] [COL-99] [COL-112] [COL-117]',
  async ({ code, msg, target, setup, headers, goesOn, codes }) => {
    await using edge = await startTestEdge(setup)
    const json = await edge.call(`/event?d_rtbd=json&${target}`, headers === undefined ? {} : { headers })
    expect(json.status).toBe(200)
    expect(json.codes()).toEqual(codes ?? [code])
    expect((json.json()['errors'] as { code: number; msg: string }[]).map((error) => error.code)).toEqual(
      codes ?? [code],
    )
    expect(json.json()['uuid']).toBe(goesOn ? NEW_DEVICE : undefined)
    expect(json.json()['errors']).toContainEqual({ code, msg })
    if (!goesOn) expect(json.cookies).toEqual([])
    if (code > 0) expect(edge.calls).toHaveLength(goesOn ? 1 : 0)
    const pixel = await edge.call(`/event?${target}`, headers === undefined ? {} : { headers })
    expect([pixel.headers['content-type'], pixel.codes()]).toEqual(['image/gif', codes ?? [code]])
    expect(pixel.cookies).toEqual(json.cookies)
    expect(edge.rejected).toContain(String(code))
  },
)

test('without a Host header at all: 100 [COL-04]', async () => {
  await using edge = await startTestEdge()
  expect(await edge.raw('GET /event HTTP/1.1\r\nConnection: close\r\n\r\n')).toContain('X-Error: 100')
  expect(await edge.raw('GET /event HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toContain('X-Error: 100')
  expect(await edge.raw('GET /event HTTP/1.0\r\n\r\n')).toContain('X-Error: 100')
})

test('blocked cookies are seen by a second request [COL-128] [COL-112]', async () => {
  await using edge = await startTestEdge({ config: { cookieCheck: true } })
  const first = await edge.call('/event?a=b')
  expect([first.status, first.headers.location]).toEqual([302, '/event?a=b&_ct=1'])
  expect(first.cookies[0]).toMatch(/^demdex=[0-9]{38};/)
  expect((await edge.call('/event?a=b&_ct=1')).codes()).toEqual([172])
  expect(edge.calls).toEqual([])
  const kept = await edge.call('/event?a=b&_ct=1', {
    headers: { cookie: (first.cookies[0] ?? '').split(';')[0] ?? '' },
  })
  expect([kept.codes(), edge.calls[0]?.signals.has('_ct')]).toEqual([[], false])
  for (const target of [`/event?d_uuid=${DEVICE}`, '/event?d_rtbd=json', '/event?d_cid=123%01a&_ct=1']) {
    expect((await edge.call(target)).status).toBe(200)
  }
  await using off = await startTestEdge()
  expect((await off.call('/event?a=b')).codes()).toEqual([])
})

test('a frequent ID is denied: 307, 303, 306; alone the call is disregarded, with others only it is [COL-145] [COL-147] [COL-148] [COL-149] [SEC-10] [COL-146]', async () => {
  await using edge = await startTestEdge({ config: { denyList: denyAll({ perMinute: 3 }) } })
  const idfa = 'AEBE52E7-03EE-455A-B3C4-E57283966239'
  for (const [query, code] of [
    [`d_uuid=${DEVICE}`, 307],
    [`d_mid=${DEVICE}`, 307],
    ['d_cid=123%01busy', 303],
    [`d_cid=20915%01${idfa}`, 306],
  ] as const) {
    for (const kind of ['/event?', '/event?d_event=imp&', '/id?'])
      expect((await edge.call(`${kind}${query}`)).codes()).toEqual([])
    const before = edge.calls.length
    const alone = await edge.call(`/event?d_rtbd=json&${query}`)
    expect([alone.codes(), alone.json()['uuid'], edge.calls.length - before]).toEqual([[code], undefined, 0])
    const beside = await edge.call(`/event?${query}&d_cid=1%01other${code}${query.length}`)
    expect([beside.codes(), edge.calls.length - before]).toEqual([[code], 1])
    expect(edge.calls.at(-1)?.declaredIds).toHaveLength(1)
  }
  expect((await edge.call('/event?d_cid=456%01busy')).codes()).toEqual([]) // The same ID of another data source.
})

test('a POST over 32 KiB is 900 without data, as JSON or JSONP where it asks for it [COL-15] [SEC-01] [COL-119] [COL-14]', async () => {
  await using edge = await startTestEdge()
  const large = 'x'.repeat(32_769)
  const pixel = await edge.call('/event', form(`a=${large}`))
  expect([pixel.status, pixel.codes(), pixel.headers['content-type']]).toEqual([200, [900], 'image/gif'])
  const json = await edge.call('/event', form(`a=${large}&d_rtbd=json`))
  expect(json.json()).toMatchObject({ stuff: [], errors: [{ code: 900, msg: 'Request is too large' }] })
  expect((await edge.call('/event?d_rtbd=json', form(`a=${large}&d_cb=cb`))).text).toMatch(/^cb\(/)
  expect(edge.calls).toEqual([])
  await edge.call('/event', form(`a=${'x'.repeat(4000)}&b=${'y'.repeat(28_763)}`)) // 32,768 bytes in all.
  expect(edge.calls[0]?.signals.first('a')).toHaveLength(4000)
})

test('strict mode answers 4xx with the same codes [SEC-02]', async () => {
  await using edge = await startTestEdge({ config: { strict: true } })
  const refused = await edge.call('/event?d_rtbd=json&a=%zz')
  expect([refused.status, refused.codes()]).toEqual([400, [311]])
  expect((await edge.call('/event?d_uuid=1')).status).toBe(200)
  expect((await edge.call('/id?a=%zz&d_orgid=AB@AdobeOrg')).status).toBe(200)
})

test('messages follow the table, with user text cut and freed of controls [COL-117] [COL-107] [COL-119]', () => {
  expect(callError(301, 10, 12).msg).toBe(
    'Maximum number of customer ids exceeded. Maximum allowed is 10. Found is 12.',
  )
  expect(callError(1, 'a.example').msg).toBe('Could not find config for hostname: a.example')
  expect(callError(300, `a\x01b${'c'.repeat(500)}`).msg).toBe(`Invalid customer id a b${'c'.repeat(125)}`)
  for (const code of [3, 4, 5, 6, 7, 8, 9, 103, 105, 106, 107, 108, 110, 305, 308])
    expect(() => callError(code), String(code)).toThrow(RangeError)
})

test('user text in JSON cannot end a script element [COL-107]', async () => {
  await using edge = await startTestEdge()
  const { text } = await edge.call('/event?d_rtbd=json&d_uuid=%3C%2Fscript%3E%E2%80%A8%E2%80%A9')
  expect(text).toContain('\\u003c/script>\\u2028\\u2029')
  expect(JSON.parse(text)).toMatchObject({
    errors: [{ code: 102, msg: 'Invalid AAM ID passed in request </script>\u2028\u2029' }],
  })
})
