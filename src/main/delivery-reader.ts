import type { Dispatcher } from '../activation/dispatcher.ts'
import { untouchedHealth } from '../activation/runner-health.ts'
import type { DeliveryControl, DeliveryReader } from '../api/parts.ts'
import type { Delivery, DeliveryDetail, ProfileView } from '../contract.ts'
import type { Attempt } from '../model/delivery.ts'
import {
  type DeliveryId,
  type DestinationId,
  type DeviceId,
  deviceProfileId,
  type ProfileId,
  type SegmentId,
} from '../model/ids.ts'
import { isoTime } from '../model/time.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'

/** Deliveries as the API shows them [OPS-51]. @param dispatcher undefined in a process that does not deliver */
export function openDeliveryReader(store: DeliveryStore, dispatcher: Dispatcher | undefined): DeliveryReader {
  const inStore = (filter: Parameters<DeliveryReader['list']>[0]) => ({
    destinationId: filter.destinationId as DestinationId | undefined,
    profileId: filter.deviceId === undefined ? undefined : deviceProfileId(filter.deviceId as DeviceId),
    segmentId: filter.segmentId as SegmentId | undefined,
    status: filter.status,
    reason: filter.reason,
    fromMs: filter.fromMs,
    toMs: filter.toMs,
  })
  return {
    async list(filter, { page, pageSize }) {
      const { total, list } = await store.list({ ...inStore(filter), page, pageSize })
      return { total, list: list.map(viewDelivery) }
    },
    async get(id) {
      const delivery = await store.get(id as DeliveryId)
      return delivery && viewDetail(delivery)
    },
    async replay({ select, dryRun, as, perSecond }) {
      const deliveryIds =
        'deliveryIds' in select
          ? (select.deliveryIds as readonly DeliveryId[])
          : await store.endedIds(inStore(select.filter))
      return (await dispatcher?.replay({ deliveryIds, as, dryRun, perSecond })) ?? { matched: 0, queued: 0 }
    },
  }
}

/** An operator's hand on the dispatcher. */
export function deliveryControl(dispatcher: Dispatcher): DeliveryControl {
  return {
    health(id) {
      const destinationId = id as DestinationId
      const known = dispatcher.health().find((health) => health.destinationId === destinationId)
      return known ?? untouchedHealth(destinationId)
    },
    pause: (id) => dispatcher.pause(id as DestinationId),
    resume: (id) => dispatcher.resume(id as DestinationId),
  }
}

/** What destinations were told of a profile, segment by segment: part of [OPS-52]. */
export async function toldOf(store: DeliveryStore, id: ProfileId): Promise<ProfileView['deliveries']> {
  const rows = await store.toldOf(id)
  return rows.flatMap(({ destinationId, told }) =>
    told.active.map((segment) => ({
      destinationId,
      segment,
      state: told.state,
      at: told.endedAtMs === 0 ? null : isoTime(told.endedAtMs),
    })),
  )
}

function viewDelivery(delivery: StoredDelivery): Delivery {
  return { ...headOf(delivery), attempts: delivery.attempts.map(viewAttempt) }
}

function viewDetail(delivery: StoredDelivery): DeliveryDetail {
  return {
    ...headOf(delivery),
    request: {
      method: delivery.method,
      url: delivery.url,
      headers: joinHeaders(delivery.headers),
      body: delivery.body,
    },
    attempts: delivery.attempts.map((attempt) => ({
      ...viewAttempt(attempt),
      response: { headers: { ...attempt.responseHeaders }, excerpt: attempt.responseExcerpt },
    })),
  }
}

function headOf({ deliveryId, destinationId, status, reason, users, createdAtMs, finishedAtMs }: StoredDelivery) {
  return {
    deliveryId,
    destinationId,
    status,
    reason,
    users: users.length,
    createdAt: isoTime(createdAtMs),
    finishedAt: finishedAtMs === null ? null : isoTime(finishedAtMs),
  }
}

function viewAttempt({ number, startedAtMs, durationMs, outcome, httpStatus, error }: Attempt) {
  return { number, startedAt: isoTime(startedAtMs), durationMs: Math.round(durationMs), outcome, httpStatus, error }
}

/** Two lines of one name are shown as HTTP joins them. */
function joinHeaders(headers: StoredDelivery['headers']): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of headers) joined[name] = joined[name] === undefined ? value : `${joined[name]}, ${value}`
  return joined
}
