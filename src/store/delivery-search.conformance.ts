import { expect, test } from 'vitest'
import {
  type DataSourceId,
  type DestinationId,
  type DeviceId,
  declaredProfileId,
  deviceProfileId,
} from '../model/ids.ts'
import type { StoredDelivery, WrittenUser } from './delivery-record.ts'
import { all, delivery, idsOf } from './delivery-store.conformance.ts'
import { openDeliveryStore } from './delivery-store.ts'
import type { OpenedRecordStore } from './record-store.conformance.ts'

const first = 423 as DestinationId
const second = 424 as DestinationId
const anna = deviceProfileId('1'.padStart(38, '0') as DeviceId)
const T0 = Date.UTC(2026, 10, 22)

/** What operators ask a `DeliveryStore` for; each engine's test file calls it. */
export function describeDeliverySearch(name: string, open: () => Promise<OpenedRecordStore>): void {
  test(`${name}: a marker says since when; a list is searched by reason [SEC-48]`, async () => {
    await using opened = await open()
    const store = openDeliveryStore(opened.store)
    await store.owe(anna, first, T0 + 5_000)
    expect((await all(store.markers())).flatMap((page) => page.markers)).toEqual([
      { profileId: anna, destinationId: first, atMs: T0 + 5_000 },
    ])
    const reasons = ['http_503', 'timeout', 'http_503']
    const dead = reasons.map((reason, n) => delivery({ status: 'dead', reason, createdAtMs: T0 + n }))
    await store.freeze(dead)
    for (const one of dead) await store.end(one)
    expect(await idsOf(store, { reason: 'http_503', destinationId: first })).toEqual({
      total: 2,
      ids: [dead[2]?.deliveryId, dead[0]?.deliveryId],
    })
    expect(await idsOf(store, { reason: 'http_503', fromMs: T0 + 1 })).toMatchObject({ total: 1 })
    expect(await idsOf(store, { reason: 'quota' })).toMatchObject({ total: 0 })
    expect(await idsOf(store, { reason: 'http_503', fromMs: Date.UTC(1960, 0) })).toMatchObject({ total: 2 })
    expect(await idsOf(store, { toMs: Date.UTC(1960, 0) })).toMatchObject({ total: 0 })
  })

  test(`${name}: messages that say thousands of things are listed whole, each once and in order [OPS-51]`, async () => {
    await using opened = await open()
    const store = openDeliveryStore(opened.store)
    const active = Array.from({ length: 6_000 }, (_, n) => 100 + n)
    const large = [0, 1, 2, 3].map((n) =>
      delivery({
        createdAtMs: T0 + n,
        body: String(n),
        users: [{ profileId: anna, revision: 1, active, inactive: [] }],
      }),
    )
    const small = Array.from({ length: 20 }, (_, n) => delivery({ createdAtMs: T0 + 10 + n, body: String(10 + n) }))
    await store.freeze([...large, ...small])
    const { list } = await store.list({ page: 0, pageSize: 100 })
    expect(list.map(({ body }) => body)).toEqual([...large, ...small].map(({ body }) => body).reverse())
  })

  test(`${name}: a message keeps whom it names, is found by its ID and by theirs, and old ones without names open [OPS-51]`, async () => {
    await using opened = await open()
    const store = openDeliveryStore(opened.store)
    const user = (partnerId: string): WrittenUser => ({
      dataSourceId: 77052 as DataSourceId,
      partnerId,
      segments: [
        [100, 'gold', 1],
        [9, 'ä"', 0],
      ],
    })
    const named = ['hd-1', 'hd-2'].map((id, n) => delivery({ createdAtMs: T0 + n, written: [user(id)] }))
    const old = delivery({ createdAtMs: T0 + 2 })
    const under = delivery({ createdAtMs: T0 + 3, written: [user('hd-1')] })
    await store.freeze([...named, old, under])
    for (const one of [...named, old]) {
      const settled = { profileId: anna, destinationId: first, revision: 0, told: undefined, release: true }
      await store.settle({ ...settled, delivery: one })
      await store.end(one)
    }
    const again = openDeliveryStore(opened.store)
    expect(await again.get((named[0] as StoredDelivery).deliveryId)).toEqual(named[0])
    expect(await again.get(old.deliveryId)).toEqual(old)
    expect((await all(again.openDeliveries()))[0]).toEqual(under)
    const declaredIds = [declaredProfileId(77052 as DataSourceId, 'hd-1')]
    const ids = [under, old, named[0]].map((one) => one?.deliveryId)
    expect(await idsOf(again, { profileIds: [anna], declaredIds })).toEqual({ total: 3, ids })
    expect((await again.ended({ profileIds: [anna, anna], declaredIds })).map((place) => place.deliveryId)).toEqual(
      ids.slice(1).reverse(),
    )
    expect(await idsOf(again, { profileIds: [] })).toEqual({ total: 0, ids: [] })
    expect(await idsOf(again, { deliveryId: old.deliveryId })).toEqual({ total: 1, ids: [old.deliveryId] })
    expect(await idsOf(again, { deliveryId: old.deliveryId, destinationId: second })).toEqual({ total: 0, ids: [] })
    expect(await idsOf(again, { deliveryId: old.deliveryId, profileIds: [] })).toEqual({ total: 0, ids: [] })
  })

  test(`${name}: the state of a destination is kept for each, and forgotten on request [SEC-47]`, async () => {
    await using opened = await open()
    const store = openDeliveryStore(opened.store)
    const state = {
      isOpen: true,
      probeWaitMs: 10_000,
      failuresInRow: 21,
      paused: { reason: 'gone', atMs: T0 },
    } as const
    await store.saveDestinationState(first, state)
    await store.saveDestinationState(second, { ...state, failuresInRow: 0 })
    await store.saveDestinationState(second, { ...state, failuresInRow: 3 })
    expect(await openDeliveryStore(opened.store).destinationStates()).toEqual(
      new Map([
        [first, state],
        [second, { ...state, failuresInRow: 3 }],
      ]),
    )
    await store.saveDestinationState(first, undefined)
    expect([...(await store.destinationStates()).keys()]).toEqual([second])
  })

  test(`${name}: of the oldest ended deliveries those that are not dead are removed, in steps, with what led to them [SEC-44]`, async () => {
    await using opened = await open()
    const store = openDeliveryStore(opened.store)
    const made = Array.from({ length: 7 }, (_, n) =>
      delivery({ status: n % 3 === 0 ? 'dead' : n === 1 ? 'superseded' : 'acknowledged', createdAtMs: T0 + n }),
    )
    const other = delivery({ destinationId: second, createdAtMs: T0 })
    const stillOpen = delivery({ createdAtMs: T0 + 1 })
    await store.freeze([...made, stillOpen])
    await store.freeze([other])
    for (const one of [...made, other]) await store.end(one)

    const one = await store.trim(first, 3)
    expect(one.removed.map((place) => place.deliveryId)).toEqual([made[1]?.deliveryId, made[2]?.deliveryId])
    expect(one.next).toMatchObject({ deliveryId: made[2]?.deliveryId })
    expect(one.bytes).toBeGreaterThan(2 * Buffer.byteLength(delivery().body))
    const two = await store.trim(first, 3, one.next)
    expect(two.removed.map((place) => place.deliveryId)).toEqual([made[4]?.deliveryId, made[5]?.deliveryId])
    const three = await store.trim(first, 3, two.next)
    expect(three).toEqual({ removed: [], bytes: 0, next: undefined })

    expect((await idsOf(store, { destinationId: first, status: 'dead' })).total).toBe(3)
    expect((await idsOf(store, { destinationId: first })).total).toBe(4)
    expect((await idsOf(store, { destinationId: second })).total).toBe(1)
    expect(await store.get((made[1] as typeof other).deliveryId)).toBeUndefined()
    expect(await store.get(stillOpen.deliveryId)).toEqual(stillOpen)
    await store.reclaim(first, T0, T0 + 5)
    expect(await store.get((made[3] as typeof other).deliveryId)).toEqual(made[3])
  })
}
