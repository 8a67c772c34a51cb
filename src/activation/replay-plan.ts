import type { DeliveryId, DestinationId } from '../model/ids.ts'
import type { DeliveryPlace } from '../store/delivery-keys.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import { type DestinationRules, hasDestination } from './destination-rules.ts'
import { isLatest } from './repetition.ts'
import type { ReplayAs, ReplayMessage } from './replay-order.ts'
import type { RunnerParts } from './runner-parts.ts'
import { doneBy, sayToday, stillHolds, usersOf } from './said-today.ts'

/** The deliveries a replay was asked for, sorted by what can become of them. */
export interface ReplayChoice {
  /** Ended, and their destination exists: these are sent again. */
  readonly ended: ReadonlyMap<DestinationId, readonly DeliveryId[]>
  /** All that have ended, those without a destination included. */
  readonly matched: number
  /** Those that are not sent, each with its reason. */
  readonly left: readonly ReplayMessage[]
}

/** What a replay would do, for a dry run [SEC-48]. */
export interface ReplayPlan {
  /** Go out as the very bytes they were; null when there are too many to look at each. */
  readonly unchanged: number | null
  /** Their users are told the state of today, in as few messages as it takes: they were sent something newer, or it was asked for. */
  readonly rebuilt: number | null
  /** Nothing goes out: today there is nothing that could be told. */
  readonly nothingToTell: number | null
  /** Of these, those that wait until their destination is resumed or activated. */
  readonly held: number
  readonly withoutDestination: number
  /** Not ended yet: they go their own way. */
  readonly underWay: number
  /** No longer kept, or never ours. */
  readonly unknown: number
}

/** So many are read at once. */
const PAGE = 100
/** More are not looked at one by one for a dry run. */
const SORTED_MAX = 1_000

type Rules = Pick<DestinationRules, 'byId' | 'existing'>

export async function chooseForReplay(
  deliveries: Pick<DeliveryStore, 'get'>,
  rules: Rules,
  deliveryIds: readonly DeliveryId[],
): Promise<ReplayChoice> {
  const places: DeliveryPlace[] = []
  const left: ReplayMessage[] = []
  const orphans: ReplayMessage[] = []
  for await (const [deliveryId, delivery] of readAll(deliveries, [...new Set(deliveryIds)])) {
    if (delivery === undefined) left.push(notSent(deliveryId, 'unknown'))
    else if (delivery.finishedAtMs === null) left.push(notSent(deliveryId, 'under_way'))
    else if (hasDestination(delivery, rules)) places.push(delivery)
    else orphans.push(notSent(deliveryId, 'no_destination'))
  }
  const { ended } = sortForReplay(places, rules)
  return { ended, matched: places.length + orphans.length, left: [...left, ...orphans] }
}

/** @param places of ended deliveries; which destination of that id each was made for is looked at when its turn comes */
export function sortForReplay(places: readonly DeliveryPlace[], { existing }: Rules): ReplayChoice {
  const ended = new Map<DestinationId, DeliveryId[]>()
  const left: ReplayMessage[] = []
  for (const { deliveryId, destinationId } of places) {
    const others = ended.get(destinationId)
    if (!existing.has(destinationId)) left.push(notSent(deliveryId, 'no_destination'))
    else if (others === undefined) ended.set(destinationId, [deliveryId])
    else others.push(deliveryId)
  }
  return { ended, matched: places.length, left }
}

/** What is asked of the worker: the messages of each destination, and those that are not sent. */
export function lanesOf({ ended, left }: ReplayChoice): ReplayMessage[][] {
  const lanes = [...ended].map(([destinationId, deliveryIds]) =>
    deliveryIds.map((deliveryId): ReplayMessage => {
      return { deliveryId, destinationId, outcome: 'waiting', sent: null, reason: null, sentAs: [] }
    }),
  )
  return left.length === 0 ? lanes : [...lanes, [...left]]
}

/** @param isHeld of a destination: paused, inactive, or without real-time delivery */
export async function planReplay(
  parts: Pick<RunnerParts, 'deliveries' | 'profiles' | 'rules' | 'clock'>,
  { ended, left }: ReplayChoice,
  as: ReplayAs,
  isHeld: (destinationId: DestinationId) => boolean,
): Promise<ReplayPlan> {
  const ids = [...ended.values()].flat()
  const because = (reason: string) => left.filter((one) => one.reason === reason).length
  const facts = {
    held: [...ended].reduce((sum, [id, ofOne]) => sum + (isHeld(id) ? ofOne.length : 0), 0),
    withoutDestination: because('no_destination'),
    underWay: because('under_way'),
    unknown: because('unknown'),
  }
  if (ids.length > SORTED_MAX) return { ...facts, unchanged: null, rebuilt: null, nothingToTell: null }
  const counts = { ...facts, unchanged: 0, rebuilt: 0, nothingToTell: 0 }
  for await (const [, delivery] of readAll(parts.deliveries, ids)) {
    if (delivery === undefined) continue
    if (hasDestination(delivery, parts.rules())) counts[await forecast(parts, delivery, as)] += 1
    else {
      counts.withoutDestination += 1
      if (isHeld(delivery.destinationId)) counts.held -= 1
    }
  }
  return counts
}

async function forecast(
  parts: Pick<RunnerParts, 'deliveries' | 'profiles' | 'rules' | 'clock'>,
  delivery: StoredDelivery,
  as: ReplayAs,
): Promise<'unchanged' | 'rebuilt' | 'nothingToTell'> {
  const { destinationId } = delivery
  if (doneBy(delivery, as) !== undefined) return 'nothingToTell'
  const isNewest = as === 'same' && isLatest(delivery, await parts.deliveries.lookUp(destinationId, usersOf(delivery)))
  const rule = parts.rules().byId.get(destinationId)
  // What its settings will be is not known.
  if (rule === undefined || rule.unusable !== undefined) return isNewest ? 'unchanged' : 'rebuilt'
  const today = await sayToday(parts, rule, delivery)
  if (isNewest && stillHolds(delivery, rule, today)) return 'unchanged'
  return today.some(({ reason }) => reason === undefined) ? 'rebuilt' : 'nothingToTell'
}

function notSent(deliveryId: DeliveryId, reason: string): ReplayMessage {
  return { deliveryId, destinationId: null, outcome: 'not_sent', sent: null, reason, sentAs: [] }
}

async function* readAll(
  deliveries: Pick<DeliveryStore, 'get'>,
  ids: readonly DeliveryId[],
): AsyncGenerator<readonly [DeliveryId, StoredDelivery | undefined]> {
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE)
    const read = await Promise.all(page.map((deliveryId) => deliveries.get(deliveryId)))
    for (const [index, deliveryId] of page.entries()) yield [deliveryId, read[index]]
  }
}
