import { expect, test } from 'vitest'
import { DEVICE, ECID, startTestEdge, testDirectory } from './test-edge.conformance.ts'

const PAIR_DEVICE = `${'0'.repeat(37)}5`

test('the global opt-out records the cookie and sets both cookies [COL-226~] [COL-127] [SEC-79]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/demoptout.jpg', {
    headers: { host: 'www.demdex.net', cookie: `demdex=${DEVICE};dextp=12;DST=12` },
  })
  expect([reply.status, reply.headers['content-type']]).toEqual([200, 'image/gif'])
  expect(reply.cookies).toEqual([
    'demdex=NOTARGET; Domain=.demdex.net; Path=/; Max-Age=315360000; HttpOnly',
    'dextp=NOTARGET; Domain=.demdex.net; Path=/; Max-Age=315360000; HttpOnly',
  ])
  expect(edge.optOuts).toMatchObject([{ level: 'global', reason: 'request', cookieDeviceId: DEVICE, declaredIds: [] }])
})

test('a browser without our cookie is opted out by the cookie alone [COL-226~]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/demoptout')
  expect(reply.cookies[0]).toMatch(/^demdex=NOTARGET;/)
  expect(edge.optOuts).toEqual([])
})

test.each([
  '/demoptout?d_uuid=',
  '/demoptout?d_mid=&d_cid=',
  '/demoptout?d_dpid=&d_dpuuid=',
  '/demoptout?d_cid_ns=other%01x',
])('%s names nobody: the browser is opted out like by the bare call [COL-226~] [SEC-79]', async (target) => {
  await using edge = await startTestEdge()
  const reply = await edge.call(`${target}&d_rtbd=json`, { headers: { cookie: `demdex=${DEVICE}` } })
  expect(edge.optOuts).toMatchObject([{ level: 'global', cookieDeviceId: DEVICE, declaredIds: [] }])
  expect([reply.codes(), reply.cookies.map((cookie) => cookie.slice(0, 15))]).toEqual([
    [171],
    ['demdex=NOTARGET', 'dextp=NOTARGET;'],
  ])
})

test('code 171 is told of a record only: not beside a refused ID, nor when nobody was found [COL-238] [SEC-79]', async () => {
  await using edge = await startTestEdge()
  const cookie = `demdex=${DEVICE}`
  const refused = await edge.call('/demoptout?d_cid=123%01&d_rtbd=json', { headers: { cookie } })
  expect([refused.codes().includes(171), refused.cookies, edge.optOuts]).toEqual([false, [], []])
  await using nobody = await startTestEdge({ optOut: () => Promise.resolve({ ids: [], deviceId: undefined }) })
  expect((await nobody.call(`/demoptout?d_uuid=${DEVICE}&d_rtbd=json`)).codes()).toEqual([])
})

test.each([
  [`/demoptout.jpg?d_uuid=${DEVICE}`, { deviceId: DEVICE }],
  [
    `/demoptout.jpg?d_mid=${ECID}&d_orgid=5DC5123F5245B1D20A490D46%40AdobeOrg`,
    { ecid: ECID, organization: '5DC5123F5245B1D20A490D46@AdobeOrg' },
  ],
  ['/demoptout.jpg?d_cid=123%01987', { declaredIds: [{ dataSourceId: 123, id: '987', authState: 0 }] }],
  ['/demoptout?d_cid_ic=456%01321', { declaredIds: [{ dataSourceId: 456, id: '321', authState: 0 }] }],
  ['/demoptout?d_cid=123%01987&d_cid_ic=456%01321', { declaredIds: [{ dataSourceId: 123 }, { dataSourceId: 456 }] }],
  ['/demoptout.jpg?d_dpuuid=987&d_dpid=123', { deprecatedPair: { dataSourceId: 123, id: '987' } }],
  [`/demoptout.jpg?d_dpuuid=987&d_dpid=123&d_uuid=${DEVICE}`, { deviceId: DEVICE, deprecatedPair: { id: '987' } }],
])('the documented partner opt-out %s [COL-225] [COL-227] [COL-92] [CLI-32] [SEC-79]', async (target, expected) => {
  await using edge = await startTestEdge()
  const reply = await edge.call(target)
  expect([reply.status, reply.headers['content-type'], reply.cookies]).toEqual([200, 'image/gif', []])
  expect(edge.optOuts).toMatchObject([{ level: 'partner', reason: 'request', ...expected }])
})

