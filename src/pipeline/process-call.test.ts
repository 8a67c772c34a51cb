import { describe, expect, test } from 'vitest'
import type { AuthState } from '../model/event.ts'
import { type DestinationId, declaredProfileId, deviceProfileId, type SegmentId } from '../model/ids.ts'
import { isMember, LeaveReason } from '../model/profile.ts'
import { Signals } from '../model/signals.ts'
import { DAY_MS } from '../model/time.ts'
import { deviceId, makeCall } from '../testkit/make-call.ts'
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

const crm = (id: string, authState: AuthState = 1) => ({ dataSourceId: CRM, id, authState })
const partner = (id: string) => ({ dataSourceId: PARTNER, id, authState: 0 as const })
const person = (id: string) => declaredProfileId(CRM, id)
const browser = (n: number) => deviceProfileId(deviceId(n))
const [SHOES, BUYERS, HOUSEHOLD] = [201, 202, 203] as unknown as [SegmentId, SegmentId, SegmentId]

const definitions = makeDefinitions({
  traits: [
    makeTrait(101, 'c_look == "shoes"'),
    makeTrait(102, 'c_did == "buy"'),
    makeTrait(103, undefined),
    makeTrait(104, 'p_age < 25'),
  ],
  segments: [
    makeSegment(201, '101T'),
    makeSegment(202, '101T AND 102T AND NOT 103T'),
    makeSegment(203, '101T AND 102T', { mergeRuleId: LAST_AND_DEVICE }),
  ],
  destinations: [makeDestination(900)],
  mappings: [makeMapping(900, 201), makeMapping(900, 203)],
})

async function memberships(pipeline: TestPipeline, ...ids: Parameters<TestPipeline['profile']>) {
  const profile = await pipeline.profile(...ids)
  return [SHOES, BUYERS, HOUSEHOLD].filter((id) => profile !== undefined && isMember(profile.segments, id))
}

