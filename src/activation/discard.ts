import type { DeliveryId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import { type DestinationRules, hasDestination } from './destination-rules.ts'

/** Dead letters that somebody lets go: by ID, or as a search found them. Source: security.md SEC-48. */
export interface DiscardOrder {
  readonly find: () => Promise<readonly DeliveryId[]>
  /** Only those whose destination was deleted. */
  readonly withoutDestination: boolean
  readonly dryRun: boolean
}

export interface Discarded {
  /** Dead letters among those asked for. */
  readonly matched: number
  readonly discarded: number
}

export interface DiscardParts extends DiscardOrder {
  readonly deliveries: Pick<DeliveryStore, 'get'>
  readonly rules: () => DestinationRules
  /** @returns whether it was a dead letter until now */
  readonly letGo: (delivery: StoredDelivery) => Promise<boolean>
}

/** In one call: some seconds of work. Whoever has more asks again. */
export const DISCARDED_MAX = 5_000
const PAGE = 50

export async function discardLetters(parts: DiscardParts): Promise<Discarded> {
  const { find, withoutDestination, dryRun, deliveries, rules, letGo } = parts
  const ids = [...new Set(await find())]
  let [matched, discarded] = [0, 0]
  for (let at = 0; at < ids.length; at += PAGE) {
    const read = await Promise.all(ids.slice(at, at + PAGE).map((deliveryId) => deliveries.get(deliveryId)))
    const letters = read.filter(
      (one) => one?.status === 'dead' && !(withoutDestination && hasDestination(one, rules())),
    ) as StoredDelivery[]
    matched += letters.length
    if (dryRun) continue
    const done = await Promise.all(letters.slice(0, DISCARDED_MAX - discarded).map((one) => letGo(one)))
    discarded += done.filter(Boolean).length
  }
  return { matched, discarded }
}
