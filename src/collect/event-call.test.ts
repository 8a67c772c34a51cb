import { expect, test } from 'vitest'
import { StoreUnavailableError } from '../store/record-store.ts'
import { decodeStrictly } from './strict-mobile-decoder.conformance.ts'
import { DEVICE, ECID, form, NEW_DEVICE, NOW_MS, startTestEdge, testDirectory } from './test-edge.conformance.ts'

const JSON_EVENT = '/event?d_rtbd=json'

test('the first documented call gives JSON with the named device [COL-42] [COL-100] [COL-101] [COL-102] [COL-104] [COL-110]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call(`/event?d_uuid=${DEVICE}&d_rtbd=json&c_likes=famous%20popstar&c_loves=famous%20actress`)
  expect(reply.status).toBe(200)
  expect(reply.headers['content-type']).toBe('application/json;charset=utf-8')
  expect(reply.headers['x-content-type-options']).toBe('nosniff')
  expect(reply.json()['tid']).toBe(reply.headers['x-tid'])
  expect(reply.text).toMatch(
    new RegExp(`^{"stuff":\\[\\],"uuid":"${DEVICE}","dcs_region":7,"tid":"[A-Za-z0-9+/]{11}="}$`),
  )
  const call = edge.calls[0]
  expect(call).toMatchObject({
    kind: 'event',
    deviceId: DEVICE,
    receivedAtMs: NOW_MS,
    region: 7,
    hasOrganization: false,
    errors: [],
  })
  expect(call?.signals.all('c_likes')).toEqual(['famous popstar'])
  expect(call?.signals.has('d_uuid')).toBe(false)
})

test('the documented POST gives the pixel [COL-14] [COL-98]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/event', form(`c_likes=famous%20popstar&c_loves=famous%20actress&d_uuid=${DEVICE}`))
  expect(reply.headers['content-type']).toBe('image/gif')
  expect(reply.bytes.subarray(0, 6).toString()).toBe('GIF89a')
  expect(reply.bytes).toHaveLength(43)
  expect(edge.calls[0]?.signals.all('c_loves')).toEqual(['famous actress'])
})

