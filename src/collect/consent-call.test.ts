import { expect, test } from 'vitest'
import { consentString } from './test-consent.conformance.ts'
import { DEVICE, ECID, form, startTestEdge, testDirectory, vendorDestination } from './test-edge.conformance.ts'

const refusal = `gdpr=1&gdpr_consent=${consentString({ purposes: [1] })}`

test('consent is passed on with the call, its string is not [SEC-73~] [COL-253~]', async () => {
  await using edge = await startTestEdge({ directory: testDirectory([], [vendorDestination(7, 10)]) })
  const string = consentString({})
  await edge.call(`/event?gdpr=1&gdpr_consent=${string}`)
  const consent = edge.calls[0]?.consent
  expect(consent).toMatchObject({ store: true, cookie: true, deniedDestinations: [7], reason: 'tcf_granted' })
  expect(consent?.fingerprint).toHaveLength(16)
  expect(JSON.stringify(edge.calls[0]?.signals)).not.toContain(string)
})

test('declined consent opts out the IDs of the call for the partner and stores nothing [COL-243] [COL-245] [COL-246] [COL-247]', async () => {
  await using edge = await startTestEdge()
  for (const path of ['/event', '/id']) {
    const reply = await edge.call(`${path}?d_rtbd=json&d_mid=${ECID}&d_cid=123%01crm&${refusal}&c_a=b`, {
      headers: { cookie: `demdex=${DEVICE}` },
    })
    expect([reply.status, reply.codes(), reply.cookies]).toEqual([200, [315], []])
    expect(reply.json()).not.toHaveProperty('uuid')
  }
  expect(edge.calls).toEqual([])
  expect(edge.optOuts).toHaveLength(2)
  expect(edge.optOuts[0]).toMatchObject({
    level: 'partner',
    reason: 'consent',
    ecid: ECID,
    cookieDeviceId: DEVICE,
    declaredIds: [{ dataSourceId: 123, id: 'crm' }],
  })
})

test('on dpm the partner is known only with an organization [COL-245] [COL-05~]', async () => {
  await using edge = await startTestEdge()
  const dpm = { headers: { host: 'dpm.demdex.net', cookie: `demdex=${DEVICE}` } }
  expect((await edge.call(`/ibs:dpid=1&dpuuid=a&${refusal}`, dpm)).codes()).toEqual([315])
  expect(edge.optOuts).toEqual([])
  expect((await edge.call(`/ibs:dpid=1&dpuuid=a&d_orgid=AB@AdobeOrg&${refusal}`, dpm)).codes()).toEqual([315])
  expect(edge.optOuts).toMatchObject([{ organization: 'AB@AdobeOrg' }])
})

test('a missing string drops the call and opts nobody out [COL-244] [COL-191] [SEC-76~] [COL-161]', async () => {
  await using edge = await startTestEdge()
  for (const query of [
    'gdpr=1',
    'gdpr=1&gdpr_consent=0',
    'gdpr=1&gdpr_consent=broken',
    'gdpr=1&gdpr_consent=%24%7BGDPR_CONSENT_565%7D',
  ]) {
    const reply = await edge.call(`/event?d_event=imp&d_uuid=${DEVICE}&${query}`)
    expect([reply.codes(), reply.cookies]).toEqual([[315], []])
  }
  expect([edge.calls, edge.optOuts]).toEqual([[], []])
  expect((await edge.call(`/event?gdpr=0&gdpr_consent=broken`)).codes()).toEqual([])
  expect((await edge.call(`/event?gdpr_consent=broken`)).codes()).toEqual([])
  expect(edge.calls).toHaveLength(2)
})

test('a browser that names nothing and declines leaves no trace [COL-246]', async () => {
  await using edge = await startTestEdge()
  expect((await edge.call(`/event?${refusal}`)).codes()).toEqual([315])
  expect([edge.calls, edge.optOuts]).toEqual([[], []])
})

test('an opt-out that cannot be recorded is not confirmed [SEC-79]', async () => {
  await using edge = await startTestEdge({ optOut: () => Promise.reject(new Error('x')) })
  expect((await edge.call(`/event?d_uuid=${DEVICE}&${refusal}`)).codes()).toEqual([0])
})

