import { expect, test } from 'vitest'
import { consentString } from './test-consent.conformance.ts'
import { DEVICE, form, startTestEdge } from './test-edge.conformance.ts'

const outcome = { status: 'not_stored', errors: [] } as const
const notStored = { process: () => Promise.resolve(outcome) }
const withCookies = { headers: { cookie: `demdex=${DEVICE}; dextp=1-1-1490307821616|` } }

test.each(['0', 'false', 'no', '2', '01', 'true', '%20', '1&d_consent=0', '0&d_consent=1', '%24%7BCONSENT%7D'])(
  'd_consent=%s takes consent back: nothing is stored, nobody is told, the cookies go [SEC-73~] [SEC-74] [COL-275]',
  async (value) => {
    await using edge = await startTestEdge(notStored)
    for (const path of ['/event', '/id', '/ibs:dpid=1&dpuuid=a', '/demoptout/consent']) {
      const reply = await edge.call(`${path}?d_consent=${value}&d_rtbd=json`, withCookies)
      expect([reply.status, reply.codes(), reply.cookies]).toEqual([
        200,
        [],
        [
          'demdex=; Domain=.demdex.net; Path=/; Max-Age=0; HttpOnly',
          'dextp=; Domain=.demdex.net; Path=/; Max-Age=0; HttpOnly',
        ],
      ])
      expect(reply.text).not.toContain('uuid')
    }
    expect(edge.calls).toHaveLength(4)
    for (const call of edge.calls) {
      expect(call.cookieDeviceId).toBe(DEVICE)
      expect(call.consent).toEqual({
        cookie: false,
        store: false,
        syncDenied: true,
        deniedDestinations: [0],
        reason: 'page_withdrawn',
        fingerprint: '',
      })
    }
    expect(edge.optOuts).toEqual([])
  },
)

test('its letters may be large or small [COL-275]', async () => {
  await using edge = await startTestEdge(notStored)
  for (const key of ['D_CONSENT', 'd_Consent', 'D_consent'])
    for (const value of ['0', '1&d_consent=0']) await edge.call(`/event?${key}=${value}`, withCookies)
  await edge.call('/event', form('D_CONSENT=no'))
  expect(edge.calls.map(({ consent }) => consent.reason)).toEqual(Array(7).fill('page_withdrawn'))
})

test('a yes, or no answer, changes nothing that the call may do [SEC-73~]', async () => {
  await using edge = await startTestEdge()
  for (const query of ['d_consent=1', 'd_consent=1&d_consent=1', 'd_consent=1&d_consent=', 'd_consent=', '']) {
    const reply = await edge.call(`/event?${query}`, withCookies)
    expect(reply.cookies[0]).toContain(`demdex=${DEVICE}; `)
  }
  expect(edge.calls.map(({ consent }) => [consent.store, consent.deniedDestinations, consent.reason])).toEqual([
    [true, [], 'page_consent'],
    [true, [], 'page_consent'],
    [true, [], 'page_consent'],
    [true, [], 'none_applies'],
    [true, [], 'none_applies'],
  ])
})

test('a yes opens nothing that a consent string, the browser or an opt-out forbids [SEC-73~] [SEC-76~] [SEC-78]', async () => {
  await using edge = await startTestEdge()
  expect((await edge.call('/event?d_consent=1&gdpr=1')).codes()).toEqual([315])
  const declined = `gdpr=1&gdpr_consent=${consentString({ purposes: [1] })}`
  expect((await edge.call(`/event?d_consent=1&d_uuid=${DEVICE}&${declined}`)).codes()).toEqual([315])
  expect((await edge.call('/event?d_consent=1', { headers: { cookie: 'demdex=NOTARGET' } })).codes()).toEqual([171])
  expect(edge.calls).toEqual([])
  await edge.call('/event?d_consent=1', { headers: { 'sec-gpc': '1' } })
  expect(edge.calls[0]?.consent).toMatchObject({ deniedDestinations: [0], reason: 'gpc' })
})

test('a string that declines stays the opt-out it is; one that is missing does not hinder a withdrawal [COL-245] [COL-244]', async () => {
  await using edge = await startTestEdge(notStored)
  const declined = `gdpr=1&gdpr_consent=${consentString({ purposes: [1] })}`
  await edge.call(`/event?d_consent=0&d_uuid=${DEVICE}&${declined}`)
  expect([edge.optOuts.length, edge.calls.length]).toEqual([1, 0])
  await edge.call(`/event?d_consent=0&d_uuid=${DEVICE}&gdpr=1`)
  expect(edge.calls).toMatchObject([{ deviceId: DEVICE, consent: { reason: 'page_withdrawn' } }])
})

test('a withdrawal is never shed, nor refused for how often an ID was seen; the cookie of an opt-out stays [SEC-11~] [COL-226~]', async () => {
  const denyList = {
    enabled: true,
    deviceCallsPerMinute: 2,
    deviceCallsPerDay: 9,
    personCallsPerMinute: 9,
    personCallsPerDay: 9,
    dataSourceIds: [],
  }
  await using edge = await startTestEdge({ ...notStored, overloaded: () => true, config: { denyList } })
  for (let i = 0; i < 5; i++) {
    expect((await edge.call('/event?d_consent=0', form(`d_uuid=${DEVICE}`))).codes()).toEqual([])
    expect((await edge.call('/demoptout/consent', form(`d_uuid=${DEVICE}`))).codes()).toEqual([])
  }
  expect(edge.calls).toHaveLength(10)
  const reply = await edge.call('/event?d_consent=0', { headers: { cookie: 'demdex=NOTARGET' } })
  expect([reply.codes(), reply.cookies]).toEqual([[171], []])
})

test('cookies go with a withdrawal that finds any, and with nothing else [SEC-74] [COL-226~]', async () => {
  await using none = await startTestEdge(notStored)
  expect((await none.call('/event?d_consent=0')).cookies).toEqual([])
  const optedOut = { status: 'opted_out', id: DEVICE, level: 'partner', errors: [] } as const
  await using edge = await startTestEdge({ process: () => Promise.resolve(optedOut) })
  const reply = await edge.call('/event?a=b', withCookies)
  expect([reply.codes(), reply.cookies]).toEqual([[171], []])
  // The answer to an opt-out that was named already is no withdrawal either.
  await using again = await startTestEdge(notStored)
  expect((await again.call('/event?a=b', withCookies)).cookies).toEqual([])
})

test('/demoptout/consent takes consent back whatever d_consent says, by get and by form [SEC-74]', async () => {
  await using edge = await startTestEdge(notStored)
  await edge.call(`/demoptout/consent?d_consent=1&d_uuid=${DEVICE}`)
  await edge.call('/demoptout/consent', form(`d_uuid=${DEVICE}`))
  const one = { kind: 'event', deviceId: DEVICE, consent: { store: false, reason: 'page_withdrawn' } }
  expect(edge.calls).toMatchObject([one, one])
  expect(edge.optOuts).toEqual([])
})
