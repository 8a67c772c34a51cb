import { randomToken } from '../lib/random-ids.ts'
import type { DeliveryId } from '../model/ids.ts'
import type { JobStore } from '../store/job-store.ts'
import type { After } from './runner-parts.ts'
import type { UntilStored } from './until-stored.ts'

/** Dead letters of one destination that are sent again, some each second. */
export interface ReplayOrder {
  readonly deliveryIds: readonly DeliveryId[]
  readonly as: 'same' | 'current'
  /** Undefined: as fast as the destination takes them. */
  readonly perSecond: number | undefined
}

export interface Replays {
  /** Resolves when the order is stored: a stop does not lose it. */
  add(order: ReplayOrder): Promise<void>
  /** Goes on with what a stop left. */
  resume(): Promise<void>
  close(): Promise<void>
}

export interface ReplaysOptions {
  readonly jobs: JobStore
  readonly after: After
  readonly untilStored: UntilStored
  /** May be repeated. @returns false when the destination has no room now: it is asked again */
  readonly replayOne: (deliveryId: DeliveryId, as: ReplayOrder['as']) => Promise<boolean>
  readonly log: (event: string, fields: Record<string, unknown>) => void
}

/** What is stored of an order; its delivery IDs lie in a record of their own, written once. */
interface StoredOrder {
  readonly orderId: string
  readonly as: ReplayOrder['as']
  readonly perSecond: number | null
  readonly done: number
}

const LIST = 'delivery.replays'
const NO_ROOM_WAIT_MS = 1_000
/** Replayed between two notes of progress; after a stop at most so many are replayed twice, which does no harm. */
const SAVE_EVERY = 50

/** Replays in the background; each order keeps its own rate, so that those of two orders add up. Source: security.md SEC-48. */
export function openReplays({ jobs, after, untilStored, replayOne, log }: ReplaysOptions): Replays {
  const orders = new Map<string, StoredOrder>()
  const running = new Set<Promise<void>>()
  const wakes = new Set<() => void>()
  let isClosing = false
  let saving: Promise<void> = Promise.resolve()

  const save = (): Promise<void> => {
    saving = saving.catch(() => {}).then(() => jobs.write(LIST, [...orders.values()]))
    return saving
  }
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      if (isClosing) return resolve()
      const wake = () => {
        cancel()
        wakes.delete(wake)
        resolve()
      }
      const cancel = after(ms, wake)
      wakes.add(wake)
    })

  async function run(orderId: string, deliveryIds: readonly DeliveryId[]): Promise<void> {
    for (;;) {
      const order = orders.get(orderId)
      const deliveryId = order && deliveryIds[order.done]
      if (order === undefined || deliveryId === undefined || isClosing) break
      if (!(await untilStored(() => replayOne(deliveryId, order.as)))) {
        await pause(NO_ROOM_WAIT_MS)
        continue
      }
      orders.set(orderId, { ...order, done: order.done + 1 })
      if ((order.done + 1) % SAVE_EVERY === 0) await untilStored(save)
      if (order.perSecond !== null) await pause(1000 / order.perSecond)
    }
    if (!isClosing) orders.delete(orderId)
    await untilStored(save)
    if (!isClosing) await untilStored(() => jobs.remove(nameOf(orderId)))
  }

  function start(orderId: string, deliveryIds: readonly DeliveryId[]): void {
    const work: Promise<void> = run(orderId, deliveryIds)
      .catch((error: unknown) => log('delivery.replay_failed', { error }))
      .finally(() => running.delete(work))
    running.add(work)
  }

  return {
    async add({ deliveryIds, as, perSecond }) {
      const orderId = randomToken()
      await jobs.write(nameOf(orderId), deliveryIds)
      orders.set(orderId, { orderId, as, perSecond: perSecond ?? null, done: 0 })
      await save()
      start(orderId, deliveryIds)
    },
    async resume() {
      for (const order of ((await jobs.read(LIST)) as readonly StoredOrder[] | undefined) ?? []) {
        orders.set(order.orderId, order)
        start(order.orderId, ((await jobs.read(nameOf(order.orderId))) as readonly DeliveryId[] | undefined) ?? [])
      }
    },
    async close() {
      isClosing = true
      for (const wake of [...wakes]) wake()
      await Promise.all(running)
    },
  }
}

function nameOf(orderId: string): string {
  return `delivery.replay ${orderId}`
}