test('d_coppa sets no cookie; the body still carries the ID [COL-54]', async () => {
  await using edge = await startTestEdge()
  for (const value of ['true', '1', 'TRUE', 'yes', '2', '+0', '${COPPA}', 'false&d_coppa=true', 'true&d_coppa=0']) {
    const reply = await edge.call(`/event?d_rtbd=json&d_coppa=${value}`)
    expect([value, reply.cookies, typeof reply.json()['uuid']]).toEqual([value, [], 'string'])
  }
  for (const value of ['', 'false', '0', '0&d_coppa=false'])
    expect([value, (await edge.call(`/event?d_coppa=${value}`)).cookies.length]).toEqual([value, 1])
})

const PATHS = ['/event?', '/?', '/id?d_orgid=AB@AdobeOrg&', '/id?', '/ibs:dpid=1&dpuuid=x&', '/ibs?dpid=1&dpuuid=x&']

test.each(PATHS)(
  'on %s a flag that does not say "does not apply" applies, wherever in the call it stands [COL-275] [COL-242] [COL-244]',
  async (path) => {
    await using edge = await startTestEdge()
    for (const flag of [
      'gdpr=true&gdpr_consent=x',
      'gdpr=00',
      'gdpr=%24%7BGDPR%7D',
      'gdpr=0&gdpr=1',
      'gdpr=1&gdpr=0',
      'GDPR=1',
    ]) {
      for (const [target, options] of [
        [`${path}${flag}`, {}],
        [`${path}gdpr=0`, form(flag)],
        [path, { ...form(`a=b&${flag}`), method: 'POST' }],
      ] as const) {
        const reply = await edge.call(target, options)
        expect([target, reply.status, reply.codes(), reply.cookies]).toEqual([target, 200, [315], []])
      }
    }
    expect([edge.calls, edge.optOuts]).toEqual([[], []])
    expect((await edge.call(`${path}gdpr=0&gdpr_consent=x`, form('gdpr=0&gdpr='))).codes()).toEqual([315])
    expect((await edge.call(`${path}gdpr=&gdpr_consent=`, form('gdpr=0'))).codes()).toEqual([])
    expect(edge.calls).toHaveLength(1)
  },
)

test('the strictest value counts across path and query of a sync [COL-275]', async () => {
  await using edge = await startTestEdge()
  for (const target of ['/ibs:dpid=1&dpuuid=x&gdpr=0?gdpr=1', '/ibs:dpid=1&dpuuid=x&gdpr=1?gdpr=0'])
    expect((await edge.call(target)).codes()).toEqual([315])
  const us = await edge.call('/ibs:dpid=1&dpuuid=x&us_privacy=1YNN?us_privacy=%24%7BUS_PRIVACY%7D')
  expect([us.codes(), edge.calls[0]?.consent]).toMatchObject([[], { syncDenied: true, store: true }])
})

test('a redirect of a call that is refused before its consent is read does not say that GDPR does not apply [COL-187] [COL-275]', async () => {
  let isOverloaded = false
  await using edge = await startTestEdge({ config: { redirectAnyHost: true }, overloaded: () => isOverloaded })
  const rd = encodeURIComponent('https://a.example/?g=${gdpr}&c=${gdpr_consent_1}')
  const go = async (query: string, cookie = 'a=b') =>
    (await edge.call(`/event?d_event=click&d_rd=${rd}${query}`, { headers: { cookie } })).headers.location?.slice(19)
  expect(await go('&gdpr=1&gdpr_consent=x&x=%zz')).toBe('g=1&c=')
  expect(await go('&gdpr=1&gdpr_consent=x', 'demdex=NOTARGET')).toBe('g=1&c=')
  isOverloaded = true
  expect(await go('&gdpr=yes')).toBe('g=1&c=')
  expect(await go('')).toBe('g=0&c=0')
})

test('a browser is not asked by a cookie whether it keeps cookies before its consent is read [COL-275] [COL-128]', async () => {
  await using edge = await startTestEdge({ config: { cookieCheck: true } })
  for (const flag of ['gdpr=true', 'gdpr=2', 'gpp=x', 'gpp_sid=7', 'd_coppa=yes'])
    expect([flag, (await edge.call(`/event?${flag}`)).status]).toEqual([flag, 200])
  expect((await edge.call('/event?gdpr=0')).status).toBe(302)
})