describe('one event', () => {
  test('realizes its traits, enters the segments they touch, and owes the mapped destination [AUD-6] [AUD-141~] [OUT-28] [COL-21]', async () => {
    await using pipeline = await makePipeline(definitions)
    const outcome = await pipeline.process(makeCall(1, { c_look: 'shoes', p_age: '23' }))
    expect(outcome).toMatchObject({
      status: 'processed',
      deviceId: deviceId(1),
      source: 'parameter',
      traits: [101, 104],
      segments: [201],
    })
    expect(pipeline.notified).toEqual([{ profileId: browser(1), destinationIds: [900] }])
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES])
    expect(JSON.stringify(await pipeline.profile(browser(1)))).not.toContain('p_age')
  })

  test('of a device seen again without a change owes nothing [OUT-33]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    expect(pipeline.notified).toHaveLength(1)
  })

  test('is written once, however often it is repeated under its id [AUD-138]', async () => {
    await using pipeline = await makePipeline(definitions)
    const call = makeCall(1, { c_look: 'shoes' })
    await pipeline.process(call)
    await pipeline.process(call)
    expect((await pipeline.profile(browser(1)))?.traits.totals).toEqual(Uint32Array.of(1))
  })

  test('of thirty sent at once for one device loses no trait and no count [COL-144]', async () => {
    await using pipeline = await makePipeline(definitions)
    await Promise.all(Array.from({ length: 30 }, () => pipeline.process(makeCall(1, { c_look: 'shoes' }))))
    expect((await pipeline.profile(browser(1)))?.traits.totals).toEqual(Uint32Array.of(30))
  })

  test('names traits directly by d_sid, an onboarded one too [COL-194] [AUD-57] [AUD-345]', async () => {
    await using pipeline = await makePipeline(definitions)
    const outcome = await pipeline.process(makeCall(1, {}, { traitIds: [103, 999] as never }))
    expect(outcome).toMatchObject({ traits: [103] })
    // With a person who is logged in they are written to her profile.
    await pipeline.process(makeCall(1, {}, { traitIds: [103] as never, declaredIds: [crm('anna', 1)] }))
    expect((await pipeline.profile(person('anna')))?.traits.sids).toEqual(Int32Array.of(103))
  })

  test('without a device makes one; with the ID of a person it finds the latest device of it [COL-69] [COL-70] [COL-93]', async () => {
    await using pipeline = await makePipeline(definitions)
    const made = await pipeline.process(makeCall(undefined, { c_look: 'shoes' }))
    expect(made).toMatchObject({ status: 'processed', source: 'new' })
    await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna', 0)] }))
    await pipeline.process(makeCall(2, {}, { declaredIds: [crm('anna', 0)] }))
    const found = await pipeline.process(makeCall(undefined, {}, { declaredIds: [crm('anna', 0)] }))
    expect(found).toMatchObject({ source: 'declared', deviceId: deviceId(2) })
  })

  test('without consent to store is stored nowhere [SEC-73~]', async () => {
    await using pipeline = await makePipeline(definitions)
    const call = makeCall(1, { c_look: 'shoes' })
    expect(await pipeline.process({ ...call, consent: { ...call.consent, store: false } })).toMatchObject({
      status: 'not_stored',
    })
    expect(await pipeline.profile(browser(1))).toBeUndefined()
  })

  test('consent that is said again keeps the time when it was decided; another decision has its own [SEC-73~]', async () => {
    await using pipeline = await makePipeline(definitions)
    const [ONE, TWO] = ['1'.repeat(16), '2'.repeat(16)] as const
    const sayAt = async (
      minute: number,
      said: { reason: string; fingerprint: string; deniedDestinations?: DestinationId[] },
    ) => {
      const call = makeCall(1, {}, { receivedAtMs: Date.UTC(2026, 10, 22, 10, minute) })
      const consent = { ...call.consent, deniedDestinations: [], ...said }
      await pipeline.process({ ...call, consent })
      const decidedAtMs = (await pipeline.profile(browser(1)))?.consent?.decidedAtMs
      return decidedAtMs === undefined ? undefined : new Date(decidedAtMs).getUTCMinutes()
    }
    expect(await sayAt(1, { reason: 'tcf', fingerprint: ONE })).toBe(1)
    expect(await sayAt(2, { reason: 'tcf', fingerprint: ONE })).toBe(1)
    // A call that says nothing takes nothing back.
    expect(await sayAt(3, { reason: 'none_applies', fingerprint: '' })).toBe(1)
    expect(await sayAt(4, { reason: 'tcf', fingerprint: TWO })).toBe(4)
    expect(await sayAt(5, { reason: 'tcf_vendor', fingerprint: TWO })).toBe(5)
    expect(await sayAt(6, { reason: 'tcf_vendor', fingerprint: TWO, deniedDestinations: [900 as DestinationId] })).toBe(
      6,
    )
    expect(await sayAt(7, { reason: 'tcf_vendor', fingerprint: TWO, deniedDestinations: [900 as DestinationId] })).toBe(
      6,
    )
  })
})

