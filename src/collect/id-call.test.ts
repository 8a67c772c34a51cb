import { expect, test } from 'vitest'
import { DEVICE, dataSource, ECID, NEW_DEVICE, startTestEdge, testDirectory } from './test-edge.conformance.ts'

const FIRST =
  '/id?d_visid_ver=5.5.0&d_fieldgroup=MC&d_rtbd=json&d_ver=2&d_orgid=A7BF3BC75245ADF20A490D4D%40AdobeOrg&d_nsid=0&ts=1701842003456'
const dpm = { host: 'dpm.demdex.net' }

test('the first call of the page library gets an ECID [COL-173] [COL-174] [COL-176] [CLI-1] [CLI-2] [CLI-4]', async () => {
  await using edge = await startTestEdge({ config: { aliases: ['obumobile5'] } })
  const reply = await edge.call(FIRST, {
    headers: { ...dpm, origin: 'https://shop.example', 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(reply.status).toBe(200)
  expect(reply.headers['access-control-allow-origin']).toBe('https://shop.example')
  expect(reply.headers['access-control-allow-credentials']).toBe('true')
  expect(reply.json()).toEqual({
    d_mid: ECID,
    id_sync_ttl: 604800,
    d_blob: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    dcs_region: 7,
    d_ottl: 7200,
    ibs: [],
    subdomain: 'obumobile5',
    tid: expect.any(String),
  })
  expect(reply.cookies[0]).toMatch(
    new RegExp(`^demdex=${NEW_DEVICE}; Domain=\\.demdex\\.net; Path=/; Max-Age=15552000`),
  )
  expect(edge.calls[0]).toMatchObject({
    kind: 'id',
    organization: 'A7BF3BC75245ADF20A490D4D@AdobeOrg',
    hasOrganization: true,
  })
})

test('the second call hands over IDs, stores no signals, and gets its blob back [COL-177] [CLI-1] [COL-92] [COL-262~]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call(
    `/id?d_fieldgroup=AAM&d_rtbd=json&d_ver=2&d_orgid=AB%40AdobeOrg&d_mid=${ECID}&d_blob=hmk_Lq6TPIBMW925SPhw3Q&d_cid_ic=ic%01me%011&d_cid_ns=other%01x&d_cid_ic=CODE%01&c_color=red&d_sid=5`,
    { headers: { host: 'shop.demdex.net' } },
  )
  expect(reply.json()).toMatchObject({ d_mid: ECID, d_blob: 'hmk_Lq6TPIBMW925SPhw3Q', subdomain: 'shop' })
  const call = edge.calls[0]
  expect([call?.kind, call?.signals.names.length, call?.traitIds]).toEqual(['id', 0, []])
  expect(call?.declaredIds).toEqual([{ dataSourceId: 900, id: 'me', authState: 1 }])
  expect(reply.codes()).toEqual([300])
})

test('JSONP for the ID service [CLI-9]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call(`${FIRST}&d_cb=s_c_il%5B1%5D._setMarketingCloudFields`)
  expect(reply.text).toMatch(/^s_c_il\[1\]\._setMarketingCloudFields\(\{"d_mid":/)
})

test('without an organization it generates a UUID in the form of an event [COL-175]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/id?d_cid=123%01987')
  expect(reply.json()).toEqual({ stuff: [], uuid: NEW_DEVICE, dcs_region: 7, tid: expect.any(String) })
  await edge.call('/id?d_dpid=123&d_dpuuid=987')
  expect(edge.calls.map((call) => call.declaredIds)).toEqual(
    new Array(2).fill([{ dataSourceId: 123, id: '987', authState: 0 }]),
  )
})

test('an opted-out visitor gets d_optout and no d_mid [COL-178] [COL-173] [CLI-4]', async () => {
  await using edge = await startTestEdge({
    process: () => Promise.resolve({ status: 'opted_out', id: DEVICE, level: 'global', errors: [] }),
  })
  for (const headers of [dpm, { ...dpm, cookie: 'demdex=NOTARGET' }]) {
    const answer = (await edge.call(FIRST, { headers })).json()
    expect(answer).toMatchObject({ d_optout: ['global'], d_ottl: 7200 })
    expect(answer).not.toHaveProperty('d_mid')
  }
  expect(edge.calls).toHaveLength(1)
})

test('trouble is 200 with error_msg and always an object [COL-265] [CLI-3] [CLI-4]', async () => {
  await using edge = await startTestEdge({ process: () => Promise.reject(new Error('x')) })
  for (const target of [FIRST, `${FIRST}&a=%zz`, '/id?d_orgid=broken', '/id', '/id?a=%zz']) {
    const reply = await edge.call(target, { headers: dpm })
    expect(reply.status).toBe(200)
    expect(reply.json()['error_msg'], target).toEqual(expect.any(String))
  }
})

