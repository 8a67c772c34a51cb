import { eachInSlices, runInSlices } from '../lib/slices.ts'
import { sortInSlices } from '../lib/sort-in-slices.ts'
import { type DeliveryId, type DestinationId, declaredProfileId, type ProfileId } from '../model/ids.ts'
import {
  type DeliveryPlace,
  deliveryIdKey,
  deliveryIdOfKey,
  deliveryPartition,
  HISTORY_PARTS,
  historyFrom,
  historyKey,
  openDeliveryKey,
  profileDeliveryKey,
  profileDeliveryPrefix,
  readDeliveryKey,
  readPlace,
} from './delivery-keys.ts'
import {
  type DeliveryHead,
  type DeliverySummary,
  openBodyInSlices,
  openHead,
  openSummary,
  type StoredDelivery,
  sealBody,
  sealHead,
  sealPlace,
  sealSummary,
  summaryOf,
  type WrittenUser,
} from './delivery-record.ts'
import type { DeliveryFilter, DeliveryLook, DeliverySearch, DeliveryStore, ReadRecord } from './delivery-store.ts'
import { afterPrefix, kindRange } from './keys.ts'
import { openRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { RecordStore, StoredRecord } from './record-store.ts'
import type { ScanOptions } from './scan.ts'

/** Ended deliveries looked at for one list; a narrower filter reaches further back. */
const LIST_SCAN_MAX = 200_000
const PAGE = 1_000
/** Bodies read at once, and what they may say together: some are megabytes long, and whatever is read is copied in one turn. */
const PORTION = 16
const PORTION_MEMBERSHIPS = 5_000
const DESTINATION_ID_MAX = 0xffff_ffff
const TIME_MAX_MS = 2 ** 48 - 1

/** Reads, lists and forgets deliveries. */
export function deliveryHistory(
  records: RecordStore,
  readable: ReadRecord,
): Pick<DeliveryStore, 'get' | 'list' | 'ended' | 'supersede' | 'purge' | 'bytesOf' | 'trim' | 'reclaim'> {
  const read = (places: readonly DeliveryPlace[]) => readAs(places, whole)

  /** Of each what is made of it: one after the other, so that only one of them is there whole. */
  async function readAs<View>(
    places: readonly DeliveryPlace[],
    view: DeliveryLook<View>,
  ): Promise<(View | undefined)[]> {
    const heads = await readHeads(places)
    const views: (View | undefined)[] = []
    for (let at = 0; at < heads.length; ) {
      const end = endOfPortion(heads, at)
      const keys = places.slice(at, end).map((place) => historyKey('body', place))
      const bodies = await records.getMany(keys)
      const viewed = (function* () {
        for (const [i, key] of keys.entries()) {
          const head = heads[at + i]
          const opening = head && readable(key, bodies[i], openBodyInSlices)
          const body = opening && (yield* opening)
          views.push(head === undefined || body === undefined ? undefined : yield* view({ ...head, ...body }))
          yield
        }
      })()
      await runInSlices(viewed)
      at = end
    }
    return views
  }

  async function readHeads(places: readonly DeliveryPlace[]): Promise<(DeliveryHead | undefined)[]> {
    const keys = places.flatMap((place) => [openDeliveryKey(place), historyKey('head', place)])
    const found = await records.getMany(keys)
    const opened = (at: number) => readable(keys[at] as Buffer, found[at], openHead)
    return runInSlices(eachInSlices(places, (_, at) => opened(2 * at) ?? opened(2 * at + 1)))
  }

  /** Places of all deliveries that fit, in no order. */
  async function find(filter: DeliverySearch): Promise<DeliveryPlace[]> {
    if (filter.deliveryId !== undefined) return findOne(filter.deliveryId, filter)
    const found: DeliveryPlace[] = []
    // Those on their way are few.
    for await (const page of records.scan(Kind.openDelivery, openOf(filter)))
      await runInSlices(
        eachInSlices(page.records, (stored) => {
          if (isMatch(stored, true, filter)) found.push(readDeliveryKey(stored.key))
        }),
      )
    return [...(await naming(found, filter)), ...(await findEnded(filter))]
  }

  async function findEnded(filter: DeliverySearch): Promise<DeliveryPlace[]> {
    const found: DeliveryPlace[] = []
    if (filter.profileIds !== undefined)
      for (const profileId of new Set(filter.profileIds)) found.push(...(await findOfProfile(profileId, filter)))
    else for (const { from, to } of await summaryRanges(filter)) await collect(from, to, found, filter)
    return naming(found, filter)
  }

  async function placeOf(deliveryId: DeliveryId): Promise<DeliveryPlace | undefined> {
    const key = deliveryIdKey(deliveryId)
    const [record] = await records.getMany([key])
    return readable(key, record, placeReader(deliveryId))
  }

  async function findOne(deliveryId: DeliveryId, filter: DeliverySearch): Promise<DeliveryPlace[]> {
    const place = await placeOf(deliveryId)
    const [delivery] = place === undefined ? [] : await read([place])
    if (place === undefined || delivery === undefined || !fits(place, summaryOf(delivery), filter)) return []
    return isOfProfile(delivery, filter) ? naming([place], filter) : []
  }

  /** Those that name one of the IDs: what a message says of its users lies with its body. */
  async function naming(places: DeliveryPlace[], { declaredIds }: DeliverySearch): Promise<DeliveryPlace[]> {
    if (declaredIds === undefined) return places
    const wanted = new Set(declaredIds)
    const found: DeliveryPlace[] = []
    for (let at = 0; at < places.length; at += PAGE) {
      const page = places.slice(at, at + PAGE)
      const deliveries = await read(page)
      for (const [index, place] of page.entries()) {
        const written = deliveries[index]?.written
        const isNamed = ({ dataSourceId, partnerId }: WrittenUser) =>
          wanted.has(declaredProfileId(dataSourceId, partnerId))
        if (written === undefined || written.some(isNamed)) found.push(place)
      }
    }
    return found
  }

  async function findOfProfile(profileId: ProfileId, filter: DeliverySearch): Promise<DeliveryPlace[]> {
    const found: DeliveryPlace[] = []
    const prefix = profileDeliveryPrefix(profileId)
    const indexed = await records.range(prefix, afterPrefix(prefix), { limit: LIST_SCAN_MAX, reverse: true })
    const places = indexed.flatMap(({ key, record }) => readable(key, record, placeReader(deliveryIdOfKey(key))) ?? [])
    const keys = places.map((place) => historyKey('summary', place))
    const summaries = await records.getMany(keys)
    const isFit = (place: DeliveryPlace, at: number) => {
      const summary = readable(keys[at] as Buffer, summaries[at], openSummary)
      if (summary !== undefined && fits(place, summary, filter)) found.push(place)
    }
    await runInSlices(eachInSlices(places, isFit))
    return found
  }

  async function collect(from: Buffer, to: Buffer, found: DeliveryPlace[], filter: DeliverySearch): Promise<void> {
    let scanned = 0
    for (let end = to; scanned < LIST_SCAN_MAX; ) {
      const page = await records.range(from, end, { limit: PAGE, reverse: true })
      scanned += page.length
      const match = (stored: StoredRecord) => {
        if (isMatch(stored, false, filter)) found.push(readDeliveryKey(stored.key))
      }
      await runInSlices(eachInSlices(page, match))
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      end = last.key
    }
  }

  function isMatch({ key, record }: StoredRecord, isOpen: boolean, filter: DeliverySearch): boolean {
    const place = readDeliveryKey(key)
    if (!isOpen) {
      const summary = readable(key, record, openSummary)
      return summary !== undefined && fits(place, summary, filter)
    }
    const delivery = readable(key, record, openHead)
    if (delivery === undefined || !fits(place, summaryOf(delivery), filter)) return false
    return isOfProfile(delivery, filter)
  }

  function openOf({ destinationId }: DeliverySearch): ScanOptions {
    if (destinationId === undefined) return {}
    const partition = deliveryPartition(destinationId)
    return { from: partition, to: partition + 1 }
  }

  async function summaryRanges({ destinationId, fromMs = 0, toMs = TIME_MAX_MS }: DeliverySearch) {
    const ids = destinationId === undefined ? await destinations() : [destinationId]
    return ids.map((id) => ({
      // A time before 1970 has no key; nothing lies before it.
      from: historyFrom('summary', id, Math.max(0, fromMs)),
      to: historyFrom('summary', id, Math.max(0, toMs)),
    }))
  }

  /** Destinations with ended deliveries; few to a partition, so each is found by one step. */
  async function destinations(): Promise<DestinationId[]> {
    const ids: DestinationId[] = []
    for await (const { partition, records: heads } of records.scan(Kind.endedDelivery, { limitEach: 1 })) {
      const { to } = kindRange(partition, Kind.endedDelivery)
      for (let from = (heads[0] as StoredRecord).key; ; ) {
        const [first] = await records.range(from, to, { limit: 1 })
        if (first === undefined) break
        const { destinationId } = readDeliveryKey(first.key)
        ids.push(destinationId)
        if (destinationId === DESTINATION_ID_MAX) break
        from = afterPrefix(first.key.subarray(0, 7))
      }
    }
    return ids
  }

  /**
   * What leads to it goes first, so that nothing that a stop leaves is unfindable and kept for ever. Only while it is still
   * the ended delivery that was looked at: one that is being sent again keeps all of its records.
   */
  async function forget(place: DeliveryPlace, summary: Buffer, delivery: StoredDelivery | undefined): Promise<boolean> {
    const profileIds = new Set(delivery?.users.map((user) => user.profileId))
    const leading = [
      ...[...profileIds].map((profileId) => profileDeliveryKey(profileId, place)),
      deliveryIdKey(place.deliveryId),
    ]
    const key = historyKey('summary', place)
    const parts = [key, historyKey('head', place), historyKey('body', place)]
    await Promise.all(leading.map((each) => records.commit({ puts: [], deletes: [each] })))
    if (await records.commit({ guard: { key, record: summary }, puts: [], deletes: parts })) return true
    const record = sealPlace(place)
    await Promise.all(leading.map((each) => records.commit({ puts: [{ key: each, record }], deletes: [] })))
    return false
  }

  return {
    async get(deliveryId) {
      const place = await placeOf(deliveryId)
      return place === undefined ? undefined : (await read([place]))[0]
    },

    async list<View = StoredDelivery>(filter: DeliveryFilter, view = whole as DeliveryLook<View>) {
      const found = await find(filter)
      const sorted = await runInSlices(sortedOnce(found, newestFirst))
      const start = filter.page * filter.pageSize
      const end = Math.min(start + filter.pageSize, sorted.length)
      const list: View[] = []
      for (let at = start; at < end; at += PORTION) {
        const views = await readAs(sorted.slice(at, Math.min(at + PORTION, end)), view)
        list.push(...views.filter((one) => one !== undefined))
      }
      return { total: sorted.length, list }
    },

    async ended(filter) {
      return runInSlices(sortedOnce(await findEnded(filter), oldestFirst))
    },

    async supersede(deliveryId, replayedBy) {
      const place = await placeOf(deliveryId)
      if (place === undefined) return undefined
      const key = historyKey('summary', place)
      const [[summary], [delivery]] = await Promise.all([records.getMany([key]), read([place])])
      if (summary === undefined || delivery?.status !== 'dead') return undefined
      const reason = replayedBy === undefined ? 'discarded' : 'replayed'
      const next: StoredDelivery = { ...delivery, status: 'superseded', reason, replayedBy }
      const puts = [
        { key, record: sealSummary(next) },
        { key: historyKey('head', place), record: sealHead(next) },
      ]
      return (await records.commit({ guard: { key, record: summary }, puts, deletes: [] })) ? next : undefined
    },

    async purge(beforeMs, limit, after) {
      let [removed, looked] = [0, 0]
      const behind = after === undefined ? Buffer.alloc(0) : keyBehind(after)
      for (const destinationId of await destinations()) {
        const first = historyFrom('summary', destinationId, 0)
        const from = Buffer.compare(first, behind) < 0 ? behind : first
        const to = historyFrom('summary', destinationId, beforeMs)
        if (Buffer.compare(from, to) >= 0) continue
        const page = await records.range(from, to, { limit: limit - looked })
        const places = page.map(({ key }) => readDeliveryKey(key))
        const deliveries = await read(places)
        // One that waited long is kept from its end on; one that is being sent again has none.
        const old = places.flatMap((place, at) => {
          const delivery = deliveries[at]
          const isOld = delivery === undefined || (delivery.finishedAtMs ?? beforeMs) < beforeMs
          return isOld ? [forget(place, (page[at] as StoredRecord).record, delivery)] : []
        })
        removed += (await Promise.all(old)).filter(Boolean).length
        looked += places.length
        if (looked >= limit) return { removed, next: places.at(-1) }
      }
      return { removed, next: undefined }
    },

    // The bodies of open messages lie among them; the rest of those is small, and has a bound.
    bytesOf: (destinationId) =>
      records.approximateBytes(
        historyFrom('summary', destinationId, 0),
        historyFrom('body', destinationId, TIME_MAX_MS),
      ),

    async trim(destinationId, limit, after) {
      const from = after === undefined ? historyFrom('summary', destinationId, 0) : keyBehind(after)
      const page = await records.range(from, historyFrom('summary', destinationId, TIME_MAX_MS), { limit })
      const found = page.filter(({ key, record }) => {
        const summary = readable(key, record, openSummary)
        return summary !== undefined && summary.status !== 'dead'
      })
      const places = found.map(({ key }) => readDeliveryKey(key))
      const deliveries = await read(places)
      const isGone = await Promise.all(
        places.map((place, at) => forget(place, (found[at] as StoredRecord).record, deliveries[at])),
      )
      const last = page.length < limit ? undefined : page.at(-1)
      return {
        removed: places.filter((_place, at) => isGone[at]),
        bytes: deliveries.reduce((sum, one, at) => sum + (one === undefined || !isGone[at] ? 0 : bytesIn(one)), 0),
        next: last && readDeliveryKey(last.key),
      }
    },

    async reclaim(destinationId, fromMs, toMs) {
      for (const part of HISTORY_PARTS)
        await records.reclaim(historyFrom(part, destinationId, fromMs), historyFrom(part, destinationId, toMs + 1))
    },
  }
}

// biome-ignore lint/correctness/useYield: it has nothing to do in slices
const whole: DeliveryLook<StoredDelivery> = function* (delivery) {
  return delivery
}

/** @returns behind the last of those whose bodies are read together */
function endOfPortion(heads: readonly (DeliveryHead | undefined)[], from: number): number {
  let memberships = 0
  for (let at = from; at < heads.length && at < from + PORTION; at++) {
    for (const { active, inactive } of heads[at]?.users ?? []) memberships += active.length + inactive.length
    if (memberships > PORTION_MEMBERSHIPS) return at + 1
  }
  return Math.min(from + PORTION, heads.length)
}

const newestFirst = (a: DeliveryPlace, b: DeliveryPlace) =>
  b.createdAtMs - a.createdAtMs || (a.deliveryId < b.deliveryId ? -1 : 1)
const oldestFirst = (a: DeliveryPlace, b: DeliveryPlace) => a.createdAtMs - b.createdAtMs

/** One that ended meanwhile was met in both places. */
function* sortedOnce(
  places: readonly DeliveryPlace[],
  compare: (a: DeliveryPlace, b: DeliveryPlace) => number,
): Generator<void, DeliveryPlace[]> {
  const met = new Set<DeliveryId>()
  const once: DeliveryPlace[] = []
  yield* eachInSlices(places, (place) => {
    if (met.has(place.deliveryId)) return
    met.add(place.deliveryId)
    once.push(place)
  })
  return yield* sortInSlices(once, compare)
}

/** Where those after it begin. */
function keyBehind(place: DeliveryPlace): Buffer {
  return Buffer.concat([historyKey('summary', place), Buffer.of(0)])
}

function bytesIn(delivery: StoredDelivery): number {
  return sealSummary(delivery).length + sealHead(delivery).length + sealBody(delivery).length
}

function isOfProfile({ users }: Pick<StoredDelivery, 'users'>, { profileIds }: DeliverySearch): boolean {
  return profileIds === undefined || users.some((user) => profileIds.includes(user.profileId))
}

function placeReader(deliveryId: DeliveryId): (record: Buffer) => DeliveryPlace {
  return (record) => readPlace(deliveryId, openRecord(record).body)
}

function fits(
  { destinationId, createdAtMs }: DeliveryPlace,
  summary: DeliverySummary,
  filter: DeliverySearch,
): boolean {
  if (filter.destinationId !== undefined && filter.destinationId !== destinationId) return false
  if (filter.fromMs !== undefined && createdAtMs < filter.fromMs) return false
  if (filter.toMs !== undefined && createdAtMs >= filter.toMs) return false
  if (filter.status !== undefined && filter.status !== summary.status) return false
  if (filter.reason !== undefined && filter.reason !== summary.reason) return false
  return filter.segmentId === undefined || summary.segments.includes(filter.segmentId)
}