test('the documented JSONP call works on an alias with an underscore [COL-18] [COL-43~] [COL-108] [COL-110] [COL-102] [SEC-8]', async () => {
  await using edge = await startTestEdge({ config: { aliases: ['acme_aam_domain'] } })
  const reply = await edge.call('/event?videoTypeID=2&data=moarData&d_dst=1&d_rtbd=json&d_cb=acme_callback', {
    headers: { host: 'acme_aam_domain.demdex.net' },
  })
  expect(reply.headers['content-type']).toBe('application/javascript;charset=utf-8')
  expect(reply.headers['x-content-type-options']).toBe('nosniff')
  expect(reply.text).toMatch(/^acme_callback\(\{"stuff":\[\],"dests":\[\],"uuid":".*\}\)$/)
})

test('callback names of the ID service are kept, others are ignored [COL-109] [SEC-08] [CLI-9]', async () => {
  await using edge = await startTestEdge()
  for (const name of ['s_c_il[1]._setAudienceManagerFields', 'a.b.c', '$_', 'a'.repeat(256)]) {
    expect((await edge.call(`${JSON_EVENT}&d_cb=${encodeURIComponent(name)}`)).text.startsWith(`${name}(`)).toBe(true)
  }
  for (const name of ['alert(1)//', 'a[b]', 'a[1', '1a', 'a-b', '', 'a.', '<script>', 'a'.repeat(257)]) {
    const reply = await edge.call(`${JSON_EVENT}&d_cb=${encodeURIComponent(name)}`)
    expect(reply.headers['content-type']).toBe('application/json;charset=utf-8')
    expect(reply.json()['stuff']).toEqual([])
  }
  await using quiet = await startTestEdge({ config: { jsonp: false } })
  expect((await quiet.call(`${JSON_EVENT}&d_cb=f`)).json()['uuid']).toBe(NEW_DEVICE)
})

test('without d_rtbd=json a callback has no effect [COL-108] [COL-42]', async () => {
  await using edge = await startTestEdge()
  expect((await edge.call('/event?d_cb=f')).headers['content-type']).toBe('image/gif')
  expect((await edge.call('/event?d_rtbd=xml')).headers['content-type']).toBe('image/gif')
})

test('the root path with a query is an event; its bare key "event" is no signal [COL-08]', async () => {
  await using edge = await startTestEdge()
  expect((await edge.call('/?d_src=1&d_event=imp')).status).toBe(200)
  expect((await edge.call('/?event', { headers: { host: 'dcs-beta.demdex.net' } })).status).toBe(200)
  expect(edge.calls.map((call) => call.kind)).toEqual(['event', 'event'])
  expect(edge.calls[0]?.signals.all('d_event')).toEqual(['imp'])
  expect(edge.calls[1]?.signals.has('event')).toBe(false)
})

test('every answer forbids caching, names its node and carries its tid [COL-11] [COL-12] [COL-104]', async () => {
  await using edge = await startTestEdge({ config: { nodeName: 'va6-sandbox-dcs-3' } })
  const seen = new Set<string>()
  for (const target of [
    JSON_EVENT,
    '/event',
    '/id?d_rtbd=json',
    '/ibs:dpid=1&dpuuid=2',
    '/demoptout.jpg?d_uuid=1',
    '/optOutStatus',
  ]) {
    const { headers } = await edge.call(target)
    expect(headers['cache-control']).toBe('no-cache, no-store, must-revalidate, max-age=0, private')
    expect(headers['pragma']).toBe('no-cache')
    expect(Date.parse(String(headers.expires))).toBeLessThan(NOW_MS)
    expect(headers['dcs']).toBe('va6-sandbox-dcs-3')
    expect(headers['x-tid']).toMatch(/^[A-Za-z0-9+/]{11}=$/)
    seen.add(String(headers['x-tid']))
  }
  expect(seen.size).toBe(6)
})

test('query and form are merged, query values first [COL-16]', async () => {
  await using edge = await startTestEdge()
  await edge.call('/event?_ts=1473693143821&x=1', form('x=2&y=3'))
  expect(edge.calls[0]?.signals.all('x')).toEqual(['1', '2'])
  expect(edge.calls[0]?.signals.all('y')).toEqual(['3'])
  expect(edge.calls[0]?.signals.has('_ts')).toBe(false)
})

test('the page library posts its keys in its own order [CLI-20] [CLI-21] [COL-262~] [COL-10]', async () => {
  await using edge = await startTestEdge()
  const body =
    'd_mid=54192285857942994142875423154873503351&d_nsid=0&d_dpid=123&d_dpuuid=u1&d_cid_ic=ic%01a%011&d_cid_ic=one%01b' +
    '&d_sid=111,222&d_px=3&d_ld=_ts%3D1473693143821&d_rtbd=json&d_jsonv=1&d_dst=1&c_color=red&c_color=blue&h_referer=https%3A%2F%2Fshop.example%2Fa%3Fb%3D1'
  const reply = await edge.call('/event?d_dil_ver=9.6&_ts=1473693143821', {
    ...form(body),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      origin: 'https://shop.example',
      referer: 'https://shop.example/',
    },
  })
  expect(reply.headers['access-control-allow-origin']).toBe('https://shop.example')
  expect(reply.headers['access-control-allow-credentials']).toBe('true')
  expect(reply.headers['vary']).toBe('Origin')
  expect(reply.json()).toMatchObject({ stuff: [], dests: [], dcs_region: 7 })
  const call = edge.calls[0]
  expect(call?.declaredIds).toEqual([
    { dataSourceId: 123, id: 'u1', authState: 0 },
    { dataSourceId: 900, id: 'a', authState: 1 },
    { dataSourceId: 901, id: 'b', authState: 0 },
  ])
  expect(call?.traitIds).toEqual([111, 222])
  expect(call?.signals.all('c_color')).toEqual(['red', 'blue'])
  expect(call?.signals.all('h_referer')).toEqual(['https://shop.example/a?b=1'])
})

test('headers become h_ signals; only a referer of the caller wins over its header [COL-23] [COL-24] [COL-142] [COL-31]', async () => {
  await using edge = await startTestEdge()
  const headers = {
    'user-agent': 'Agent/1.0, like others',
    'accept-language': 'de,en;q=0.5',
    referer: 'https://shop.example/',
    referrer: 'https://other.example/',
    date: 'Sun, 22 Nov 2026 12:00:00 GMT',
  }
  await edge.call('/event?h_referer=https%3A%2F%2Fshop.example%2Fpage&h_user-agent=forged&H_Host=forged&h_ip=9.9.9.9', {
    headers,
  })
  const signals = edge.calls[0]?.signals
  expect(signals?.all('h_user-agent')).toEqual(['Agent/1.0, like others'])
  expect(signals?.all('h_accept-language')).toEqual(['de,en;q=0.5'])
  expect(signals?.all('h_referer')).toEqual(['https://shop.example/page'])
  expect(signals?.all('h_referrer')).toEqual(['https://other.example/'])
  expect(signals?.all('h_date')).toEqual(['Sun, 22 Nov 2026 12:00:00 GMT'])
  expect(signals?.all('h_host')).toEqual(['yourcompany.demdex.net'])
  expect(signals?.all('h_ip')).toEqual(['127.0.0.0'])
  await edge.call('/event?h_user-agent=mine')
  expect(edge.calls[1]?.signals.all('h_user-agent')).toEqual(['mine'])
})

test('private pairs reach the rules, and nothing the edge tells about itself [COL-21] [COL-22]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call(`${JSON_EVENT}&p_age=23`)
  expect(edge.calls[0]?.signals.all('p_age')).toEqual(['23'])
  expect(JSON.stringify([edge.records, edge.rejected, reply.text, reply.headers])).not.toContain('p_age')
  expect(Object.keys(edge.records[0] ?? {}).sort()).toEqual(['codes', 'durationMs', 'eventId', 'route', 'status'])
})

test('d_cts adds what the profile holds, where it is enabled [COL-44~] [COL-45] [COL-46] [COL-47]', async () => {
  await using edge = await startTestEdge()
  for (const cts of [1, 2]) {
    const answer = (await edge.call(`${JSON_EVENT}&d_cts=${cts}`)).json()
    expect([answer['traits'], answer['segments']]).toEqual([
      [420020, 5421506],
      [984263, 985264],
    ])
  }
  expect((await edge.call(`${JSON_EVENT}&d_cts=3`)).json()).not.toHaveProperty('traits')
  await using closed = await startTestEdge({ config: { mayUseCts: false } })
  expect((await closed.call(`${JSON_EVENT}&d_cts=1`)).json()).not.toHaveProperty('traits')
})

test('d_jsonv=0 adds u beside uuid [COL-103] [COL-48]', async () => {
  await using edge = await startTestEdge()
  expect((await edge.call(`${JSON_EVENT}&d_jsonv=0`)).json()).toMatchObject({ uuid: NEW_DEVICE, u: NEW_DEVICE })
  expect((await edge.call(JSON_EVENT)).json()).not.toHaveProperty('u')
})

test('d_tdpid narrows to one data source, an unknown one to nothing [COL-49] [COL-50]', async () => {
  await using edge = await startTestEdge()
  for (const query of ['d_tdpid=1', 'd_tdpid_ic=ic', 'd_tdpid=99', 'd_tdpid_ic=ic2', 'a=b'])
    await edge.call(`/event?key1=val1&key2=val2&${query}`)
  expect(edge.calls.map((call) => call.onlyDataSourceId)).toEqual([1, 900, null, null, undefined])
})

test('d_sid names traits directly; what is no number is left out [COL-194] [COL-195]', async () => {
  await using edge = await startTestEdge()
  await edge.call('/event?d_sid=1234,5678,9876,5432,x,-1,0,99999999999')
  await edge.call('/event?d_cid=123%01sample_id%011&d_sid=123456')
  await edge.call('/event?d_sid=12%2C34')
  expect(edge.calls.map((call) => call.traitIds)).toEqual([[1234, 5678, 9876, 5432], [123456], [12, 34]])
})

test('media pixels and real-time inbound are ordinary events [COL-179] [COL-180] [COL-181~] [COL-182] [COL-183] [COL-193] [COL-198]', async () => {
  await using edge = await startTestEdge()
  const pixel = await edge.call(
    '/event?d_event=imp&d_src=1&d_site=2&d_creative=123&d_adgroup=4&d_placement=5&d_campaign=6&d_cid=20914%01e4fe9bde-caa0-47b6-908d-ffba3fa184f2&d_bust=123&d_time=1',
    { headers: { host: 'clientname.demdex.net' } },
  )
  expect(pixel.headers['content-type']).toBe('image/gif')
  expect((await edge.call(`${JSON_EVENT}&d_event=imp`)).json()).toHaveProperty('uuid')
  await edge.call('/event?KEY1=VALA&KEY2=VALB&KEY3=VALC&d_event=other')
  const media = ['d_event', 'd_src', 'd_site', 'd_creative', 'd_adgroup', 'd_placement', 'd_campaign']
  expect(media.map((key) => edge.calls[0]?.signals.first(key))).toEqual(['imp', '1', '2', '123', '4', '5', '6'])
  expect(edge.calls[0]?.signals.all('d_time')).toEqual(['1'])
  expect(edge.calls[0]?.receivedAtMs).toBe(NOW_MS)
  expect(edge.calls[0]?.declaredIds[0]?.dataSourceId).toBe(20914)
  expect(edge.calls[2]?.signals.all('KEY3')).toEqual(['VALC'])
  expect(edge.calls[2]?.signals.all('d_event')).toEqual(['other'])
})

test('a server-to-server call names its alias in the Host header [COL-137] [COL-139] [COL-130]', async () => {
  await using edge = await startTestEdge({ config: { aliases: ['foo'], region: 9 } })
  const reply = await edge.call(`/event?d_rtbd=json&d_jsonv=1&d_uuid=${DEVICE}`, {
    headers: { host: 'FOO.demdex.net:443' },
  })
  expect(reply.json()).toMatchObject({ uuid: DEVICE, dcs_region: 9 })
  const byEcid = await edge.call(`/event?d_mid=${ECID}`, { headers: { host: 'foo.demdex.net' } })
  expect([edge.calls[1]?.ecid, byEcid.cookies[0]?.slice(0, 7)]).toEqual([ECID, 'demdex='])
})

test('on a regional host the organization or a data source names the partner, else error 1 [COL-05~] [COL-07] [COL-138] [COL-133]', async () => {
  await using edge = await startTestEdge({ config: { aliases: ['foo'] } })
  const regional = { headers: { host: 'apse2.demdex.net' } }
  expect((await edge.call('/event?d_rtbd=json&d_cid=123%01abc123&c_events=placed-an-order', regional)).codes()).toEqual(
    [],
  )
  expect((await edge.call(`/event?d_rtbd=json&d_orgid=AB@AdobeOrg&d_uuid=${DEVICE}`, regional)).codes()).toEqual([])
  expect((await edge.call(`/event?d_rtbd=json&d_uuid=${DEVICE}`, regional)).codes()).toEqual([1])
  expect(edge.calls).toHaveLength(2)
})

test('mobile SDK calls are read, and their strict decoder accepts every answer [CLI-30] [CLI-31]', async () => {
  await using edge = await startTestEdge()
  for (const platform of ['ios', 'android']) {
    const reply = await edge.call(
      `/event?c_key=value&d_mid=${ECID}&d_blob=abc&dcs_region=9&d_cid_ic=ic%01user%011&d_orgid=972C898555E9F7BC7F000101%40AdobeOrg&d_uuid=${DEVICE}&d_ptfm=${platform}&d_dst=1&d_rtbd=json`,
    )
    expect(decodeStrictly(reply.text)).toMatchObject({ uuid: DEVICE, dcs_region: 7, dests: [] })
    expect(reply.text).not.toContain('"hr"')
  }
  expect(edge.calls[0]?.signals.has('dcs_region')).toBe(false)
  expect(edge.calls[0]).toMatchObject({
    ecid: ECID,
    organization: '972C898555E9F7BC7F000101@AdobeOrg',
    hasOrganization: true,
  })
  expect(decodeStrictly((await edge.call(`${JSON_EVENT}&a=%zz`)).text)).toMatchObject({ stuff: [], dcs_region: 7 })
})

test('the strict decoder has teeth: one wrong type discards the answer [CLI-31]', () => {
  expect(() => decodeStrictly('{"stuff":[],"dests":[{"id":"1","hr":1}],"dcs_region":7,"tid":"a"}')).toThrow('dests')
  expect(() => decodeStrictly('{"stuff":[],"dcs_region":"7","tid":"a"}')).toThrow('dcs_region')
  expect(() => decodeStrictly('{"stuff":[{"cn":"a","cv":"b","ttl":"1","dmn":""}],"dcs_region":7,"tid":"a"}')).toThrow(
    'ttl',
  )
  expect(() => decodeStrictly('{"stuff":[],"uuid":1,"dcs_region":7,"tid":"a"}')).toThrow('uuid')
})

test('an opted-out visitor gets 171 and no uuid, also as JSON [COL-112] [COL-233] [COL-234] [CLI-23]', async () => {
  await using edge = await startTestEdge({
    process: () => Promise.resolve({ status: 'opted_out', id: DEVICE, level: 'partner', errors: [] }),
  })
  const reply = await edge.call(`${JSON_EVENT}&d_dst=1&d_uuid=${DEVICE}`)
  expect(reply.status).toBe(200)
  expect(reply.text).toMatch(
    new RegExp(
      `^{"stuff":\\[\\],"errors":\\[{"code":171,"msg":"Encountered opt out tag for id ${DEVICE}"}\\],"tid":".{12}","dcs_region":7}$`,
    ),
  )
  expect(reply.codes()).toEqual([171])
  expect(reply.cookies).toEqual([])
})

test('a NOTARGET cookie ends the call before anybody is asked [COL-69] [COL-73] [COL-249]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call(`${JSON_EVENT}&d_uuid=${DEVICE}&gdpr=1`, {
    headers: { cookie: 'demdex=NOTARGET; dextp=NOTARGET' },
  })
  expect(reply.codes()).toEqual([171])
  expect(reply.json()).not.toHaveProperty('uuid')
  expect([edge.calls, edge.optOuts]).toEqual([[], []])
})

