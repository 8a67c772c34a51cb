import { expect, test } from 'vitest'
import type { AuthState } from '../model/event.ts'
import { declaredProfileId, deviceProfileId, type SegmentId } from '../model/ids.ts'
import { ALL_DESTINATIONS, isMember } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { CONSENT, deviceId, makeCall } from '../testkit/make-call.ts'
import {
  CRM,
  LAST_AND_DEVICE,
  makeDefinitions,
  makeDestination,
  makeMapping,
  makeSegment,
  makeTrait,
  PARTNER,
} from '../testkit/make-definitions.ts'
import { makeOptOut } from '../testkit/make-opt-out.ts'
import { makePipeline, type TestPipeline } from '../testkit/make-pipeline.ts'
import { openRefile } from './refile.ts'

const NOW = Date.UTC(2026, 10, 22, 10)
const [SHOES, HOUSEHOLD] = [201, 203] as unknown as [SegmentId, SegmentId]
const crm = (id: string, authState: AuthState = 1) => ({ dataSourceId: CRM, id, authState })
const browser = (n: number) => deviceProfileId(deviceId(n))
const person = (id: string) => declaredProfileId(CRM, id)
const definitions = makeDefinitions({
  traits: [makeTrait(101, 'a == "1"'), makeTrait(102, 'b == "1"')],
  segments: [makeSegment(201, '101T'), makeSegment(203, '101T AND 102T', { mergeRuleId: LAST_AND_DEVICE })],
  destinations: [makeDestination(900)],
  mappings: [makeMapping(900, 201), makeMapping(900, 203)],
})

async function isIn(pipeline: TestPipeline, id: Parameters<TestPipeline['profile']>[0], segment: SegmentId) {
  const profile = await pipeline.profile(id)
  return profile !== undefined && isMember(profile.segments, segment)
}

test('a person who changes between the evaluation of her device and its commit is not missed (no write skew) [AUD-204] [AUD-205] [AUD-351~]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna')] }))
  await pipeline.process(makeCall(2, {}, { declaredIds: [crm('anna')] }))
  pipeline.beforeNextCommit(browser(1), () => pipeline.process(makeCall(2, { b: '1' }, { declaredIds: [crm('anna')] })))
  await pipeline.process(makeCall(1, { a: '1' }))
  expect(await isIn(pipeline, browser(1), HOUSEHOLD)).toBe(true)
  expect(await isIn(pipeline, person('anna'), HOUSEHOLD)).toBe(true)
})

test('an opt-out between the evaluation of an event and its commit wins [SEC-79]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, {}))
  pipeline.beforeNextCommit(browser(1), () => pipeline.optOut(makeOptOut({ deviceId: deviceId(1) })))
  await pipeline.process(makeCall(1, { a: '1' }))
  expect(await isIn(pipeline, browser(1), SHOES)).toBe(false)
})

test('an opted-out person is merged with none of her devices, at once [COL-228~] [SEC-79]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, { b: '1' }, { declaredIds: [crm('anna')] }))
  await pipeline.process(makeCall(1, { a: '1' }))
  await pipeline.process(makeCall(2, {}, { declaredIds: [crm('anna')] }))
  expect(await isIn(pipeline, browser(1), HOUSEHOLD)).toBe(true)
  pipeline.owe(browser(1))
  pipeline.notified.length = 0
  await pipeline.optOut(makeOptOut({ declaredIds: [crm('anna', 0)] }))
  expect(await isIn(pipeline, browser(1), HOUSEHOLD)).toBe(false)
  // Whatever its memberships, who was told of her through this device hears of the opt-out now.
  expect(pipeline.notified).toContainEqual({ profileId: browser(1), destinationIds: [900] })
  await pipeline.process(makeCall(1, { a: '1' }))
  expect(await isIn(pipeline, browser(1), HOUSEHOLD)).toBe(false)
})

test('a follow-up that failed stays stored and is carried out by the next pass of the sweep [SEC-40] [SEC-79]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, { b: '1' }))
  pipeline.failFollowUps(true)
  await pipeline.process(makeCall(1, { a: '1' }, { declaredIds: [crm('anna')] }))
  pipeline.failFollowUps(false)
  await pipeline.sweepAt(NOW + 1)
  expect((await pipeline.profile(person('anna')))?.traits.sids).toEqual(Int32Array.of(101))
})

test('a mapping that is written late does not become the latest one [COL-70] [COL-228~]', async () => {
  await using pipeline = await makePipeline(definitions)
  pipeline.failFollowUps(true)
  await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna', 0)] }))
  pipeline.failFollowUps(false)
  await pipeline.process(makeCall(2, {}, { declaredIds: [crm('anna', 0)], receivedAtMs: NOW + 7_200_000 }))
  await pipeline.runPendingFollowUps()
  expect((await pipeline.profile(person('anna')))?.devices.map((link) => link.deviceId)).toEqual([
    deviceId(1),
    deviceId(2),
  ])
})

test('a deprecated pair is resolved beside the other IDs of an opt-out; with d_uuid it is left out [COL-228~] [COL-231] [COL-238]', async () => {
  await using pipeline = await makePipeline(definitions)
  const pair = { dataSourceId: PARTNER, id: 'x', authState: 0 as const }
  await pipeline.process(makeCall(3, {}, { declaredIds: [pair] }))
  const both = await pipeline.optOut(makeOptOut({ declaredIds: [crm('anna', 0), pair], deprecatedPair: pair }))
  expect([...both.ids].sort()).toEqual([deviceId(3), person('anna')].sort())
  const named = await pipeline.optOut(makeOptOut({ deviceId: deviceId(8), declaredIds: [pair], deprecatedPair: pair }))
  expect(named.ids).toEqual([deviceId(8)])
})

