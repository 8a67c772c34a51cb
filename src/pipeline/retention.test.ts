import { expect, test } from 'vitest'
import type { IdType } from '../model/definitions.ts'
import { type DataSourceId, declaredProfileId, deviceProfileId } from '../model/ids.ts'
import { DAY_MS } from '../model/time.ts'
import { deviceId, makeCall } from '../testkit/make-call.ts'
import { makeDataSource, makeDefinitions, makeSegment, makeTrait } from '../testkit/make-definitions.ts'
import { makePipeline } from '../testkit/make-pipeline.ts'

const NOW = Date.UTC(2026, 10, 22, 10)
const SOURCE = 30 as DataSourceId
const kept = (idType: IdType, retentionDays: number) =>
  makeDefinitions({
    dataSources: [makeDataSource(SOURCE, { idType, retentionDays })],
    traits: [makeTrait(101, 'a == "1"')],
    segments: [makeSegment(201, '101T')],
  })
const anna = declaredProfileId(SOURCE, 'anna')
const visit = (day: number, withId = true) =>
  makeCall(
    1,
    { a: '1' },
    {
      receivedAtMs: NOW + day * DAY_MS,
      declaredIds: withId ? [{ dataSourceId: SOURCE, id: 'anna', authState: 1 }] : [],
    },
  )

test.each([
  ['CROSS_DEVICE', 30],
  ['CROSS_DEVICE', 720],
  ['CROSS_DEVICE', 1800],
  ['COOKIE', 120],
  ['DEVICE_ADVERTISING_ID', 120],
] as const)(
  'an ID of type %s whose data source keeps it for %i days is there on that day, and gone three later [COL-67], [COL-76], [COL-77], [AUD-164], [AUD-168]',
  async (idType, days) => {
    await using pipeline = await makePipeline(kept(idType, days))
    await pipeline.process(visit(0))
    await pipeline.sweepAt(NOW + days * DAY_MS)
    expect(await pipeline.profile(anna)).toBeDefined()
    for (let day = days + 1; day <= days + 3; day++) await pipeline.sweepAt(NOW + day * DAY_MS)
    expect(await pipeline.profile(anna)).toBeUndefined()
  },
)

test('while the clock says a time that cannot be kept nobody is forgotten by it, and everything when it is right again [SEC-82~]', async () => {
  let isKept = false
  await using pipeline = await makePipeline(kept('CROSS_DEVICE', 30), { isTimeKept: () => isKept })
  await pipeline.process(visit(0))
  await pipeline.sweepAt(NOW + 33 * DAY_MS)
  expect(await pipeline.profile(anna)).toBeDefined()
  isKept = true
  await pipeline.sweepAt(NOW + 33 * DAY_MS)
  expect(await pipeline.profile(anna)).toBeUndefined()
})

test('an ID of a person that is forgotten leaves the device, which goes on [COL-77]', async () => {
  await using pipeline = await makePipeline(kept('CROSS_DEVICE', 30))
  await pipeline.process(visit(0))
  await pipeline.process(visit(20, false))
  await pipeline.sweepAt(NOW + 32 * DAY_MS)
  expect(await pipeline.profile(anna)).toBeUndefined()
  expect((await pipeline.profile(deviceProfileId(deviceId(1))))?.links).toEqual([])
})

test('a mapped cookie ID lives as long as its visitor comes, though it was synced once [OUT-17], [COL-76]', async () => {
  await using pipeline = await makePipeline(kept('COOKIE', 120))
  await pipeline.process(visit(0))
  for (let day = 100; day <= 400; day += 100) {
    await pipeline.sweepAt(NOW + day * DAY_MS)
    await pipeline.process(visit(day, false))
  }
  expect((await pipeline.profile(deviceProfileId(deviceId(1))))?.links).toHaveLength(1)
  for (let day = 521; day <= 523; day++) await pipeline.sweepAt(NOW + day * DAY_MS)
  expect(await pipeline.profile(anna)).toBeUndefined()
})

test('a data source that keeps its IDs shorter, or longer, from now on does so for those it has [AUD-164]', async () => {
  await using pipeline = await makePipeline(kept('CROSS_DEVICE', 720))
  await pipeline.process(visit(0))
  await pipeline.change(kept('CROSS_DEVICE', 30))
  await pipeline.sweepAt(NOW + 10 * DAY_MS)
  await pipeline.change(kept('CROSS_DEVICE', 60))
  await pipeline.sweepAt(NOW + 40 * DAY_MS)
  expect(await pipeline.profile(anna)).toBeDefined()
  await pipeline.change(kept('CROSS_DEVICE', 30))
  await pipeline.sweepAt(NOW + 41 * DAY_MS)
  expect(await pipeline.profile(anna)).toBeUndefined()
})

test.each(['COOKIE', 'DEVICE_ADVERTISING_ID'] as const)(
  'whoever never comes again leaves while the partner still knows them: an ID of type %s stays until the device is gone [OUT-55] [OUT-51]',
  async (idType) => {
    await using pipeline = await makePipeline(kept(idType, 120))
    await pipeline.process(visit(0))
    const device = () => pipeline.profile(deviceProfileId(deviceId(1)))
    let daysOut = 0
    for (let day = 119; day <= 125 && (await device()) !== undefined; day++) {
      await pipeline.sweepAt(NOW + day * DAY_MS)
      const now = await device()
      if (now === undefined) continue
      expect(now.links.map(({ id }) => id)).toEqual(['anna'])
      if (now.segments.left[0] !== 0) daysOut += 1
    }
    expect(daysOut).toBeGreaterThan(0)
    expect(await device()).toBeUndefined()
    expect(await pipeline.profile(anna)).toBeUndefined()
  },
)
