import { expect, test } from 'vitest'
import type { DestinationId, SegmentId } from '../model/ids.ts'
import type { MembershipChange } from '../model/membership-change.ts'
import { LeaveReason, type Profile } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { type PlanInput, planActivation } from './plan.ts'
import { DESTINATION, day, deviceIn, linkOf, NOW, OTHER, PARTNER, PERSON, rulesOf } from './workbench.conformance.ts'

const rules = rulesOf()
const change = (segmentId: number, member = true): MembershipChange => ({
  segmentId: segmentId as SegmentId,
  member,
  reason: member ? undefined : LeaveReason.rule,
})
/** A device told of everything an hour ago, evaluated under these rules. */
const known = (more: Partial<Profile> = {}): Profile =>
  deviceIn(1, [100], {
    membershipKey: 1,
    plans: [{ destinationId: DESTINATION, plannedAtMs: NOW - 3_600_000, mappingVersion: 1 }],
    ...more,
  })
const plan = (more: Partial<PlanInput> = {}, under = rules) => {
  const next = more.next ?? known()
  return planActivation(under, { before: next, next, changes: [], seen: true, newLinks: [], nowMs: NOW, ...more })
}
const told = (destinationId: DestinationId, mappingVersion = 1) => ({ destinationId, plannedAtMs: NOW, mappingVersion })

test('a device seen again with no change produces nothing, and nothing new to store [OUT-33]', () => {
  const next = known()
  expect(plan({ next })).toEqual({ outbox: [], plans: next.plans })
  expect(plan({ next }).plans).toBe(next.plans)
})

test('entering or leaving a mapped segment tells each destination it is mapped to [OUT-28] [OUT-29] [AUD-146~]', () => {
  const two = rulesOf({ destinations: [{}, { id: OTHER, mappings: [{ segmentId: 101 }] }] })
  expect(plan({ changes: [change(100)] }, two).outbox).toEqual([DESTINATION])
  expect(plan({ changes: [change(101, false)] }, two).outbox).toEqual([DESTINATION, OTHER])
  expect(plan({ changes: [change(101)] }, two).plans).toEqual([told(DESTINATION), told(OTHER)])
  expect(plan({ changes: [change(999)] }, two).outbox).toEqual([])
})

test('a change without a visit is told at once, unless the destination wants visits only [OUT-26]', () => {
  expect(plan({ changes: [change(100)], seen: false }).outbox).toEqual([DESTINATION])
  const whileSeen = rulesOf({ destinations: [{ config: { onlyWhileSeen: true } }] })
  const offline = plan({ changes: [change(100)], seen: false }, whileSeen)
  expect(offline.outbox).toEqual([])
  expect(plan({ next: known({ plans: offline.plans }) }, whileSeen).outbox).toEqual([DESTINATION])
})

test('after a mapping change everything is sent when the device is seen next [OUT-30] [OUT-210]', () => {
  const changed = rulesOf({ version: 2, destinations: [{ mappingVersion: 2 }] })
  expect(plan({ seen: false }, changed).outbox).toEqual([])
  expect(plan({}, changed)).toEqual({ outbox: [DESTINATION], plans: [told(DESTINATION, 2)] })
})

test('a destination that gets a mapping for a held segment is told at the next visit, also after a sweep [OUT-30]', () => {
  const more = rulesOf({ version: 2, destinations: [{}, { id: OTHER, mappings: [{ segmentId: 100 }] }] })
  expect(plan({}, more).outbox).toEqual([OTHER])
  const swept = plan({ seen: false }, more)
  expect(swept.outbox).toEqual([])
  const next = known({ plans: swept.plans, membershipKey: 2 })
  expect(plan({ next }, more)).toMatchObject({ outbox: [OTHER] })
})

test('a mapping that begins is a mapping change, and outside its days nothing is planned [OUT-06] [OUT-30]', () => {
  const window = (startDay: number, endDay?: number) =>
    rulesOf({
      destinations: [{ mappings: [{ segmentId: 100, startDay, ...(endDay === undefined ? {} : { endDay }) }] }],
    })
  const yesterday = known({ plans: [{ destinationId: DESTINATION, plannedAtMs: NOW - DAY_MS, mappingVersion: 1 }] })
  expect(plan({ next: yesterday }, window(day)).outbox).toEqual([DESTINATION])
  expect(plan({ next: yesterday }, window(day + 1)).outbox).toEqual([])
  expect(plan({ changes: [change(100)] }, window(day + 1)).outbox).toEqual([])
  expect(plan({ changes: [change(100)] }, window(day - 9, day)).outbox).toEqual([DESTINATION])
  expect(plan({ changes: [change(100)] }, window(day - 9, day - 1)).outbox).toEqual([])
})