test('the person of a retired or evicted device is no longer a member through it, nor the device through her [AUD-143] [AUD-169] [AUD-205]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, { b: '1' }, { declaredIds: [crm('anna')] }))
  await pipeline.process(makeCall(1, { a: '1' }))
  for (let n = 2; n <= 101; n++) await pipeline.process(makeCall(n, {}, { declaredIds: [crm('anna')] }))
  expect(await isIn(pipeline, browser(1), HOUSEHOLD)).toBe(false)
  expect(await isIn(pipeline, person('anna'), HOUSEHOLD)).toBe(false)

  await using other = await makePipeline(definitions)
  await other.process(makeCall(1, { b: '1' }, { declaredIds: [crm('bo')] }))
  await other.process(makeCall(1, { a: '1' }))
  expect(await isIn(other, person('bo'), HOUSEHOLD)).toBe(true)
  await other.sweepAt(NOW + 122 * DAY_MS)
  await other.sweepAt(NOW + 124 * DAY_MS)
  expect(await other.profile(browser(1))).toBeUndefined()
  expect(await isIn(other, person('bo'), HOUSEHOLD)).toBe(false)
})

test('a Status 0 that is still owed when a device retires is owed again each day [OUT-55~] [OUT-57]', async () => {
  await using pipeline = await makePipeline({ ...definitions, traits: [makeTrait(101, 'a == "1"', { ttlDays: 1 })] })
  await pipeline.process(makeCall(1, { a: '1' }))
  await pipeline.sweepAt(NOW + 3 * DAY_MS)
  pipeline.owe(browser(1))
  pipeline.notified.length = 0
  await pipeline.sweepAt(NOW + 121 * DAY_MS)
  await pipeline.sweepAt(NOW + 122 * DAY_MS)
  expect(pipeline.notified.map((each) => each.destinationIds)).toEqual([[900], [900]])
})

test('a person seen daily on one device is not forgotten after 24 months; /id is no activity [COL-77] [COL-254] [COL-155]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna', 0)] }))
  await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna', 0)], receivedAtMs: NOW + 50 * DAY_MS }))
  expect((await pipeline.profile(person('anna')))?.lastSeenMs).toBe(NOW + 50 * DAY_MS)
  await pipeline.process(
    makeCall(1, {}, { kind: 'id', declaredIds: [crm('anna', 1)], receivedAtMs: NOW + 60 * DAY_MS }),
  )
  expect((await pipeline.profile(browser(1)))?.lastSeenMs).toBe(NOW + 50 * DAY_MS)
  await pipeline.process(makeCall(1, {}, { kind: 'sync', receivedAtMs: NOW + 60 * DAY_MS }))
  expect((await pipeline.profile(browser(1)))?.lastSeenMs).toBe(NOW + 60 * DAY_MS)
})

test('a call that says nothing about consent takes back no opt-out of sale [SEC-73~] [SEC-74] [SEC-78]', async () => {
  await using pipeline = await makePipeline(definitions)
  const gpc = { ...CONSENT, deniedDestinations: [ALL_DESTINATIONS], syncDenied: true, reason: 'gpc' }
  await pipeline.process(makeCall(1, { a: '1' }, { consent: gpc }))
  await pipeline.process(makeCall(1, {}))
  expect((await pipeline.profile(browser(1)))?.consent?.deniedDestinations).toEqual([ALL_DESTINATIONS])
})

test('the consent entry of a profile names what was judged last, also where the same string came before [COL-275] [OPS-52]', async () => {
  await using pipeline = await makePipeline(definitions)
  for (const reason of ['tcf_granted', 'gdpr_flag_unreadable'])
    await pipeline.process(makeCall(1, { a: '1' }, { consent: { ...CONSENT, reason, fingerprint: 'ab'.repeat(8) } }))
  expect((await pipeline.profile(browser(1)))?.consent).toMatchObject({
    reason: 'gdpr_flag_unreadable',
    fingerprint: 'ab'.repeat(8),
  })
})

test('the answer of an authenticated call shows what it led to [COL-47]', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(makeCall(1, { a: '1' }))
  const outcome = await pipeline.process(makeCall(1, { b: '1' }, { declaredIds: [crm('anna')] }))
  expect(outcome).toMatchObject({ traits: [101, 102], segments: [201, 203] })
})

const keyed = (membershipKey: number) => ({ membershipKey, deletionVersion: 0, destinations: { unmapKey: 0 } })

test('a rule that changes during the last step of a walk, or while a partition is walked, is walked for [AUD-142] [AUD-143]', async () => {
  const walked: number[] = []
  let ended = 0
  const profiles = {
    async *scan(partition: number) {
      walked.push(partition)
      if (walked.length === 100) refile.start(keyed(2))
      yield* []
    },
    async *pendingFollowUps() {},
  }
  const parts = { profiles, rulebook: () => keyed(1), isTimeKept: () => true } as unknown as Parameters<
    typeof openRefile
  >[0]
  const jobs = {
    read: () => Promise.resolve(undefined),
    async write(_name: string, place: unknown) {
      if ((place as { remaining: number }).remaining === 0 && ++ended === 1) refile.start(keyed(3))
    },
  }
  const refile = await openRefile(parts, jobs, { onFailed: (error) => expect.unreachable(String(error)) })
  refile.start(keyed(1))
  for (let tries = 0; tries < 500 && (refile.remaining() > 0 || ended < 2); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect(refile.remaining()).toBe(0)
  // 100 partitions under the first version, all under the second and all under the third, the interrupted one again.
  expect(walked.length).toBe(100 + 2 * 4096)
  await refile.close()
})