describe('authentication states', () => {
  test('state 1 writes traits to the authenticated profile, states 0 and 2 to the device [AUD-187~] [COL-94]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }, { declaredIds: [crm('anna', 1)] }))
    expect((await pipeline.profile(person('anna')))?.traits.sids).toEqual(Int32Array.of(101))
    expect((await pipeline.profile(browser(1)))?.traits.sids).toEqual(Int32Array.of())
    await pipeline.process(makeCall(1, { c_did: 'buy' }, { declaredIds: [crm('anna', 2)] }))
    expect((await pipeline.profile(browser(1)))?.traits.sids).toEqual(Int32Array.of(102))
    expect((await pipeline.profile(person('anna')))?.traits.sids).toEqual(Int32Array.of(101))
  })

  test('the mapping is stored in all three states, both ways [COL-90] [AUD-188]', async () => {
    await using pipeline = await makePipeline(definitions)
    for (const [n, state] of [0, 1, 2].entries()) {
      await pipeline.process(makeCall(n + 1, {}, { declaredIds: [crm(`u${state}`, state as AuthState)] }))
      expect((await pipeline.profile(person(`u${state}`)))?.devices.map((link) => link.deviceId)).toEqual([
        deviceId(n + 1),
      ])
      expect((await pipeline.profile(browser(n + 1)))?.links.map((link) => link.id)).toEqual([`u${state}`])
    }
  })

  test('several state-1 IDs in one call: traits go to the profile of each, and the IDs are linked [AUD-343] [COL-97]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }, { declaredIds: [crm('anna'), crm('household')] }))
    for (const [id, other] of [
      ['anna', 'household'],
      ['household', 'anna'],
    ] as const) {
      const profile = await pipeline.profile(person(id))
      expect(profile?.traits.totals).toEqual(Uint32Array.of(1))
      expect(profile?.links.map((link) => link.id)).toEqual([other])
    }
  })

  test('under Last Authenticated + Device both sides of a pair are members; device-only segments ignore the login [AUD-190] [AUD-193] [AUD-204] [AUD-209]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    await pipeline.process(makeCall(1, { c_did: 'buy' }, { declaredIds: [crm('anna')] }))
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES, HOUSEHOLD])
    expect(await memberships(pipeline, person('anna'))).toEqual([HOUSEHOLD])
  })

  test('another device of the person qualifies only through its own pair, and at once [AUD-205] [AUD-351~] [AUD-145~]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }, { declaredIds: [crm('anna', 1)], signals: new Signals() }))
    await pipeline.process(makeCall(2, {}, { declaredIds: [crm('anna', 1)] }))
    await pipeline.process(makeCall(1, { c_look: 'shoes' }, { declaredIds: [crm('anna', 0)] }))
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES])
    // Anna buys on her second device: what she bought is hers, so the first device's pair qualifies without being seen.
    await pipeline.process(makeCall(2, { c_did: 'buy' }, { declaredIds: [crm('anna', 1)] }))
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES, HOUSEHOLD])
    expect(await memberships(pipeline, browser(2))).toEqual([])
    expect(await memberships(pipeline, person('anna'))).toEqual([HOUSEHOLD])
  })

  test('what a person does on one device takes her other device out of a segment at once [AUD-145]', async () => {
    const segments = [makeSegment(203, '101T AND NOT 102T', { mergeRuleId: LAST_AND_DEVICE })]
    await using pipeline = await makePipeline({ ...definitions, segments })
    await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna')] }))
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    expect(await memberships(pipeline, browser(1))).toEqual([HOUSEHOLD])
    await pipeline.process(makeCall(2, { c_did: 'buy' }, { declaredIds: [crm('anna')] }))
    expect(await memberships(pipeline, browser(1))).toEqual([])
  })

  test('a login by somebody else parts the device from the first person, and both are brought up to date [AUD-205] [AUD-343]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    await pipeline.process(makeCall(1, { c_did: 'buy' }, { declaredIds: [crm('anna')] }))
    expect(await memberships(pipeline, person('anna'))).toEqual([HOUSEHOLD])
    await pipeline.process(makeCall(1, {}, { declaredIds: [crm('bo')] }))
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES])
    expect(await memberships(pipeline, person('anna'))).toEqual([])
  })

  test('two profiles changed at the same moment end in the membership that both together mean (no write skew) [AUD-204]', async () => {
    for (let round = 0; round < 20; round++) {
      await using pipeline = await makePipeline(definitions)
      await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna')] }))
      await Promise.all([
        pipeline.process(makeCall(1, { c_look: 'shoes' })),
        pipeline.process(makeCall(2, { c_did: 'buy' }, { declaredIds: [crm('anna')] })),
      ])
      expect(await memberships(pipeline, browser(1))).toEqual([SHOES, HOUSEHOLD])
      expect(await memberships(pipeline, person('anna'))).toEqual([HOUSEHOLD])
    }
  })
})

