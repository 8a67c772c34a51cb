import { expect, test } from 'vitest'
import type { DataSourceId } from '../model/ids.ts'
import { parseSyncTimes, readCookies, renderSyncTimes, visitorCookie } from './cookies.ts'
import { DEVICE, ECID, NEW_DEVICE, startTestEdge } from './test-edge.conformance.ts'

test('our cookies are found among others, the first of a name counts', () => {
  expect(readCookies(`xdemdex=1; demdex=${DEVICE};dextp=a|b; demdex=2`)).toEqual({ demdex: DEVICE, dextp: 'a|b' })
  expect(readCookies('a=demdex=1')).toEqual({ demdex: undefined, dextp: undefined })
  expect(readCookies(undefined).demdex).toBeUndefined()
})

test('dextp is read in both styles and written in the new one [COL-125] [COL-127]', () => {
  const value = '21-1-1490307821616|544-1-1490307821793|3-1-1490307821852|420-1-1490307822038|'
  expect([...parseSyncTimes(value)]).toEqual([
    [21, 1490307821616],
    [544, 1490307821793],
    [3, 1490307821852],
    [420, 1490307822038],
  ])
  expect(renderSyncTimes(parseSyncTimes(value), [], 0)).toBe(value)
  expect([...parseSyncTimes('77-1490307821616|x-1-2|9-2-3|12')]).toEqual([[77, 1490307821616]])
  expect(parseSyncTimes('12').size).toBe(0)
  // Digits alone: `Number` would read these as 77 and a time.
  expect(parseSyncTimes('0x4d-1-1490307821616|77.0-1-5| 77-1-5|77-1-1e12|7.7e1-1-5|77-1-').size).toBe(0)
})

test('dextp keeps the newest entry of each data source and stays within 4,000 bytes [COL-126]', () => {
  let value = ''
  for (let id = 1; id <= 400; id++) {
    value = renderSyncTimes(parseSyncTimes(value), [id as DataSourceId], 1_490_000_000_000 + id)
    expect(value.length).toBeLessThanOrEqual(4000)
  }
  const times = parseSyncTimes(value)
  expect([times.has(1), times.has(400)]).toEqual([false, true])
  // Whoever wrote it: of two entries the newer counts, wherever it stands.
  for (const twice of ['5-1-300|5-1-100|', '5-1-100|5-1-300|']) expect([...parseSyncTimes(twice)]).toEqual([[5, 300]])
  expect(renderSyncTimes(parseSyncTimes('5-1-100|6-1-200|'), [5 as DataSourceId], 300)).toBe('6-1-200|5-1-300|')
})

test('the attributes of demdex over TLS and over plain http [COL-124] [SEC-18]', () => {
  const scope = { domain: '.demdex.net', secure: true, partitioned: false }
  expect(visitorCookie(DEVICE, scope)).toBe(
    `demdex=${DEVICE}; Domain=.demdex.net; Path=/; Max-Age=15552000; Secure; SameSite=None; HttpOnly`,
  )
  expect(visitorCookie(DEVICE, { ...scope, secure: false })).toBe(
    `demdex=${DEVICE}; Domain=.demdex.net; Path=/; Max-Age=15552000; HttpOnly`,
  )
  expect(visitorCookie(DEVICE, { ...scope, partitioned: true })).toMatch(/; Partitioned$/)
})

