import { expect, test } from 'vitest'
import {
  type DataSourceId,
  type DestinationId,
  type DeviceId,
  declaredProfileId,
  deviceProfileId,
  type ProfileId,
  type SegmentId,
} from '../model/ids.ts'
import fc from '../testkit/properties.ts'
import { isDeliveryId, newDeliveryId } from './delivery-keys.ts'
import type { StoredDelivery } from './delivery-record.ts'
import { type DeliveryFilter, type DeliveryStore, type Marker, openDeliveryStore } from './delivery-store.ts'
import { outboxKey, profileKey } from './keys.ts'
import { sealOutboxMarker } from './outbox-marker.ts'
import { sealRecord } from './record.ts'
import type { OpenedRecordStore } from './record-store.conformance.ts'
import type { RecordStore } from './record-store.ts'
import type { ToldState } from './told-record.ts'

const device = (n: number): ProfileId => deviceProfileId(String(n).padStart(38, '0') as DeviceId)
const anna = device(1)
const bert = device(2)
const first = 423 as DestinationId
const second = 424 as DestinationId
const T0 = Date.UTC(2026, 10, 22)

export function delivery(more: Partial<StoredDelivery> = {}): StoredDelivery {
  const deliveryId = more.deliveryId ?? newDeliveryId()
  return {
    deliveryId,
    destinationId: first,
    status: 'sending',
    reason: null,
    createdAtMs: T0,
    finishedAtMs: null,
    method: 'POST',
    url: 'https://partner.example/in',
    body: '{"Users":["ä\\u0000\\n"]}',
    users: [{ profileId: anna, revision: 3, active: [100, 7], inactive: [9] }],
    attempts: [],
    nextAttemptMs: 0,
    replayOf: null,
    headers: [['Content-Type', 'application/json']],
    roundId: deliveryId,
    roundSize: 1,
    attemptsBefore: 0,
    aamWouldDrop: false,
    ...more,
  }
}

function told(more: Partial<ToldState> = {}): ToldState {
  return {
    sequence: 1,
    active: [7, 100],
    acknowledgedAtMs: T0,
    endedAtMs: T0,
    deliveryId: newDeliveryId(),
    state: 'acknowledged',
    ...more,
  }
}