test('consent that allows no storing gives an answer without data', async () => {
  await using edge = await startTestEdge({ process: () => Promise.resolve({ status: 'not_stored', errors: [] }) })
  expect((await edge.call(JSON_EVENT)).json()).toEqual({ stuff: [], tid: expect.any(String), dcs_region: 7 })
})

test('trouble behind the edge is 200 with error 0, and 503 only where a repeat can help [COL-111] [SEC-02] [SEC-11~] [COL-113] [SEC-12]', async () => {
  let error: unknown = new Error('a mistake of ours')
  await using edge = await startTestEdge({ process: () => Promise.reject(error) })
  const plain = await edge.call(JSON_EVENT)
  expect([plain.status, plain.codes(), plain.cookies]).toEqual([200, [0], []])
  expect(plain.text).not.toContain('mistake')

  error = new StoreUnavailableError('down')
  const pixel = await edge.call('/event?a=b')
  expect([pixel.status, pixel.headers['retry-after'], pixel.codes()]).toEqual([503, '1', [0]])
  for (const call of [
    edge.call(JSON_EVENT, { headers: { origin: 'https://shop.example' } }),
    edge.call(`${JSON_EVENT}&d_ptfm=ios`),
    edge.call('/id?d_rtbd=json&d_orgid=AB@AdobeOrg'),
  ]) {
    const reply = await call
    expect([reply.status, reply.codes()]).toEqual([200, [0]])
  }
  expect(edge.faults).toHaveLength(5)
})