test.each([
  ['shop.demdex.net', '.demdex.net'],
  ['my_domain.demdex.net:80', '.demdex.net'],
  ['collect.shop.example:8080', '.shop.example'],
  ['a.b.shop.example', '.b.shop.example'],
  ['shop.example', '.shop.example'],
  ['Collect.Example.CO.UK', '.example.co.uk'],
  ['example.co.uk', '.example.co.uk'],
  ['app.herokuapp.com', '.app.herokuapp.com'],
  ['usher.app.herokuapp.com', '.app.herokuapp.com'],
  ['somebody.github.io', '.somebody.github.io'],
  ['edge.a.run.app', '.edge.a.run.app'],
  ['d1.cloudfront.net', '.d1.cloudfront.net'],
  ['x.us-east-1.elb.amazonaws.com', '.x.us-east-1.elb.amazonaws.com'],
  ['foo.bar.kawasaki.jp', '.foo.bar.kawasaki.jp'],
  ['www.city.kawasaki.jp', '.city.kawasaki.jp'],
  ['www.ck', '.www.ck'],
  ['usher.corp', '.usher.corp'],
  ['herokuapp.com', undefined],
  ['github.io', undefined],
  ['co.uk', undefined],
  ['any.ck', undefined],
  ['localhost:8080', undefined],
  ['usher', undefined],
  ['app.example.com.', undefined],
  ['a..example', undefined],
  ['127.0.0.1', undefined],
  ['127.0.0.1:8080', undefined],
  ['[::1]:80', undefined],
  ['[2001:db8::1]', undefined],
])(
  'on %s the domain of the cookie is %s: one that browsers keep, or none [COL-124] [OPS-28~]',
  async (host, domain) => {
    await using edge = await startTestEdge()
    const { cookies } = await edge.call('/event', { headers: { host } })
    expect(/Domain=([^;]*)/.exec(cookies[0] ?? '')?.[1]).toBe(domain)
    expect(cookies[0]).toContain(`demdex=${NEW_DEVICE}`)
  },
)

test('a collection domain that is set is the domain of the cookie on the hosts below it [COL-124] [OPS-28~]', async () => {
  await using edge = await startTestEdge({ config: { collectionDomain: 'Collect.example.co.uk' } })
  for (const host of ['collect.example.co.uk', 'a.b.collect.example.co.uk'])
    expect((await edge.call('/event', { headers: { host } })).cookies[0]).toContain('Domain=.collect.example.co.uk;')
  const other = await edge.call('/event', { headers: { host: 'notcollect.example.co.uk' } })
  expect(other.cookies[0]).toContain('Domain=.example.co.uk;')
})

test('a received cookie is renewed and never replaced [COL-259] [COL-124] [COL-69]', async () => {
  await using edge = await startTestEdge()
  const cookieAfter = async (query: string, cookie?: string) =>
    (await edge.call(`/event?d_rtbd=json${query}`, cookie === undefined ? {} : { headers: { cookie } })).cookies.map(
      (text) => text.split(';')[0],
    )
  expect(await cookieAfter('')).toEqual([`demdex=${NEW_DEVICE}`])
  expect(await cookieAfter('', `demdex=${DEVICE}`)).toEqual([`demdex=${DEVICE}`])
  expect(await cookieAfter(`&d_uuid=${NEW_DEVICE}`, `demdex=${DEVICE}`)).toEqual([`demdex=${DEVICE}`])
  expect(await cookieAfter(`&d_uuid=${DEVICE}`)).toEqual([])
  expect(await cookieAfter(`&d_mid=${ECID}`)).toEqual([`demdex=${NEW_DEVICE}`])
})

test('an ID found by a declared ID stays in the body [COL-259] [COL-93]', async () => {
  await using edge = await startTestEdge({
    process: () =>
      Promise.resolve({
        status: 'processed',
        deviceId: DEVICE,
        source: 'declared',
        ecid: '',
        traits: [],
        segments: [],
        errors: [],
      }),
  })
  const reply = await edge.call('/event?d_rtbd=json&d_cid=123%01a')
  expect([reply.json()['uuid'], reply.cookies]).toEqual([DEVICE, []])
})

test('a cookie that is no device ID is ignored and replaced [COL-74] [COL-127]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/event', { headers: { cookie: 'demdex=12; dextp=12; DST=12' } })
  expect(edge.calls[0]?.cookieDeviceId).toBeUndefined()
  expect(reply.cookies[0]?.startsWith(`demdex=${NEW_DEVICE};`)).toBe(true)
})
