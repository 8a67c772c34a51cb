import { beforeEach, expect, test, vi } from 'vitest'
import type { Pace } from '../lib/pace.ts'
import { type DataSourceId, deviceProfileId } from '../model/ids.ts'
import { DAY_MS } from '../model/time.ts'
import { deviceId, makeCall } from '../testkit/make-call.ts'
import { makeDataSource, makeDefinitions, makeSegment, makeTrait } from '../testkit/make-definitions.ts'
import { makePipeline } from '../testkit/make-pipeline.ts'

/** Pieces of work that waited for their turn. */
const paced = vi.hoisted(() => ({ pieces: 0 }))
vi.mock('../lib/pace.ts', async (readOriginal) => {
  const original = await readOriginal<typeof import('../lib/pace.ts')>()
  const openPace = (): Pace => {
    const pace = original.openPace()
    return (work) => {
      paced.pieces += 1
      return pace(work)
    }
  }
  return { ...original, openPace }
})

const NOW = Date.UTC(2026, 10, 22, 10)
const SOURCE = 30 as DataSourceId
const VISITORS = 5
const define = (rule: string, retentionDays = 30) =>
  makeDefinitions({
    dataSources: [makeDataSource(SOURCE, { idType: 'CROSS_DEVICE', retentionDays })],
    traits: [makeTrait(101, 'a == "1"')],
    segments: [makeSegment(201, rule)],
  })
async function visited(declared = false) {
  const pipeline = await makePipeline(define('FREQUENCY([101T] <= 2D) >= 1'))
  for (let n = 1; n <= VISITORS; n++) {
    const declaredIds = declared ? [{ dataSourceId: SOURCE, id: `person-${n}`, authState: 1 as const }] : []
    await pipeline.process(makeCall(n, { a: '1' }, { receivedAtMs: NOW, declaredIds }))
  }
  return pipeline
}
beforeEach(() => {
  paced.pieces = 0
})

test('every visitor whom time takes out of a segment is evaluated in its turn, beside the events [SEC-11~]', async () => {
  await using pipeline = await visited()
  await pipeline.sweepAt(NOW + 4 * DAY_MS)
  const profile = await pipeline.profile(deviceProfileId(deviceId(1)))
  expect([...(profile?.segments.left ?? [])]).not.toContain(0)
  expect(paced.pieces).toBeGreaterThanOrEqual(VISITORS)
})

test('every visitor who is let go after 120 days goes in its turn [SEC-11~]', async () => {
  await using pipeline = await visited()
  await pipeline.sweepAt(NOW + 4 * DAY_MS)
  paced.pieces = 0
  await pipeline.sweepAt(NOW + 122 * DAY_MS)
  await pipeline.sweepAt(NOW + 124 * DAY_MS)
  expect(await pipeline.profile(deviceProfileId(deviceId(1)))).toBeUndefined()
  expect(paced.pieces).toBeGreaterThanOrEqual(VISITORS)
})

test('what follows for the devices of an ID that goes is evaluated in its turn [SEC-11~]', async () => {
  await using pipeline = await visited(true)
  await pipeline.sweepAt(NOW + 4 * DAY_MS)
  paced.pieces = 0
  for (let day = 31; day <= 33; day++) await pipeline.sweepAt(NOW + day * DAY_MS)
  expect((await pipeline.profile(deviceProfileId(deviceId(1))))?.links).toEqual([])
  expect(paced.pieces).toBeGreaterThanOrEqual(VISITORS)
})

test('every profile that a changed rule concerns is evaluated in its turn [SEC-11~]', async () => {
  await using pipeline = await visited()
  await pipeline.change(define('FREQUENCY([101T] <= 2D) >= 2'))
  expect(paced.pieces).toBeGreaterThanOrEqual(VISITORS)
})
