import { expect, test } from 'vitest'
import { type DataSourceId, declaredProfileId, deviceProfileId, type SegmentId } from '../model/ids.ts'
import { isMember } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { deviceId, makeCall } from '../testkit/make-call.ts'
import {
  CRM,
  LAST_AND_DEVICE,
  makeDataSource,
  makeDefinitions,
  makeSegment,
  makeTrait,
  PARTNER,
} from '../testkit/make-definitions.ts'
import { makePipeline, type TestPipeline } from '../testkit/make-pipeline.ts'

const NOW = Date.UTC(2026, 10, 22, 10)
const browser = (n: number) => deviceProfileId(deviceId(n))
const anna = declaredProfileId(CRM, 'anna')
const cookie = declaredProfileId(PARTNER, 'cookie')
const login = { dataSourceId: CRM, id: 'anna', authState: 1 } as const
const synced = { dataSourceId: PARTNER, id: 'cookie', authState: 0 } as const

const SHOES = makeTrait(101, 'a == "1"')
const TENTS = makeTrait(102, 'b == "1"')
const BUYERS = 203 as SegmentId
const segments = [makeSegment(BUYERS, '102T', { mergeRuleId: LAST_AND_DEVICE })]
const whole = makeDefinitions({ traits: [SHOES, TENTS], segments })
const withoutShoes = makeDefinitions({ version: 2, deletionVersion: 2, traits: [TENTS], segments })
const withoutPartner = makeDefinitions({
  version: 2,
  deletionVersion: 2,
  dataSources: [makeDataSource(CRM, { idType: 'CROSS_DEVICE' })],
  traits: [SHOES, TENTS],
  segments,
})

const traitsOf = async (pipeline: TestPipeline, id: Parameters<TestPipeline['profile']>[0]) => [
  ...((await pipeline.profile(id))?.traits.sids ?? []),
]

test('a deleted trait goes from devices and people who do not come, and profiles without it are not written [AUD-59]', async () => {
  await using pipeline = await makePipeline(whole)
  await pipeline.process(makeCall(1, { a: '1', b: '1' }))
  await pipeline.process(makeCall(2, { b: '1' }))
  await pipeline.process(makeCall(3, { a: '1', b: '1' }, { declaredIds: [login] }))
  // Evaluated in full, this one would be filed anew.
  await pipeline.process(makeCall(2, { b: '1' }, { receivedAtMs: NOW + DAY_MS }))
  const others = await Promise.all([2, 3].map((n) => pipeline.profile(browser(n))))
  expect(await traitsOf(pipeline, anna)).toEqual([101, 102])

  await pipeline.change(withoutShoes)
  expect(await traitsOf(pipeline, browser(1))).toEqual([102])
  expect(await traitsOf(pipeline, anna)).toEqual([102])
  expect(isMember((await pipeline.profile(anna))?.segments ?? expect.unreachable(), BUYERS)).toBe(true)
  expect(await Promise.all([2, 3].map((n) => pipeline.profile(browser(n))))).toEqual(others)
})

test('also while the clock is not trusted, and from a device that is due to be forgotten: what is deleted goes for no age [AUD-59] [SEC-82]', async () => {
  let mayForget = true
  await using pipeline = await makePipeline(whole, { mayForget: () => mayForget })
  await pipeline.process(makeCall(1, { a: '1', b: '1' }))
  await pipeline.process(makeCall(2, { b: '1' }, { receivedAtMs: NOW + 200 * DAY_MS }))
  await pipeline.process(makeCall(3, { a: '1', b: '1' }))
  mayForget = false
  await pipeline.change(withoutShoes)
  expect(await traitsOf(pipeline, browser(1))).toEqual([102])
  expect(await traitsOf(pipeline, browser(3))).toEqual([102])
})

test('of a deleted data source no ID link and no declared profile stays, and what else those devices are does [AUD-59~]', async () => {
  await using pipeline = await makePipeline(whole)
  await pipeline.process(makeCall(1, { a: '1' }, { declaredIds: [{ ...login, authState: 0 }, synced] }))
  await pipeline.process(makeCall(2, { b: '1' }, { declaredIds: [login] }))
  const other = await pipeline.profile(browser(2))
  expect(await pipeline.profile(cookie)).toBeDefined()

  await pipeline.change(withoutPartner)
  expect(await pipeline.profile(cookie)).toBeUndefined()
  expect((await pipeline.profile(browser(1)))?.links.map((link) => link.dataSourceId)).toEqual([CRM])
  expect(await traitsOf(pipeline, browser(1))).toEqual([101])
  expect(await pipeline.profile(browser(2))).toEqual(other)
})

test('a person who was seen together with an ID of a deleted data source forgets it [COL-97]', async () => {
  const household = 40 as DataSourceId
  const sources = [makeDataSource(CRM, { idType: 'CROSS_DEVICE' })]
  const both = [...sources, makeDataSource(household, { idType: 'CROSS_DEVICE' })]
  await using pipeline = await makePipeline({ ...whole, dataSources: both })
  await pipeline.process(
    makeCall(1, {}, { declaredIds: [login, { dataSourceId: household, id: 'smith', authState: 0 }] }),
  )
  expect((await pipeline.profile(anna))?.links).toHaveLength(1)
  await pipeline.change({ ...withoutPartner, dataSources: sources })
  expect((await pipeline.profile(anna))?.links).toEqual([])
})

test('a call that was read before its data source was deleted brings nothing of it back [AUD-59~]', async () => {
  await using pipeline = await makePipeline(withoutPartner)
  await pipeline.process(makeCall(1, { a: '1' }, { declaredIds: [login, synced] }))
  await pipeline.process(makeCall(2, { a: '1' }, { declaredIds: [synced] }))
  expect(await pipeline.profile(cookie)).toBeUndefined()
  for (const n of [1, 2])
    expect((await pipeline.profile(browser(n)))?.links.filter((link) => link.dataSourceId === PARTNER)).toEqual([])
  expect((await pipeline.profile(anna))?.links).toEqual([])
})

test('what a crash left over counts for neither a trait nor a data source that was deleted and made again [AUD-59]', async () => {
  await using pipeline = await makePipeline(whole)
  pipeline.failFollowUps(true)
  await pipeline.process(makeCall(1, { a: '1', b: '1' }, { declaredIds: [login, synced] }))
  pipeline.failFollowUps(false)
  await pipeline.change({ ...withoutPartner, traits: [TENTS] })
  expect(await traitsOf(pipeline, anna)).toEqual([102])
  // Made again under the same ids; the rule is another one.
  const traits = [makeTrait(101, 'c == "1"'), TENTS]
  await pipeline.change(makeDefinitions({ version: 4, deletionVersion: 2, traits, segments }))
  await pipeline.runPendingFollowUps()
  expect(await traitsOf(pipeline, anna)).toEqual([102])
  expect(await pipeline.profile(cookie)).toBeUndefined()
})