describe('follow-ups', () => {
  test('what a crash left undone after the commit is carried out at the next start, once [SEC-59~]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    pipeline.failFollowUps(true)
    await pipeline.process(makeCall(1, { c_did: 'buy' }, { declaredIds: [crm('anna')] }))
    expect(await pipeline.profile(person('anna'))).toBeUndefined()
    pipeline.failFollowUps(false)
    expect(await pipeline.runPendingFollowUps()).toBeGreaterThan(0)
    expect((await pipeline.profile(person('anna')))?.traits.totals).toEqual(Uint32Array.of(1))
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES, HOUSEHOLD])
    expect(await pipeline.runPendingFollowUps()).toBe(0)
  })
})

describe('opt-outs', () => {
  const call = makeOptOut

  test('a device opt-out ends collection and takes the device out of every segment [COL-229] [COL-233] [SEC-79] [OUT-52~] [AUD-143]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    await pipeline.optOut(call({ deviceId: deviceId(1) }))
    const profile = await pipeline.profile(browser(1))
    expect([...(profile?.segments.left ?? [])]).toEqual([LeaveReason.optout])
    expect(pipeline.notified).toHaveLength(2)
    expect(await pipeline.process(makeCall(1, { c_did: 'buy' }))).toMatchObject({
      status: 'opted_out',
      id: deviceId(1),
      level: 'partner',
    })
    expect((await pipeline.profile(browser(1)))?.traits.sids).toEqual(Int32Array.of(101))
  })

  test('a declared opt-out takes the last device linked to the ID along [COL-228~] [COL-247]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }, { declaredIds: [crm('anna', 0)] }))
    await pipeline.process(makeCall(2, { c_look: 'shoes' }, { declaredIds: [crm('anna', 0)] }))
    await pipeline.optOut(call({ declaredIds: [crm('anna', 0)] }))
    expect(await memberships(pipeline, browser(2))).toEqual([])
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES])
    expect(await pipeline.process(makeCall(2, {}))).toMatchObject({ status: 'opted_out' })
    expect(await pipeline.process(makeCall(1, {}))).toMatchObject({ status: 'processed' })
  })

  test('a deprecated pair is stored under its latest device, else the cookie, else a new one; d_uuid always wins [COL-230] [COL-231]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, {}, { declaredIds: [partner('p1')] }))
    expect(await pipeline.optOut(call({ deprecatedPair: partner('p1'), cookieDeviceId: deviceId(9) }))).toEqual({
      ids: [deviceId(1)],
      deviceId: undefined,
    })
    expect(await pipeline.optOut(call({ deprecatedPair: partner('p2'), cookieDeviceId: deviceId(9) }))).toEqual({
      ids: [deviceId(9)],
      deviceId: undefined,
    })
    const made = await pipeline.optOut(call({ deprecatedPair: partner('p3') }))
    expect(made.deviceId).toMatch(/^[0-9]{38}$/)
    const direct = await pipeline.optOut(call({ deprecatedPair: partner('p1'), deviceId: deviceId(5) }))
    expect(direct.ids).toEqual([deviceId(5)])
  })

  test('a global opt-out is not narrowed by a later partner-level one [COL-226~] [COL-249]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.optOut(call({ level: 'global', cookieDeviceId: deviceId(1) }))
    await pipeline.optOut(call({ deviceId: deviceId(1) }))
    expect(await pipeline.optOutStatus({ ...call({}), deviceId: deviceId(1) })).toBe('global')
    expect(await pipeline.optOutStatus({ ...call({}), deviceId: deviceId(2) })).toBeUndefined()
  })

  test('after a global opt-out what was known goes 120 days after the last visit before it; the opt-out stays [COL-226] [SEC-79]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    await pipeline.optOut(call({ level: 'global', cookieDeviceId: deviceId(1) }))
    const day = (n: number) => Date.UTC(2026, 10, 22, 12) + n * DAY_MS
    const again = await pipeline.process(makeCall(1, { c_did: 'buy' }, { receivedAtMs: day(100) }))
    expect(again).toMatchObject({ status: 'opted_out', level: 'global' })
    await pipeline.sweepAt(day(119))
    expect((await pipeline.profile(browser(1)))?.traits.sids).toEqual(Int32Array.of(101))
    await pipeline.sweepAt(day(121))
    await pipeline.sweepAt(day(122))
    expect(await pipeline.profile(browser(1))).toBeUndefined()
    expect(await pipeline.optOutStatus({ ...call({}), deviceId: deviceId(1) })).toBe('global')
  })
})

