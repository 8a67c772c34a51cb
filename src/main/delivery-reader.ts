import { setTimeout as sleep } from 'node:timers/promises'
import { hasDestination } from '../activation/destination-rules.ts'
import type { Dispatcher } from '../activation/dispatcher.ts'
import { untouchedHealth } from '../activation/runner-health.ts'
import type { DeliveryControl, DeliveryFilter, DeliveryReader } from '../api/parts.ts'
import type { Clock } from '../model/clock.ts'
import { type DestinationId, type DeviceId, deviceProfileId, type SegmentId } from '../model/ids.ts'
import { findProfiles, readDevice } from '../pipeline/find-profiles.ts'
import type { Rulebook } from '../pipeline/rulebook.ts'
import type { NameReader } from '../store/catalog/names.ts'
import { isDeliveryId } from '../store/delivery-keys.ts'
import type { DeliverySearch, DeliveryStore } from '../store/delivery-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import { type ListedDelivery, listedDelivery, segmentsIn, viewDelivery, viewDetail } from './delivery-views.ts'

export interface DeliveryReaderParts {
  readonly deliveries: DeliveryStore
  readonly profiles: ProfileStore
  readonly rulebook: () => Pick<Rulebook, 'destinations' | 'directory'>
  readonly names: NameReader
  readonly dispatcher: Pick<Dispatcher, 'attemptMsOf'> | undefined
  readonly clock: Clock
}

const NO_NAMES: ReadonlyMap<number, string> = new Map()
const NOTHING = { total: 0, list: [] }

/** Deliveries as the API shows them [OPS-51]. */
export function openDeliveryReader(parts: DeliveryReaderParts): DeliveryReader {
  const { deliveries: store, rulebook, names } = parts
  return {
    async list(filter, { page, pageSize }) {
      const asked = inStore(filter)
      const meant = filter.q === undefined ? {} : await meantBy(filter.q, parts)
      const search = { ...asked, ...meant, profileIds: inBoth(asked.profileIds, meant.profileIds) }
      const { total, list } =
        search.profileIds?.length === 0
          ? NOTHING
          : await store.list({ ...search, page, pageSize }, (one) => listedDelivery(one, search.profileIds))
      const [destinationNames, segmentNames] = await Promise.all([
        names.namesOf(
          'destinations',
          list.map(({ head }) => head.destinationId),
        ),
        names.namesOf(
          'segments',
          list.flatMap((one) => one.segments.map(({ sid }) => sid)),
        ),
      ])
      const { destinations } = rulebook()
      const namesFor = ({ madeFor }: ListedDelivery) =>
        hasDestination(madeFor, destinations) ? destinationNames : NO_NAMES
      return { total, list: list.map((one) => viewDelivery(one, namesFor(one), segmentNames)) }
    },
    async get(id) {
      const delivery = isDeliveryId(id) ? await store.get(id) : undefined
      if (delivery === undefined) return undefined
      const { destinationId } = delivery
      const [destinationNames, segmentNames] = await Promise.all([
        names.namesOf('destinations', [destinationId]),
        names.namesOf('segments', segmentsIn(delivery)),
      ])
      const { destinations } = rulebook()
      const ofItsOwn = hasDestination(delivery, destinations)
        ? { destination: destinations.byId.get(destinationId), destinationName: destinationNames.get(destinationId) }
        : { destination: undefined, destinationName: undefined }
      // One that is due goes as soon as its turn comes.
      const nextMs = parts.dispatcher?.attemptMsOf(delivery)
      const nextAttemptMs = nextMs === undefined ? undefined : Math.max(nextMs, parts.clock())
      return viewDetail(delivery, { ...ofItsOwn, segmentNames, nextAttemptMs })
    },
  }
}

/** A filter of the API as the store takes it. */
export function inStore(filter: DeliveryFilter): DeliverySearch {
  return {
    destinationId: filter.destinationId as DestinationId | undefined,
    profileIds: filter.deviceId === undefined ? undefined : [deviceProfileId(filter.deviceId as DeviceId)],
    segmentId: filter.segmentId as SegmentId | undefined,
    status: filter.status,
    reason: filter.reason,
    fromMs: filter.fromMs,
    toMs: filter.toMs,
  }
}

function inBoth<T>(some: readonly T[] | undefined, others: readonly T[] | undefined): readonly T[] | undefined {
  return some === undefined || others === undefined ? (some ?? others) : some.filter((one) => others.includes(one))
}

/** A delivery by its ID, those of a device, or those that name a user by a partner's ID. */
async function meantBy(
  q: string,
  { profiles, rulebook }: Pick<DeliveryReaderParts, 'profiles' | 'rulebook'>,
): Promise<Pick<DeliverySearch, 'deliveryId' | 'profileIds' | 'declaredIds'>> {
  if (isDeliveryId(q)) return { deliveryId: q }
  const device = readDevice(q)
  // Its messages are kept also when the profile is not.
  if (device !== undefined) return { profileIds: [device] }
  const declaredIds = await findProfiles(q, { profiles, rulebook })
  const found = await profiles.getMany(declaredIds)
  const devices = found.flatMap((profile) => profile?.devices.map(({ deviceId }) => deviceProfileId(deviceId)) ?? [])
  return { declaredIds, profileIds: devices }
}

/** An operator's hand on the dispatcher. */
/** New definitions are in effect within seconds. */
const LOOKS_MAX = 100
const LOOK_EVERY_MS = 50

/** @param existing destinations of the rulebook in effect: a pause of one that it does not know yet would be lost with it */
export function deliveryControl(dispatcher: Dispatcher, existing: () => ReadonlySet<DestinationId>): DeliveryControl {
  const inEffect = async (id: number) => {
    for (let looks = 0; looks < LOOKS_MAX && !existing().has(id as DestinationId); looks++) await sleep(LOOK_EVERY_MS)
  }
  return {
    health(id) {
      const destinationId = id as DestinationId
      const known = dispatcher.health().find((health) => health.destinationId === destinationId)
      return known ?? untouchedHealth(destinationId, undefined)
    },
    async pause(id) {
      await inEffect(id)
      await dispatcher.pause(id as DestinationId)
    },
    async resume(id) {
      await inEffect(id)
      await dispatcher.resume(id as DestinationId)
    },
  }
}