test('errors of the pipeline stand behind those of the call [COL-116] [COL-114]', async () => {
  await using edge = await startTestEdge({
    process: () =>
      Promise.resolve({
        status: 'processed',
        deviceId: DEVICE,
        source: 'new',
        ecid: '',
        traits: [],
        segments: [],
        errors: [{ code: 200, msg: '<b>' }],
      }),
  })
  const reply = await edge.call(`${JSON_EVENT}&d_uuid=12`)
  expect(reply.headers['x-error']).toBe('102,200')
  expect(reply.json()).toMatchObject({ uuid: DEVICE })
  expect(reply.text).toContain('\\u003cb>')
})

test('a page of another origin may read the codes in X-Error, where there are any [COL-10] [COL-114]', async () => {
  const headers = { origin: 'https://shop.example' }
  await using edge = await startTestEdge({ config: { corsOrigins: ['https://shop.example'] } })
  const exposed = async (target: string, init: Parameters<typeof edge.call>[1]) =>
    (await edge.call(target, init)).headers['access-control-expose-headers']
  expect(await exposed('/event?d_uuid=12', { headers })).toBe('X-Error')
  expect(await exposed(`${JSON_EVENT}&d_uuid=12`, { headers })).toBe('X-Error')
  expect(await exposed(JSON_EVENT, { headers })).toBeUndefined()
  expect(await exposed('/event?d_uuid=12', { headers: { origin: 'https://other.example' } })).toBeUndefined()
  await using broken = await startTestEdge({ process: () => Promise.reject(new Error('a mistake of ours')) })
  const fault = await broken.call(JSON_EVENT, { headers })
  expect([fault.headers['x-error'], fault.headers['access-control-allow-origin']]).toEqual(['0', headers.origin])
  expect(fault.headers['access-control-expose-headers']).toBe('X-Error')
})

