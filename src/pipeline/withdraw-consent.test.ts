import { expect, test } from 'vitest'
import type { ConsentDecision } from '../model/event.ts'
import { deviceProfileId } from '../model/ids.ts'
import { ALL_DESTINATIONS, PAGE_CONSENT, PAGE_WITHDRAWN } from '../model/profile.ts'
import { CONSENT, deviceId, makeCall } from '../testkit/make-call.ts'
import {
  CRM,
  makeDefinitions,
  makeDestination,
  makeMapping,
  makeSegment,
  makeTrait,
} from '../testkit/make-definitions.ts'
import { makePipeline } from '../testkit/make-pipeline.ts'

const browser = (n: number) => deviceProfileId(deviceId(n))
const definitions = makeDefinitions({
  traits: [makeTrait(101, 'a == "1"')],
  segments: [makeSegment(201, '101T')],
  destinations: [makeDestination(900)],
  mappings: [makeMapping(900, 201)],
})
const withdrawn: ConsentDecision = {
  cookie: false,
  store: false,
  syncDenied: true,
  deniedDestinations: [ALL_DESTINATIONS],
  reason: PAGE_WITHDRAWN,
  fingerprint: '',
}
const given: ConsentDecision = { ...CONSENT, reason: PAGE_CONSENT }

test('who takes consent back is told out, and told in again after a later yes, and only then [SEC-74]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, { a: '1' }))
  expect(pipeline.notified.splice(0)).toHaveLength(1)

  const outcome = await pipeline.process(makeCall(1, { a: '1' }, { consent: withdrawn }))
  expect(outcome).toEqual({ status: 'not_stored', errors: [] })
  expect(pipeline.notified.splice(0)).toEqual([{ profileId: browser(1), destinationIds: [900] }])
  const profile = await pipeline.profile(browser(1))
  expect(profile?.consent).toMatchObject({ reason: PAGE_WITHDRAWN, deniedDestinations: [ALL_DESTINATIONS] })
  expect(profile?.traits.totals).toEqual(Uint32Array.of(1))

  // Said twice, and a call that says nothing.
  await pipeline.process(makeCall(1, {}, { consent: withdrawn }))
  await pipeline.process(makeCall(1, { a: '1' }))
  expect(pipeline.notified.splice(0)).toEqual([])
  expect((await pipeline.profile(browser(1)))?.consent?.reason).toBe(PAGE_WITHDRAWN)

  await pipeline.process(makeCall(1, { a: '1' }, { consent: given }))
  expect(pipeline.notified.splice(0)).toEqual([{ profileId: browser(1), destinationIds: [900] }])
  expect((await pipeline.profile(browser(1)))?.consent).toMatchObject({ reason: PAGE_CONSENT, deniedDestinations: [] })
})

test('a device is found as for any call, also by its first visit; one that is not known is not made [SEC-73~] [SEC-74]', async () => {
  await using pipeline = await makePipeline(definitions)
  const first = { firstDeviceId: deviceId(3) }
  await pipeline.process(makeCall(undefined, { a: '1' }, { cookieDeviceId: deviceId(2) }))
  await pipeline.process(makeCall(undefined, { a: '1' }, first))
  await pipeline.process(makeCall(undefined, {}, { cookieDeviceId: deviceId(2), consent: withdrawn }))
  await pipeline.process(makeCall(undefined, {}, { ...first, consent: withdrawn }))
  await pipeline.process(makeCall(4, { a: '1' }, { consent: withdrawn }))
  await pipeline.process(makeCall(undefined, { a: '1' }, { consent: withdrawn }))
  const reasons = [2, 3, 4].map(async (n) => (await pipeline.profile(browser(n)))?.consent?.reason)
  expect(await Promise.all(reasons)).toEqual([PAGE_WITHDRAWN, PAGE_WITHDRAWN, undefined])
  expect(await pipeline.profile(browser(4))).toBeUndefined()
})

test('the declared IDs of a withdrawal are not linked, nor is anybody else taken back [SEC-73~] [COL-247~]', async () => {
  await using pipeline = await makePipeline(definitions)
  const anna = [{ dataSourceId: CRM, id: 'anna', authState: 0 as const }]
  await pipeline.process(makeCall(1, { a: '1' }, { declaredIds: anna }))
  await pipeline.process(makeCall(2, { a: '1' }))
  await pipeline.process(makeCall(2, {}, { declaredIds: anna, consent: withdrawn }))
  expect((await pipeline.profile(browser(2)))?.links).toEqual([])
  expect((await pipeline.profile(browser(1)))?.consent).toBeUndefined()
})

test("the page's yes ends the page's no, but not what the browser itself said before [SEC-78]", async () => {
  await using pipeline = await makePipeline(definitions)
  const gpc = { ...CONSENT, syncDenied: true, deniedDestinations: [ALL_DESTINATIONS], reason: 'gpc' }
  await pipeline.process(makeCall(1, { a: '1' }, { consent: gpc }))
  await pipeline.process(makeCall(1, {}, { consent: withdrawn }))
  await pipeline.process(makeCall(1, { a: '1' }, { consent: given }))
  expect((await pipeline.profile(browser(1)))?.consent).toMatchObject({ reason: 'gpc' })
})

test('an event that commits while consent is taken back does not bring it back [SEC-74]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, {}))
  pipeline.beforeNextCommit(browser(1), () => pipeline.process(makeCall(1, { a: '1' })))
  await pipeline.process(makeCall(1, {}, { consent: withdrawn }))
  expect((await pipeline.profile(browser(1)))?.consent?.reason).toBe(PAGE_WITHDRAWN)
  expect((await pipeline.profile(browser(1)))?.traits.totals).toEqual(Uint32Array.of(1))
})

test('calls of one first visit are one device, however many are under way at once [COL-69]', async () => {
  await using pipeline = await makePipeline(definitions)
  const calls = Array.from({ length: 20 }, () => makeCall(undefined, { a: '1' }, { firstDeviceId: deviceId(5) }))
  const outcomes = await Promise.all(calls.map((call) => pipeline.process(call)))
  expect(outcomes.map((one) => one.status === 'processed' && [one.deviceId, one.source])).toEqual(
    Array.from({ length: 20 }, () => [deviceId(5), 'new']),
  )
  expect((await pipeline.profile(browser(5)))?.traits.totals).toEqual(Uint32Array.of(20))
})