test('syncs that are due are offered, with macros filled [COL-171] [COL-172] [COL-167] [OUT-15] [CLI-5] [COL-52~] [OUT-14]', async () => {
  const sync = {
    url: '//su.addthis.com/red/usync?pid=16&puid=%DID%&url=%HTTP_PROTO%%3A%2F%2Fdpm.demdex.net%2Fibs%3Adpid%3D420%26dpuuid%3D%7B%7Buid%7D%7D',
    tag: 'img' as const,
    intervalMinutes: 20160,
    syncOnPage: true,
    containerIds: [],
  }
  const directory = testDirectory([
    dataSource(420, { sync }),
    dataSource(411, {
      sync: {
        ...sync,
        url: 'https://p.example/s?d=${DD_UUID}&m=%mcid%&r=%region%&t=%TIMESTAMP%&n=%rnd%&g=${GDPR}&c=${GDPR_CONSENT_7}',
        tag: 'iframe',
        syncOnPage: false,
        intervalMinutes: 10080,
      },
    }),
    dataSource(412, { sync: { ...sync, containerIds: [5] } }),
  ])
  await using edge = await startTestEdge({ directory })
  const ibs = (await edge.call(FIRST, { headers: dpm })).json()['ibs'] as Record<string, unknown>[]
  expect(ibs).toHaveLength(2)
  expect(ibs[0]).toEqual({
    id: '420',
    ttl: 20160,
    tag: 'img',
    fireURLSync: 1,
    syncOnPage: 1,
    url: [
      `//su.addthis.com/red/usync?pid=16&puid=${NEW_DEVICE}&url=http%3A%2F%2Fdpm.demdex.net%2Fibs%3Adpid%3D420%26dpuuid%3D%7B%7Buid%7D%7D`,
    ],
  })
  expect(ibs[1]?.['url']).toEqual([
    expect.stringMatching(
      new RegExp(`^https://p\\.example/s\\?d=${NEW_DEVICE}&m=${ECID}&r=7&t=1795348800000&n=[0-9]{10}&g=0&c=0$`),
    ),
  ])
  expect((await edge.call('/event?d_rtbd=json')).json()['ibs']).toHaveLength(2)
  expect(
    ((await edge.call('/event?d_rtbd=json&d_nsid=5')).json()['ibs'] as { id: string }[]).map(({ id }) => id),
  ).toEqual(['412'])
  // What is no number names no container, and not the default one.
  for (const container of ['', '0x5', '5.0', '0.0', 'x'])
    expect((await edge.call(`/event?d_rtbd=json&d_nsid=${container}`)).json()['ibs'] ?? [], container).toEqual([])
})

test('no sync again before its time, for children, with d_jsonv=0 or Sec-GPC [COL-54] [COL-126] [COL-170] [COL-48] [OUT-16] [SEC-78] [COL-172]', async () => {
  const sync = {
    url: 'https://p.example/?u=%did%',
    tag: 'img' as const,
    intervalMinutes: 60,
    syncOnPage: false,
    containerIds: [0],
  }
  await using edge = await startTestEdge({
    directory: testDirectory([dataSource(411, { sync })]),
    nowMs: () => 10_000_000,
  })
  const offered = async (target: string, headers: Record<string, string> = {}) =>
    ((await edge.call(target, { headers })).json()['ibs'] as unknown[]).length
  expect(await offered(FIRST, { cookie: `dextp=411-1-${10_000_000 - 3_599_000}|` })).toBe(0)
  expect(await offered(FIRST, { cookie: `dextp=411-1-${10_000_000 - 3_600_000}|` })).toBe(1)
  // Written while the clock was ahead.
  expect(await offered(FIRST, { cookie: `dextp=411-1-${10_000_000 + 60_000}|` })).toBe(1)
  expect(await offered(`${FIRST}&d_coppa=true`)).toBe(0)
  expect(await offered(`${FIRST}&d_jsonv=0`)).toBe(0)
  expect(await offered(FIRST, { 'sec-gpc': '1' })).toBe(0)
})

test('privacy signals travel on to sync addresses [SEC-77] [COL-169]', async () => {
  const { consentString } = await import('./test-consent.conformance.ts')
  const sync = {
    url: 'https://p.example/s?u=%did%',
    tag: 'img' as const,
    intervalMinutes: 60,
    syncOnPage: false,
    containerIds: [],
  }
  await using edge = await startTestEdge({ directory: testDirectory([dataSource(411, { sync })]) })
  const string = consentString({})
  const offered = async (query: string) =>
    ((await edge.call(FIRST + query)).json()['ibs'] as { url: string[] }[])[0]?.url[0]
  expect(await offered(`&gdpr=1&gdpr_consent=${string}`)).toBe(
    `https://p.example/s?u=${NEW_DEVICE}&gdpr=1&gdpr_consent=${string}`,
  )
  expect(await offered('&gpp=DBABMA~x&gpp_sid=2,6&us_privacy=1YNN')).toBe(
    `https://p.example/s?u=${NEW_DEVICE}&gpp=DBABMA~x&gpp_sid=2%2C6&us_privacy=1YNN`,
  )
})