/** What the profile store does in one commit: the profile at a revision, and a marker that names it. */
export async function commitProfile(
  records: RecordStore,
  profileId: ProfileId,
  revision: number,
  ...destinations: DestinationId[]
): Promise<void> {
  const record = sealOutboxMarker({ revision, atMs: T0 })
  const markers = destinations.map((id) => ({ key: outboxKey(profileId, id), record }))
  await records.commit({
    puts: [{ key: profileKey(profileId), record: sealRecord(1, revision, Buffer.alloc(0)) }, ...markers],
    deletes: [],
  })
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

export const markersOf = async (store: DeliveryStore, destinationId?: DestinationId): Promise<Marker[]> =>
  (await all(store.markers(destinationId === undefined ? {} : { destinationId }))).flatMap((page) =>
    page.markers.map(({ atMs: _atMs, ...marker }) => marker),
  )
export const idsOf = async (store: DeliveryStore, filter: Partial<DeliveryFilter>) => {
  const { total, list } = await store.list({ page: 0, pageSize: 100, ...filter })
  return { total, ids: list.map((one) => one.deliveryId) }
}

/** The definition of a `DeliveryStore` over a record store; each engine's test file calls it. */
export function describeDeliveryStore(name: string, open: () => Promise<OpenedRecordStore>): void {
  const fact = (
    title: string,
    check: (store: DeliveryStore, records: RecordStore, opened: OpenedRecordStore) => Promise<void>,
  ): void =>
    test(`${name}: ${title}`, async () => {
      await using opened = await open()
      await check(openDeliveryStore(opened.store), opened.store, opened)
    })

  fact('a delivery ID is random, has the documented form and holds no point [SEC-41]', async () => {
    const ids = Array.from({ length: 100 }, newDeliveryId)
    expect(new Set(ids).size).toBe(100)
    for (const id of ids) expect([id, isDeliveryId(id), id.includes('.')]).toEqual([id, true, false])
    expect(isDeliveryId('dl_short')).toBe(false)
  })

  fact('a frozen message is open with its exact bytes until it ends [SEC-41] [SEC-43]', async (store) => {
    const frozen = delivery()
    await store.freeze([frozen])
    await store.freeze([frozen])
    expect(await all(store.openDeliveries())).toEqual([frozen])
    expect(await store.get(frozen.deliveryId)).toEqual(frozen)

    const attempt = {
      number: 1,
      startedAtMs: T0,
      durationMs: 212,
      outcome: 'failed',
      httpStatus: 503,
      error: null,
      responseHeaders: { a: 'b' },
      responseExcerpt: 'no',
    } as const
    const tried = { ...frozen, status: 'retrying' as const, attempts: [attempt], nextAttemptMs: T0 + 5_000 }
    await store.update(tried)
    expect(await all(store.openDeliveries())).toEqual([tried])

    const ended = { ...tried, status: 'dead' as const, reason: 'http_503', finishedAtMs: T0 + 9_000, nextAttemptMs: 0 }
    await store.end(ended)
    expect(await all(store.openDeliveries())).toEqual([])
    expect(await store.get(frozen.deliveryId)).toEqual(ended)

    await store.reopen({ ...ended, status: 'waiting' })
    expect(await all(store.openDeliveries())).toHaveLength(1)
    expect((await idsOf(store, { status: 'dead' })).total).toBe(0)
    expect(await store.get(newDeliveryId())).toBeUndefined()
  })

  fact('a marker goes when its message ends, unless a later commit renewed it [SEC-40]', async (store, records) => {
    const settle = (revision: number, release = true) =>
      store.settle({ profileId: anna, destinationId: first, revision, told: undefined, delivery: undefined, release })
    await commitProfile(records, anna, 3, first, second)
    expect(await settle(3, false)).toBe(true)
    expect(await settle(3)).toBe(false)
    expect(await markersOf(store)).toEqual([{ profileId: anna, destinationId: second }])

    // A commit that does not concern the destination leaves the marker as it is: it goes.
    await commitProfile(records, anna, 4, first)
    await commitProfile(records, anna, 5)
    expect(await settle(4)).toBe(false)
    expect(await markersOf(store, first)).toEqual([])

    // One that does names a later revision: it stays, and the profile is due again.
    await commitProfile(records, anna, 6, first)
    await commitProfile(records, anna, 7, first)
    expect(await settle(6)).toBe(true)
    expect(await markersOf(store, first)).toHaveLength(1)
    expect(await settle(7)).toBe(false)

    // Removed and come back meanwhile: its revisions began anew, so the marker is a new one.
    await commitProfile(records, bert, 1, first)
    expect(
      await store.settle({
        profileId: bert,
        destinationId: first,
        revision: 50,
        told: undefined,
        delivery: undefined,
        release: true,
      }),
    ).toBe(true)

    // The profile was removed meanwhile.
    await commitProfile(records, bert, 1, first)
    await records.commit({ puts: [], deletes: [profileKey(bert)] })
    expect(
      await store.settle({
        profileId: bert,
        destinationId: first,
        revision: 1,
        told: undefined,
        delivery: undefined,
        release: true,
      }),
    ).toBe(false)
    expect(await markersOf(store, first)).toEqual([])
  })

  fact('a marker can be written for a replay, and is not written twice', async (store, records) => {
    await commitProfile(records, anna, 3)
    await store.owe(anna, first, T0)
    await store.owe(anna, first, T0)
    await store.owe(bert, first, T0)
    expect((await markersOf(store, first)).map((marker) => marker.profileId).sort()).toEqual([anna, bert])
    for (const [profileId, revision] of [
      [anna, 3],
      [bert, 0],
    ] as const) {
      expect(
        await store.settle({
          profileId,
          destinationId: first,
          revision,
          told: undefined,
          delivery: undefined,
          release: true,
        }),
      ).toBe(false)
    }
    expect(await markersOf(store)).toEqual([])
  })

  fact('what was told is kept by profile and destination', async (store, records) => {
    const partner = declaredProfileId(77052 as DataSourceId, 'hd-9f21')
    await commitProfile(records, anna, 1)
    const settle = (profileId: ProfileId, destinationId: DestinationId, state: ToldState) =>
      store.settle({ profileId, destinationId, revision: 1, told: state, delivery: undefined, release: true })
    const [a, b, c] = [told(), told({ state: 'dead', active: [] }), told({ sequence: 9 })]
    await settle(anna, first, a)
    await settle(anna, second, b)
    await settle(partner, first, c)
    expect((await store.lookUp(first, [partner, bert, anna])).map((one) => one.told)).toEqual([c, undefined, a])
    expect(await store.toldOf(anna)).toEqual([
      { destinationId: first, told: a },
      { destinationId: second, told: b },
    ])
  })

  fact('any told state comes back as it was', async (store) => {
    const seconds = fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => value * 1000)
    const anyTold = fc.record({
      sequence: fc.integer({ min: 1, max: 2 ** 40 }),
      active: fc
        .uniqueArray(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { maxLength: 50 })
        .map((sids) => sids.sort((x, y) => x - y)),
      acknowledgedAtMs: seconds,
      endedAtMs: seconds,
      deliveryId: fc.constantFrom(newDeliveryId(), newDeliveryId()),
      state: fc.constantFrom('acknowledged' as const, 'dead' as const, 'superseded' as const),
    })
    await fc.assert(
      fc.asyncProperty(anyTold, async (state) => {
        await store.settle({
          profileId: anna,
          destinationId: first,
          revision: 0,
          told: state,
          delivery: undefined,
          release: true,
        })
        expect(await store.lookUp(first, [anna])).toEqual([{ told: state, isOwed: false }])
      }),
      { numRuns: 50 },
    )
  })

  fact('deliveries are listed newest first, by every filter, in pages [OPS-51]', async (store) => {
    const made = Array.from({ length: 25 }, (_, n) =>
      delivery({
        createdAtMs: T0 + n * 1_000,
        destinationId: n % 5 === 0 ? second : first,
        status: n % 2 === 0 ? 'acknowledged' : 'dead',
        users: [{ profileId: n % 3 === 0 ? bert : anna, revision: n, active: [n], inactive: [] }],
      }),
    )
    const stillOpen = delivery({
      createdAtMs: T0 + 100_000,
      users: [{ profileId: bert, revision: 1, active: [3], inactive: [24] }],
    })
    await store.freeze([stillOpen])
    for (const one of made) {
      await store.freeze([one])
      for (const user of one.users)
        await store.settle({ ...user, destinationId: one.destinationId, told: undefined, delivery: one, release: true })
      await store.end(one)
    }
    const everything = [...made, stillOpen].reverse()
    const expected = (fits: (one: StoredDelivery) => boolean) => everything.filter(fits).map((one) => one.deliveryId)
    const check = async (filter: Partial<DeliveryFilter>, fits: (one: StoredDelivery) => boolean) =>
      expect(await idsOf(store, filter)).toEqual({ total: expected(fits).length, ids: expected(fits) })

    await check({}, () => true)
    await check({ destinationId: second }, (one) => one.destinationId === second)
    await check({ profileIds: [bert] }, (one) => one.users[0]?.profileId === bert)
    await check(
      { profileIds: [bert], destinationId: second },
      (one) => one.users[0]?.profileId === bert && one.destinationId === second,
    )
    await check({ status: 'dead' }, (one) => one.status === 'dead')
    await check({ status: 'sending' }, (one) => one === stillOpen)
    await check({ segmentId: 24 as SegmentId }, (one) => one === stillOpen || one === made[24])
    await check(
      { fromMs: T0 + 3_000, toMs: T0 + 6_000 },
      (one) => one.createdAtMs >= T0 + 3_000 && one.createdAtMs < T0 + 6_000,
    )
    const page = await store.list({ page: 2, pageSize: 10 })
    expect([page.total, page.list]).toEqual([26, everything.slice(20)])
    expect((await store.list({ page: 9, pageSize: 10 })).list).toEqual([])
  })

  fact('old deliveries are removed with what led to them, a few at a time [SEC-48]', async (store) => {
    const made = Array.from({ length: 6 }, (_, n) =>
      delivery({ createdAtMs: T0 + n, finishedAtMs: T0 + n, destinationId: n % 2 === 0 ? first : second }),
    )
    for (const one of made) {
      await store.freeze([one])
      await store.settle({
        profileId: anna,
        destinationId: one.destinationId,
        revision: 0,
        told: undefined,
        delivery: one,
        release: true,
      })
      await store.end(one)
    }
    const { removed, next } = await store.purge(T0 + 4, 3)
    expect([removed, next?.createdAtMs]).toEqual([3, expect.any(Number)])
    expect(await store.purge(T0 + 4, 3, next)).toEqual({ removed: 1, next: undefined })
    expect(await store.purge(T0 + 4, 3)).toEqual({ removed: 0, next: undefined })
    const rest = made
      .slice(4)
      .reverse()
      .map((one) => one.deliveryId)
    expect(await idsOf(store, {})).toEqual({ total: 2, ids: rest })
    expect(await idsOf(store, { profileIds: [anna] })).toEqual({ total: 2, ids: rest })
    expect(await store.get((made[0] as StoredDelivery).deliveryId)).toBeUndefined()
  })

  fact(
    'a dead letter that waited long before it died is kept as long as any other, from its end on [SEC-48]',
    async (store) => {
      const made = [T0 + 9, T0 + 9, T0 + 1].map((finishedAtMs, n) =>
        delivery({ createdAtMs: T0 + n, status: 'dead', reason: 'http_400', finishedAtMs }),
      )
      await store.freeze(made)
      for (const one of made) await store.end(one)
      // What is kept does not hide what lies behind it.
      const { removed, next } = await store.purge(T0 + 5, 2)
      expect([removed, await store.purge(T0 + 5, 2, next)]).toEqual([0, { removed: 1, next: undefined }])
      expect((await idsOf(store, { status: 'dead' })).total).toBe(2)
      expect(await store.purge(T0 + 10, 3)).toMatchObject({ removed: 2 })
    },
  )

  fact(
    'open deliveries, markers and what was told survive a restart where the engine does [SEC-59]',
    async (store, records, opened) => {
      // Memory alone forgets.
      if (opened.reopen === undefined) return void expect(name).toBe('memory')
      const frozen = delivery()
      await commitProfile(records, anna, 3, first)
      await store.freeze([frozen])
      const state = told()
      await store.settle({
        profileId: bert,
        destinationId: second,
        revision: 0,
        told: state,
        delivery: undefined,
        release: true,
      })
      const again = openDeliveryStore(await opened.reopen())
      expect(await all(again.openDeliveries())).toEqual([frozen])
      expect(await markersOf(again)).toEqual([{ profileId: anna, destinationId: first }])
      expect(await again.lookUp(second, [bert])).toEqual([{ told: state, isOwed: false }])
      expect(await again.lookUp(first, [anna])).toEqual([{ told: undefined, isOwed: true }])
    },
  )
}