test('with d_rtbd=json the answer is error 171 with the ID [COL-225] [COL-234]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call(`/demoptout?d_uuid=${DEVICE}&d_rtbd=json`)
  expect(reply.json()).toEqual({
    stuff: [],
    errors: [{ code: 171, msg: `Encountered opt out tag for id ${DEVICE}` }],
    tid: expect.any(String),
    dcs_region: 7,
  })
})

test('a bad ID gives its code and no opt-out; the others are processed [COL-238]', async () => {
  await using edge = await startTestEdge()
  expect((await edge.call('/demoptout?d_uuid=12')).codes()).toEqual([102])
  expect(edge.optOuts).toEqual([])
  expect((await edge.call('/demoptout?d_uuid=12&d_cid=123%01a')).codes()).toEqual([102])
  expect(edge.optOuts).toHaveLength(1)
})

test('the device made for a pair without one comes back as cookie [COL-230]', async () => {
  await using edge = await startTestEdge({
    optOut: () => Promise.resolve({ ids: [PAIR_DEVICE], deviceId: PAIR_DEVICE as typeof DEVICE }),
  })
  const reply = await edge.call('/demoptout.jpg?d_dpid=123&d_dpuuid=new')
  expect(reply.cookies[0]?.startsWith(`demdex=${PAIR_DEVICE};`)).toBe(true)
})

test('the answer waits until the opt-out is durable, and never claims one that failed [SEC-79] [SEC-11~]', async () => {
  let finish: () => void = () => undefined
  const durable = new Promise<void>((resolve) => {
    finish = resolve
  })
  await using edge = await startTestEdge({ optOut: () => durable.then(() => ({ ids: [DEVICE], deviceId: undefined })) })
  let answered = false
  const reply = edge.call(`/demoptout?d_uuid=${DEVICE}`).then((value) => {
    answered = true
    return value
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([edge.optOuts.length, answered]).toEqual([1, false])
  finish()
  expect((await reply).status).toBe(200)

  await using broken = await startTestEdge({ optOut: () => Promise.reject(new Error('x')) })
  const failed = await broken.call('/demoptout.jpg', { headers: { cookie: `demdex=${DEVICE}` } })
  expect([failed.status, failed.codes(), failed.cookies, failed.headers['retry-after']]).toEqual([503, [0], [], '1'])
})

test('opt-outs are never shed, and an ID on the deny list can still opt out [SEC-11~] [COL-145]', async () => {
  const denyList = {
    enabled: true,
    deviceCallsPerMinute: 2,
    deviceCallsPerDay: 9,
    personCallsPerMinute: 9,
    personCallsPerDay: 9,
    dataSourceIds: [],
  }
  await using edge = await startTestEdge({ overloaded: () => true, config: { denyList } })
  for (let i = 0; i < 5; i++) expect((await edge.call(`/demoptout?d_uuid=${DEVICE}`)).status).toBe(200)
  expect(edge.optOuts).toHaveLength(5)
})

test('the opt-out state of an ID, without side effects [COL-261] [CLI-7]', async () => {
  await using edge = await startTestEdge({ optOutLevel: 'partner' })
  const reply = await edge.call(`/optOutStatus?d_mid=${ECID}&d_orgid=AB%40AdobeOrg`, {
    headers: { origin: 'https://shop.example' },
  })
  expect(reply.json()).toEqual({ d_optout: ['global'], d_ottl: 7200 })
  expect(reply.headers['access-control-allow-origin']).toBe('https://shop.example')
  expect([reply.cookies, edge.calls, edge.optOuts]).toEqual([[], [], []])
  await using free = await startTestEdge({ directory: testDirectory() })
  expect((await free.call('/optOutStatus?d_uuid=1')).json()).toEqual({ d_optout: [], d_ottl: 7200 })
  expect((await free.call('/optOutStatus', { headers: { cookie: 'demdex=NOTARGET' } })).json()).toEqual({
    d_optout: ['global'],
    d_ottl: 7200,
  })
})
