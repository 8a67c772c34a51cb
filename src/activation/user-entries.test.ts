import { expect, test } from 'vitest'
import { LeaveReason, type Profile } from '../model/profile.ts'
import type { DestinationRule } from './destination-rules.ts'
import { buildUserEntries } from './user-entries.ts'
import { DESTINATION, type Defined, day, deviceIn, NOW, rulesOf, segmentsOf } from './workbench.conformance.ts'

const at = NOW / 1000
const entriesOf = (profile: Profile, told: number[] = [], defined: Defined = {}) => {
  const rules = rulesOf(defined)
  return buildUserEntries(rules, rules.byId.get(DESTINATION) as DestinationRule, profile, told, NOW)
}
const segments = (profile: Profile, told: number[] = [], defined: Defined = {}) =>
  entriesOf(profile, told, defined).entries[0]?.entry.segments.map((one) => `${one.value}${one.active ? '+' : '-'}`) ??
  []

test('all held and mapped segments stand in an entry, under the names of their mappings [OUT-46] [OUT-48] [OUT-28]', () => {
  const mapped = {
    destinations: [{ mappings: [{ segmentId: 100, value: 'gold' }, { segmentId: 101 }, { segmentId: 102 }] }],
  }
  expect(segments(deviceIn(1, [100, 101, 999]), [], mapped)).toEqual(['gold+', '101+'])
})

test('the most recent stands first, then the smaller id [OUT-50]', () => {
  const mapped = { destinations: [{ mappings: [1, 2, 3, 4].map((segmentId) => ({ segmentId })) }] }
  const profile = deviceIn(1, [], {
    segments: segmentsOf({ 1: { at: at - 9 }, 2: { at }, 3: { at: at - 5, left: LeaveReason.rule }, 4: { at } }),
  })
  expect(segments(profile, [3], mapped)).toEqual(['2+', '4+', '3-', '1+'])
})

test('only what the destination may believe is taken back, at the time it was left [OUT-49] [OUT-57]', () => {
  const profile = deviceIn(1, [], {
    segments: segmentsOf({
      100: { at: at - 7, left: LeaveReason.inactive },
      101: { at: at - 8, left: LeaveReason.ttl },
    }),
  })
  expect(entriesOf(profile, [100])).toMatchObject({
    active: [],
    inactive: [100],
    entries: [{ entry: { segments: [{ value: '100', active: false, atSeconds: at - 7 }] } }],
  })
  expect(entriesOf(profile)).toMatchObject({ entries: [], skipped: 'no_segments' })
  // Left so long ago that the profile no longer knows when.
  expect(entriesOf(deviceIn(1, []), [100]).entries[0]?.entry.segments).toEqual([
    { sid: 100, value: '100', active: false, atSeconds: at },
  ])
})

test('outside its days a mapping sends nothing, neither way [OUT-06]', () => {
  const ended = {
    destinations: [
      {
        mappings: [
          { segmentId: 100, endDay: day - 1 },
          { segmentId: 101, startDay: day + 1 },
        ],
      },
    ],
  }
  expect(segments(deviceIn(1, [100, 101]), [], ended)).toEqual([])
  expect(segments(deviceIn(1, []), [100, 101], ended)).toEqual([])
  const lastDay = {
    destinations: [
      {
        mappings: [
          { segmentId: 100, endDay: day },
          { segmentId: 101, startDay: day },
        ],
      },
    ],
  }
  expect(segments(deviceIn(1, [100, 101]), [], lastDay)).toEqual(['100+', '101+'])
})

test('unmapping sends nothing unless the destination asks for it [OUT-58~]', () => {
  const unmapped = (unsegmentOnUnmap: boolean) => ({
    segments: [100],
    destinations: [{ config: { unsegmentOnUnmap }, mappings: [{ segmentId: 101 }] }],
  })
  expect(segments(deviceIn(1, [100, 101]), [100], unmapped(false))).toEqual(['101+'])
  expect(segments(deviceIn(1, [100, 101]), [100], unmapped(true))).toEqual(['101+', '100-'].sort())
})

test('a paused segment sends nothing, a deleted one takes its members back [AUD-123~]', () => {
  expect(segments(deviceIn(1, [100]), [], { paused: [100] })).toEqual([])
  expect(segments(deviceIn(1, []), [100], { paused: [100] })).toEqual([])
  expect(
    segments(deviceIn(1, []), [100], { deleted: [100], destinations: [{ mappings: [{ segmentId: 101 }] }] }),
  ).toEqual(['100-'])
})

test('a partner that cannot take back gets no Status 0, and it stays owed [OUT-59~]', () => {
  const without = { destinations: [{ config: { supportsUnsegment: false } }] }
  expect(entriesOf(deviceIn(1, [101]), [100], without)).toMatchObject({ active: [101], inactive: [] })
  expect(segments(deviceIn(1, [101]), [100], without)).toEqual(['101+'])
})

test('an opt-out, a privacy request and inactivity take back whatever was told, paused, unmapped or outside its days [OUT-52~] [OUT-55~] [OUT-57] [OUT-51]', () => {
  const told = [100, 101, 102]
  const defined: Defined = {
    paused: [100],
    segments: [102],
    destinations: [
      {
        mappings: [
          { segmentId: 100, value: 'gold' },
          { segmentId: 101, endDay: day - 1 },
        ],
      },
    ],
  }
  const gone = (left: number) =>
    deviceIn(1, [], { segments: segmentsOf(Object.fromEntries(told.map((sid) => [sid, { at, left }]))) })
  for (const reason of [LeaveReason.optout, LeaveReason.privacy, LeaveReason.inactive])
    expect(segments(gone(reason), told, defined)).toEqual(['gold-', '101-', '102-'])
  for (const reason of [LeaveReason.rule, LeaveReason.ttl]) expect(segments(gone(reason), told, defined)).toEqual([])
})

test('what was told is taken back from an opted-out device and a denied destination, paused or not [SEC-74] [SEC-79]', () => {
  const rules = rulesOf({ paused: [100] })
  const destination = rules.byId.get(DESTINATION) as DestinationRule
  const consent = { decidedAtMs: NOW, fingerprint: '', reason: 'gpc', deniedDestinations: [DESTINATION] }
  const held = deviceIn(1, [100, 101])
  const out = buildUserEntries(rules, destination, held, [100, 101], NOW, new Set([held.id]))
  expect(out).toMatchObject({ active: [], inactive: [100, 101] })
  expect(entriesOf({ ...held, consent }, [100, 101], { paused: [100] })).toMatchObject({
    active: [],
    inactive: [100, 101],
  })
})