test('three days after the last full set a visit sends all again, counted from that set [OUT-32] [OUT-210]', () => {
  const since = (ms: number) =>
    known({ plans: [{ destinationId: DESTINATION, plannedAtMs: NOW - ms, mappingVersion: 1 }] })
  expect(plan({ next: since(3 * DAY_MS - 1) }).outbox).toEqual([])
  expect(plan({ next: since(3 * DAY_MS) })).toEqual({ outbox: [DESTINATION], plans: [told(DESTINATION)] })
  expect(plan({ next: since(9 * DAY_MS), seen: false }).outbox).toEqual([])
})

test('an ID that changes the device graph sends all at the visit that brings it [OUT-31~]', () => {
  expect(plan({ newLinks: [PERSON] }).outbox).toEqual([DESTINATION])
  expect(plan({ newLinks: [PERSON], seen: false }).outbox).toEqual([])
})

test('the first partner ID makes known what was realised before it, at once [OUT-207]', () => {
  const unsynced = plan({ next: known({ links: [], plans: [] }), changes: [change(100)] })
  expect(unsynced.outbox).toEqual([])
  // Seen again without an ID: still owed, and nothing new to store.
  const waiting = known({ links: [], plans: unsynced.plans })
  expect(plan({ next: waiting })).toEqual({ outbox: [], plans: waiting.plans })
  expect(plan({ next: waiting }).plans).toBe(waiting.plans)
  const synced = known({ links: [linkOf('hd-9f21')], plans: unsynced.plans })
  expect(plan({ before: waiting, next: synced, newLinks: [PARTNER], seen: false })).toEqual({
    outbox: [DESTINATION],
    plans: [told(DESTINATION)],
  })
})

test('withdrawn consent is told at once, and given again as well [SEC-74]', () => {
  const consent = { decidedAtMs: NOW, fingerprint: '', reason: 'tcf_vendor', deniedDestinations: [DESTINATION] }
  expect(plan({ before: known(), next: known({ consent }), seen: false }).outbox).toEqual([DESTINATION])
  expect(plan({ before: known({ consent }), next: known({ consent: { ...consent } }) }).outbox).toEqual([])
  expect(
    plan({ before: known({ consent }), next: known({ consent: { ...consent, deniedDestinations: [] } }) }).outbox,
  ).toEqual([DESTINATION])
})

test.each(['optout', 'privacy', 'inactive'] as const)(
  'left by %s: each destination planned before is told, paused, outside its days or without a visit [OUT-52~] [OUT-55~]',
  (reason) => {
    const changes = [{ segmentId: 100 as SegmentId, member: false, reason: LeaveReason[reason] }]
    const ruled = [{ segmentId: 100 as SegmentId, member: false, reason: LeaveReason.rule }]
    const ended = rulesOf({ destinations: [{ mappings: [{ segmentId: 100, endDay: day - 1 }] }] })
    const whileSeen = rulesOf({ destinations: [{ config: { onlyWhileSeen: true } }] })
    const unmapped = rulesOf({ segments: [100], destinations: [{ mappings: [{ segmentId: 101 }] }] })
    for (const under of [ended, whileSeen, unmapped, rulesOf({ paused: [100] })]) {
      expect(plan({ changes, seen: false }, under)).toEqual({ outbox: [DESTINATION], plans: [told(DESTINATION)] })
      expect(plan({ changes: ruled, seen: false }, under).outbox).toEqual([])
    }
    expect(plan({ next: known({ plans: [] }), changes, seen: false }, ended).outbox).toEqual([])
  },
)

test('a deleted segment, unmapped by force, is taken back from each destination planned before [AUD-143] [OUT-57]', () => {
  const deleted = rulesOf({ deleted: [100], destinations: [{ mappings: [{ segmentId: 101 }] }] })
  expect(plan({ changes: [change(100, false)], seen: false }, deleted).outbox).toEqual([DESTINATION])
})

test('a paused segment plans nothing, a batch-only destination neither [AUD-123~]', () => {
  expect(plan({ changes: [change(100)] }, rulesOf({ paused: [100] })).outbox).toEqual([])
  const batch = rulesOf({ destinations: [{ config: { delivery: 'batch' } }] })
  expect([batch.byId.size, plan({ changes: [change(100)] }, batch).outbox]).toEqual([0, []])
})

test('the profile behind a declared ID is never sent', () => {
  const next = { ...known(), id: '2001:anna' as Profile['id'] }
  expect(plan({ next, changes: [change(100)] }).outbox).toEqual([])
})
