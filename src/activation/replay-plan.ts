import type { DeliveryId, DestinationId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import { isLatest } from './repetition.ts'

/** The deliveries a replay was asked for, sorted by what can become of them. */
export interface ReplayChoice {
  /** Ended, and their destination exists: these are sent again. */
  readonly ended: ReadonlyMap<DestinationId, readonly DeliveryId[]>
  /** All that have ended, those without a destination included. */
  readonly matched: number
  readonly withoutDestination: number
  /** Not ended yet: they go their own way. */
  readonly underWay: number
  /** No longer kept, or never ours. */
  readonly unknown: number
}

/** What a replay would do, for a dry run [SEC-48]. */
export interface ReplayPlan extends Pick<ReplayChoice, 'withoutDestination' | 'underWay' | 'unknown'> {
  /** Go out as the very bytes they were; null when there are too many to look at each. */
  readonly unchanged: number | null
  /** Go out as new messages of the state of today: something newer was sent to their users, or it was asked for. */
  readonly rebuilt: number | null
  /** Of both, those that wait until their destination is resumed or activated. */
  readonly held: number
}

/** So many are read at once. */
const PAGE = 100
/** More are not looked at one by one for a dry run. */
const SORTED_MAX = 1_000

/** @param exists of a destination */
export async function chooseForReplay(
  deliveries: Pick<DeliveryStore, 'get'>,
  exists: (destinationId: DestinationId) => boolean,
  deliveryIds: readonly DeliveryId[],
): Promise<ReplayChoice> {
  const ended = new Map<DestinationId, DeliveryId[]>()
  let [matched, withoutDestination, underWay, unknown] = [0, 0, 0, 0]
  for await (const delivery of readAll(deliveries, [...new Set(deliveryIds)])) {
    if (delivery === undefined) unknown += 1
    else if (delivery.finishedAtMs === null) underWay += 1
    else {
      const { destinationId, deliveryId } = delivery
      matched += 1
      const others = ended.get(destinationId)
      if (!exists(destinationId)) withoutDestination += 1
      else if (others === undefined) ended.set(destinationId, [deliveryId])
      else others.push(deliveryId)
    }
  }
  return { ended, matched, withoutDestination, underWay, unknown }
}

/** @param isHeld of a destination: paused, inactive, or without real-time delivery */
export async function planReplay(
  deliveries: Pick<DeliveryStore, 'get' | 'lookUp'>,
  { ended, withoutDestination, underWay, unknown }: ReplayChoice,
  as: 'same' | 'current',
  isHeld: (destinationId: DestinationId) => boolean,
): Promise<ReplayPlan> {
  const ids = [...ended.values()].flat()
  const held = [...ended].reduce((sum, [id, ofOne]) => sum + (isHeld(id) ? ofOne.length : 0), 0)
  const facts = { withoutDestination, underWay, unknown, held }
  if (as === 'current') return { ...facts, unchanged: 0, rebuilt: ids.length }
  if (ids.length > SORTED_MAX) return { ...facts, unchanged: null, rebuilt: null }
  let unchanged = 0
  for await (const delivery of readAll(deliveries, ids)) {
    if (delivery === undefined) continue
    const profileIds = [...new Set(delivery.users.map((user) => user.profileId))]
    if (isLatest(delivery, await deliveries.lookUp(delivery.destinationId, profileIds))) unchanged += 1
  }
  return { ...facts, unchanged, rebuilt: ids.length - unchanged }
}

async function* readAll(
  deliveries: Pick<DeliveryStore, 'get'>,
  ids: readonly DeliveryId[],
): AsyncGenerator<StoredDelivery | undefined> {
  for (let at = 0; at < ids.length; at += PAGE)
    yield* await Promise.all(ids.slice(at, at + PAGE).map((deliveryId) => deliveries.get(deliveryId)))
}
