import { expect, test } from 'vitest'
import { type DeliveryId, type DeviceId, deviceProfileId } from '../model/ids.ts'
import { newDeliveryId } from '../store/delivery-keys.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { delivery } from '../store/delivery-store.conformance.ts'
import type { OwedProfile } from '../store/delivery-store.ts'
import { toldSince } from './said-today.ts'

/** What a message said since a replay was asked for need not be said again; times in ms since the replay was asked for. */
const ASKED_MS = Date.UTC(2026, 10, 22)
const ANNA = deviceProfileId('1'.padStart(38, '0') as DeviceId)

const old = delivery({
  users: [{ profileId: ANNA, revision: 3, active: [100, 7], inactive: [9] }],
  finishedAtMs: ASKED_MS - 60_000,
  status: 'dead',
})

/** @param more of the newer message that told Anna last @param owed that she is owed more @returns whether it says it all */
async function isToldBy(more: Partial<StoredDelivery>, owed: Partial<OwedProfile> = {}, nowMs = 30_000) {
  const newer = delivery({
    users: [{ profileId: ANNA, revision: 4, active: [100, 7, 8], inactive: [9] }],
    status: 'acknowledged',
    createdAtMs: ASKED_MS + 10_000,
    finishedAtMs: ASKED_MS + 20_000,
    deliveryId: newDeliveryId(),
    ...more,
  })
  const get = async (id: DeliveryId) => (id === newer.deliveryId ? newer : undefined)
  const told = {
    sequence: 2,
    active: [100],
    acknowledgedAtMs: 0,
    endedAtMs: Math.floor((newer.finishedAtMs ?? 0) / 1_000) * 1_000,
    deliveryId: newer.deliveryId,
    state: 'acknowledged' as const,
  }
  const found = [{ told, isOwed: false, ...owed }]
  const order = { replayId: 'rp_1', as: 'current' as const, createdAtMs: ASKED_MS }
  const parts = { deliveries: { get } as never, clock: () => ASKED_MS + nowMs }
  return (await toldSince(parts, old, found, order)).has(ANNA)
}
const anna = (active: readonly number[], inactive: readonly number[]) => ({
  users: [{ profileId: ANNA, revision: 4, active, inactive }],
})

test('a newer message that names each of its segments says all of it, with whatever status [SEC-48] [SEC-42~]', async () => {
  expect(await isToldBy({})).toBe(true)
  expect(await isToldBy(anna([9], [100, 7]))).toBe(true)
  for (const one of [anna([100, 7], []), anna([9], [100]), anna([], []), { users: [] }])
    expect(await isToldBy(one)).toBe(false)
})

test('it must have ended since the replay was asked for, and not by a clock that was ahead; one that died must be made since [SEC-48] [SEC-91~]', async () => {
  expect(await isToldBy({ finishedAtMs: ASKED_MS + 1 })).toBe(true)
  expect(await isToldBy({ finishedAtMs: ASKED_MS })).toBe(false)
  expect(await isToldBy({ finishedAtMs: ASKED_MS - 1_000 })).toBe(false)
  expect(await isToldBy({ finishedAtMs: ASKED_MS + 30_000 })).toBe(true)
  expect(await isToldBy({ finishedAtMs: ASKED_MS + 30_001 })).toBe(false)
  expect(await isToldBy({ status: 'dead' })).toBe(true)
  expect(await isToldBy({ status: 'dead', createdAtMs: ASKED_MS - 1 })).toBe(false)
  expect(await isToldBy({ status: 'superseded' })).toBe(false)
})

test('who is owed more, or was told nothing, has not been told [SEC-48]', async () => {
  expect(await isToldBy({}, { isOwed: true })).toBe(false)
  expect(await isToldBy({}, { told: undefined })).toBe(false)
})
