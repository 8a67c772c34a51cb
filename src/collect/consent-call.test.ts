import { expect, test } from 'vitest'
import { consentString } from './test-consent.conformance.ts'
import { DEVICE, ECID, startTestEdge, testDirectory, vendorDestination } from './test-edge.conformance.ts'

const refusal = `gdpr=1&gdpr_consent=${consentString({ purposes: [1] })}`

test('consent is passed on with the call, its string is not [SEC-73] [COL-253]', async () => {
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

test('on dpm the partner is known only with an organization [COL-245] [COL-05]', async () => {
  await using edge = await startTestEdge()
  const dpm = { headers: { host: 'dpm.demdex.net', cookie: `demdex=${DEVICE}` } }
  expect((await edge.call(`/ibs:dpid=1&dpuuid=a&${refusal}`, dpm)).codes()).toEqual([315])
  expect(edge.optOuts).toEqual([])
  expect((await edge.call(`/ibs:dpid=1&dpuuid=a&d_orgid=AB@AdobeOrg&${refusal}`, dpm)).codes()).toEqual([315])
  expect(edge.optOuts).toMatchObject([{ organization: 'AB@AdobeOrg' }])
})

test('a missing string drops the call and opts nobody out [COL-244] [COL-191] [SEC-76] [COL-161]', async () => {
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
  for (const value of ['true', '1']) {
    const reply = await edge.call(`/event?d_rtbd=json&d_coppa=${value}`)
    expect([reply.cookies, typeof reply.json()['uuid']]).toEqual([[], 'string'])
  }
})
