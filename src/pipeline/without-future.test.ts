import { expect, test } from 'vitest'
import type { DataSourceId, DestinationId, DeviceId, ProfileId } from '../model/ids.ts'
import { newProfile, type Profile } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { daysBySid, traitTable } from '../testkit/audience-tables.ts'
import { withoutFuture } from './without-future.ts'

const DAY = 20_000
const NOW = DAY * DAY_MS + 3_600_000
const SECONDS = NOW / 1000
const id = `d:${'1'.repeat(38)}` as ProfileId

const full: Profile = {
  ...newProfile(id, NOW - DAY_MS),
  traits: traitTable({ 1: { [DAY - 1]: 2, [DAY]: 1 }, 2: { [DAY]: 4 } }),
  segments: {
    sids: Int32Array.of(7, 8),
    left: Uint8Array.of(0, 1),
    sinceSeconds: Uint32Array.of(SECONDS, SECONDS - 5),
    verifiedSeconds: Uint32Array.of(SECONDS, SECONDS - 5),
  },
  links: [{ dataSourceId: 1 as DataSourceId, id: 'a', syncedAtMs: NOW, authState: 1, authenticatedAtMs: NOW }],
  devices: [{ deviceId: '2' as DeviceId, syncedAtMs: NOW }],
  plans: [{ destinationId: 3 as DestinationId, plannedAtMs: NOW, mappingVersion: 1 }],
  consent: { decidedAtMs: NOW, fingerprint: '', reason: 'x', deniedDestinations: [] },
}

test('a profile of the past, and of the ten minutes by which clocks may differ, stays the same object', () => {
  expect(withoutFuture(full, NOW)).toBe(full)
  const soon = { ...full, lastSeenMs: NOW + 600_000 }
  expect(withoutFuture(soon, NOW)).toBe(soon)
})

test('whatever lies in the future has happened now: visits, traits, memberships, mappings, plans, consent [SEC-82~]', () => {
  const aheadMs = 40 * DAY_MS
  const ahead: Profile = {
    ...full,
    firstSeenMs: NOW + aheadMs,
    lastSeenMs: NOW + aheadMs,
    traits: traitTable({ 1: { [DAY - 1]: 2, [DAY]: 1, [DAY + 1]: 3, [DAY + 40]: 4 }, 2: { [DAY + 40]: 4 } }),
    segments: {
      ...full.segments,
      sinceSeconds: Uint32Array.of(SECONDS + 900, SECONDS - 5),
      verifiedSeconds: Uint32Array.of(SECONDS + 900, SECONDS + 900),
    },
    links: full.links.map((link) => ({ ...link, syncedAtMs: NOW + aheadMs, authenticatedAtMs: NOW + aheadMs })),
    devices: [...full.devices, { deviceId: '3' as DeviceId, syncedAtMs: NOW + aheadMs }],
    plans: full.plans.map((plan) => ({ ...plan, plannedAtMs: NOW + aheadMs })),
    consent: { decidedAtMs: NOW + aheadMs, fingerprint: '', reason: 'x', deniedDestinations: [] },
  }
  const next = withoutFuture(ahead, NOW)
  expect(daysBySid(next.traits)).toEqual({ 1: { [DAY - 1]: 2, [DAY]: 8 }, 2: { [DAY]: 4 } })
  expect([...next.traits.totals]).toEqual([...ahead.traits.totals])
  expect({ ...next, traits: full.traits }).toEqual({
    ...full,
    firstSeenMs: NOW,
    segments: { ...full.segments, verifiedSeconds: Uint32Array.of(SECONDS, SECONDS) },
    lastSeenMs: NOW,
    devices: [...full.devices, { deviceId: '3', syncedAtMs: NOW }],
  })
  // Nothing else was thrown together.
  expect(next.links[0]).toEqual(full.links[0])
})
