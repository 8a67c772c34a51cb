import { expect, test } from 'vitest'
import { type DestinationId, type DeviceId, deviceProfileId } from '../model/ids.ts'
import { historyKey, openDeliveryKey } from './delivery-keys.ts'
import { all, commitProfile, delivery, idsOf, markersOf } from './delivery-store.conformance.ts'
import { type DeliveryStore, openDeliveryStore } from './delivery-store.ts'
import { outboxKey } from './keys.ts'
import type { OpenedRecordStore } from './record-store.conformance.ts'
import type { RecordStore } from './record-store.ts'

const first = 423 as DestinationId
const anna = deviceProfileId('1'.padStart(38, '0') as DeviceId)
const T0 = Date.UTC(2026, 10, 22)

async function damage(records: RecordStore, key: Buffer): Promise<void> {
  const [record] = await records.getMany([key])
  const broken = Buffer.from(record as Buffer)
  broken[5] = (broken[5] as number) ^ 1
  await records.commit({ puts: [{ key, record: broken }], deletes: [] })
}

/** A store in which something happens once, before its next commit is carried out. */
function interrupted(records: RecordStore) {
  let meanwhile: (() => Promise<void>) | undefined
  const commit: RecordStore['commit'] = async (...given) => {
    const happens = meanwhile
    meanwhile = undefined
    await happens?.()
    return records.commit(...given)
  }
  const between = new Proxy(records, {
    get(target, name) {
      if (name === 'commit') return commit
      const member = target[name as keyof RecordStore] as (...given: unknown[]) => unknown
      return member.bind(target)
    },
  })
  return { store: openDeliveryStore(between), during: (happens: () => Promise<void>) => (meanwhile = happens) }
}

/** What damage may never do to a `DeliveryStore`; each engine's test file calls it. */
export function describeDeliveryDamage(name: string, open: () => Promise<OpenedRecordStore>): void {
  const fact = (
    title: string,
    check: (store: DeliveryStore, records: RecordStore, corrupt: readonly Buffer[]) => Promise<void>,
  ): void =>
    test(`${name}: ${title}`, async () => {
      await using opened = await open()
      const corrupt: Buffer[] = []
      const store = openDeliveryStore(opened.store, (key) => corrupt.push(key))
      await check(store, opened.store, corrupt)
    })

  fact('a damaged record is counted and not served [SEC-60]', async (store, records, corrupt) => {
    const whole = delivery({ createdAtMs: T0 + 1 })
    const damaged = delivery()
    for (const one of [whole, damaged]) {
      await store.freeze([one])
      await store.end(one)
    }
    const keys = [historyKey('summary', damaged), historyKey('head', damaged)]
    for (const key of keys) await damage(records, key)
    expect(await store.get(damaged.deliveryId)).toBeUndefined()
    expect((await idsOf(store, {})).ids).toEqual([whole.deliveryId])
    expect(corrupt).toEqual(keys.toReversed())
  })

  fact(
    'a damaged head that was written anew meanwhile stays: only the damaged bytes are set aside [SEC-60] [SEC-40]',
    async (_store, records) => {
      const open = delivery()
      // Between the read that finds the damage and the move, the runner writes how its attempt went.
      const { store, during } = interrupted(records)
      await store.freeze([open])
      await damage(records, openDeliveryKey(open))
      const tried = { ...open, status: 'retrying' as const, nextAttemptMs: T0 + 5_000 }
      during(() => openDeliveryStore(records).update(tried))
      expect((await idsOf(store, {})).ids).toEqual([])
      expect(await all(openDeliveryStore(records).openDeliveries())).toEqual([tried])
    },
  )

  fact(
    'a damaged marker still owes its profile, as often as it is read, until it is settled [SEC-40] [SEC-60]',
    async (store, records, corrupt) => {
      await commitProfile(records, anna, 3, first)
      await damage(records, outboxKey(anna, first))
      for (let read = 0; read < 2; read++)
        expect(await markersOf(store)).toEqual([{ profileId: anna, destinationId: first }])
      expect(await store.lookUp(first, [anna])).toEqual([{ told: undefined, isOwed: true }])
      expect(corrupt).toEqual([outboxKey(anna, first)])
      // The message on its way was built before; what the marker says is newer, for all that is known.
      const settled = { profileId: anna, destinationId: first, told: undefined, delivery: undefined, release: true }
      await commitProfile(records, anna, 4, first)
      await damage(records, outboxKey(anna, first))
      expect(await store.settle({ ...settled, revision: 3 })).toBe(true)
      expect(await markersOf(store)).toEqual([{ profileId: anna, destinationId: first }])
      expect(await store.settle({ ...settled, revision: 4 })).toBe(false)
      expect(await markersOf(store)).toEqual([])
    },
  )

  fact(
    'one that is sent again while its history is being forgotten keeps all of its records [SEC-48] [SEC-60]',
    async (_store, records) => {
      const old = delivery({ status: 'dead', reason: 'http_400', finishedAtMs: T0 })
      const { store, during } = interrupted(records)
      await store.freeze([old])
      await store.end(old)
      const again = { ...old, status: 'waiting' as const, reason: null, finishedAtMs: null }
      during(() => openDeliveryStore(records).reopen(again))
      expect(await store.purge(T0 + 1, 10)).toMatchObject({ removed: 0 })
      expect(await all(store.openDeliveries())).toEqual([again])
      expect(await store.get(old.deliveryId)).toEqual(again)
    },
  )

  fact('an open head without its body is set aside and said [SEC-60]', async (store, records, corrupt) => {
    const open = delivery()
    await store.freeze([open])
    await records.commit({ puts: [], deletes: [historyKey('body', open)] })
    expect(await all(store.openDeliveries())).toEqual([])
    expect(await all(store.openDeliveries())).toEqual([])
    expect(corrupt).toEqual([openDeliveryKey(open)])
  })
}