test('only listed origins may read answers once some are listed, the null origin never [COL-10] [SEC-20]', async () => {
  await using open = await startTestEdge()
  expect(
    (await open.call(JSON_EVENT, { headers: { origin: 'null' } })).headers['access-control-allow-origin'],
  ).toBeUndefined()
  await using edge = await startTestEdge({ config: { corsOrigins: ['https://shop.example'] } })
  expect(
    (await edge.call(JSON_EVENT, { headers: { origin: 'https://shop.example' } })).headers[
      'access-control-allow-origin'
    ],
  ).toBe('https://shop.example')
  const other = await edge.call(JSON_EVENT, { headers: { origin: 'https://other.example' } })
  expect(other.headers['access-control-allow-origin']).toBeUndefined()
  expect(other.headers['access-control-allow-credentials']).toBeUndefined()
})

test('HEAD has the head of a GET and no body', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/event', { method: 'HEAD' })
  expect([reply.status, reply.headers['content-length'], reply.bytes.length]).toEqual([200, '43', 0])
  expect(edge.calls).toHaveLength(1)
})

test('an organization is accepted with either spelling of its at sign [COL-06]', async () => {
  await using edge = await startTestEdge({ directory: testDirectory() })
  await edge.call('/event?d_orgid=5DC5123F5245B1D20A490D46@AdobeOrg')
  await edge.call('/event?d_orgid=5DC5123F5245B1D20A490D46%40AdobeOrg')
  expect(edge.calls.map((call) => call.organization)).toEqual(new Array(2).fill('5DC5123F5245B1D20A490D46@AdobeOrg'))
})