describe('time alone', () => {
  test('a trait that expires takes its segments along without a visit [AUD-89] [AUD-143] [OUT-53]', async () => {
    await using pipeline = await makePipeline({
      ...definitions,
      traits: [makeTrait(101, 'c_look == "shoes"', { ttlDays: 2 })],
    })
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    // 22 November, two days of life: it ends at 00:00 on the 25th.
    await pipeline.sweepAt(Date.UTC(2026, 10, 24, 23, 59, 59))
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES])
    await pipeline.sweepAt(Date.UTC(2026, 10, 25))
    expect(await memberships(pipeline, browser(1))).toEqual([])
    expect(pipeline.notified).toHaveLength(2)
    expect([...((await pipeline.profile(browser(1)))?.segments.left ?? [])]).toEqual([LeaveReason.ttl])
  })

  test('a device not seen for 120 days leaves its segments, then goes with its mappings; others stay [OUT-51] [OUT-54] [OUT-55~] [COL-76] [AUD-143]', async () => {
    await using pipeline = await makePipeline({
      ...definitions,
      traits: [makeTrait(101, 'c_look == "shoes"', { ttlDays: 0 })],
    })
    await pipeline.process(makeCall(1, { c_look: 'shoes' }, { declaredIds: [partner('p1')] }))
    const lastDay = Date.UTC(2026, 10, 22) + 121 * DAY_MS
    await pipeline.sweepAt(lastDay - 1)
    expect(await memberships(pipeline, browser(1))).toEqual([SHOES])
    pipeline.owe(browser(1))
    await pipeline.sweepAt(lastDay)
    expect([...((await pipeline.profile(browser(1)))?.segments.left ?? [])]).toEqual([LeaveReason.inactive])
    await pipeline.sweepAt(lastDay + DAY_MS)
    expect(await pipeline.profile(browser(1))).toBeDefined()
    pipeline.owe(undefined)
    await pipeline.sweepAt(lastDay + 2 * DAY_MS)
    expect(await pipeline.profile(browser(1))).toBeUndefined()
    expect((await pipeline.profile(declaredProfileId(PARTNER, 'p1')))?.devices).toEqual([])
  })
})

describe('the wave at midnight', () => {
  test('of three thousand profiles that fall due at one moment every one is evaluated, and told once [AUD-87] [AUD-89] [AUD-342]', async () => {
    const short = makeTrait(101, 'c_look == "shoes"', { ttlDays: 1 })
    await using pipeline = await makePipeline({ ...definitions, traits: [short, makeTrait(104, 'c_look == "hats"')] })
    const count = 3_000
    for (let n = 0; n < count; n++) await pipeline.process(makeCall(n, { c_look: n % 10 === 0 ? 'hats' : 'shoes' }))
    pipeline.notified.length = 0
    await pipeline.sweepAt(Date.UTC(2026, 10, 24))
    expect(new Set(pipeline.notified.map((each) => each.profileId)).size).toBe(count * 0.9)
    expect(pipeline.notified).toHaveLength(count * 0.9)
    expect(await memberships(pipeline, browser(1))).toEqual([])
  })
})

describe('a changed rule', () => {
  test('reaches profiles without a visit: a new segment takes in those who hold its traits, a deleted one lets go [AUD-142] [AUD-143] [AUD-123~]', async () => {
    await using pipeline = await makePipeline(definitions)
    await pipeline.process(makeCall(1, { c_look: 'shoes' }))
    await pipeline.change({ ...definitions, version: 2, segments: [makeSegment(202, '101T')] })
    expect(await memberships(pipeline, browser(1))).toEqual([BUYERS])
  })
})
