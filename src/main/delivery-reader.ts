import type { Dispatcher } from '../activation/dispatcher.ts'
import type { DeliveryReader } from '../api/parts.ts'
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

const PAGE = 1000

/** Deliveries as the API shows them [OPS-51]. @param dispatcher undefined in a process that does not deliver */
export function openDeliveryReader(store: DeliveryStore, dispatcher: Dispatcher | undefined): DeliveryReader {
  const find = (filter: Parameters<DeliveryReader['list']>[0], page: number, pageSize: number) =>
    store.list({
      destinationId: filter.destinationId as DestinationId | undefined,
      profileId: filter.deviceId === undefined ? undefined : deviceProfileId(filter.deviceId as DeviceId),
      segmentId: filter.segmentId as SegmentId | undefined,
      status: filter.status,
      fromMs: filter.fromMs,
      toMs: filter.toMs,
      page,
      pageSize,
    })
  return {
    async list(filter, { page, pageSize }) {
      const { total, list } = await find(filter, page, pageSize)
      return { total, list: list.map(viewDelivery) }
    },
    async get(id) {
      const delivery = await store.get(id as DeliveryId)
      return delivery && viewDetail(delivery)
    },
    async replay({ select, dryRun, as }) {
      if ('deliveryIds' in select) {
        const deliveryIds = select.deliveryIds as readonly DeliveryId[]
        return (await dispatcher?.replay({ deliveryIds, as, dryRun })) ?? { matched: 0, queued: 0 }
      }
      const deliveryIds: DeliveryId[] = []
      for (let page = 0; ; page++) {
        const { total, list } = await find(select.filter, page, PAGE)
        deliveryIds.push(...list.map((delivery) => delivery.deliveryId))
        if (list.length === 0 || deliveryIds.length >= total) break
      }
      return (await dispatcher?.replay({ deliveryIds, as, dryRun })) ?? { matched: deliveryIds.length, queued: 0 }
    },
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
