import { expect, test } from 'vitest'
import type { AuthState } from '../model/event.ts'
import { deviceProfileId } from '../model/ids.ts'
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
import { makePipeline } from '../testkit/make-pipeline.ts'

/** How often a call goes to the store: each time is a round trip in a cluster. */
const visit = (signals: Record<string, string>, changes: Parameters<typeof makeCall>[2] = {}) =>
  makeCall(1, signals, { wantsMemberships: false, ...changes })
const crm = (id: string, authState: AuthState = 1) => ({ dataSourceId: CRM, id, authState })
const partner = (id: string) => ({ dataSourceId: PARTNER, id, authState: 0 as const })
const definitions = makeDefinitions({
  traits: [makeTrait(101, 'c_look == "shoes"'), makeTrait(102, 'c_did == "buy"')],
  segments: [makeSegment(201, '101T'), makeSegment(203, '101T AND 102T', { mergeRuleId: LAST_AND_DEVICE })],
  destinations: [makeDestination(900)],
  mappings: [makeMapping(900, 201)],
})

test('a visit without declared IDs is one read and one commit, new or not, qualifying or not', async () => {
  await using pipeline = await makePipeline(definitions)
  for (const signals of [{}, { c_look: 'shoes' }, { c_look: 'shoes' }]) {
    pipeline.roundTrips()
    await pipeline.process(makeCall(1, signals))
    expect(pipeline.roundTrips()).toEqual({ reads: 1, commits: 1 })
  }
})

test('declared IDs are read with the device; each new one is a follow-up: read, written, and done', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(visit({}))
  pipeline.roundTrips()
  await pipeline.process(visit({ c_look: 'shoes' }, { declaredIds: [partner('hd-1')] }))
  // And one look whether the ID opted out meanwhile: it lies in another partition than the device.
  expect(pipeline.roundTrips()).toEqual({ reads: 3, commits: 3 })
  await pipeline.process(visit({ c_look: 'shoes' }, { declaredIds: [partner('hd-1')] }))
  expect(pipeline.roundTrips()).toEqual({ reads: 2, commits: 1 })
})

test('a person who is merged with the device and named by the call is read once for the evaluation', async () => {
  await using pipeline = await makePipeline(definitions)
  await pipeline.process(visit({ c_look: 'shoes' }, { declaredIds: [crm('anna')] }))
  pipeline.roundTrips()
  // Device and person together, and her opt-out behind the commit; a follow-up, since she may have changed meanwhile: it reads
  // the device and her, finds nothing to write, and is done.
  await pipeline.process(visit({}, { declaredIds: [crm('anna')] }))
  expect(pipeline.roundTrips()).toEqual({ reads: 5, commits: 2 })
  // Not named, she is read for the evaluation too.
  await pipeline.process(visit({}))
  expect(pipeline.roundTrips()).toEqual({ reads: 5, commits: 2 })
})

test('an opt-out of the device between look-up and commit refuses the commit: nothing of the call is stored [SEC-79]', async () => {
  await using pipeline = await makePipeline(definitions)
  const browser = deviceProfileId(deviceId(1))
  pipeline.beforeNextCommit(browser, () => pipeline.optOut(makeOptOut({ deviceId: deviceId(1) })))
  const outcome = await pipeline.process(visit({ c_look: 'shoes' }))
  expect([outcome.status, await pipeline.profile(browser)]).toEqual(['opted_out', undefined])
  expect(pipeline.notified).toEqual([])
})
