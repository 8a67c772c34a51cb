import type { StoredDelivery } from '../store/delivery-record.ts'
import { DESTINATION, deviceIn, manualTimers, NOW, until, type Workbench } from './workbench.conformance.ts'

export const DISPATCHER_LIMITS = { concurrency: 16 }

/** Delivery to one destination as a whole: breaker, pause, slowing, rotation; against a real receiver, with time faked. */

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const KEYS = ['old_partner_private_key1', 'new_partner_private_key2']

/** Time that timers and the wall clock share. */
export function manualTime() {
  const timers = manualTimers()
  let nowMs = NOW
  return {
    after: timers.after,
    waits: timers.waits,
    clock: () => nowMs,
    random: () => 0.5,
    advance(ms: number) {
      nowMs += ms
      timers.advance(ms)
    },
  }
}

export const health = (bench: Workbench) => {
  const found = bench.dispatcher.health().find((one) => one.destinationId === DESTINATION)
  if (found === undefined) throw new Error('no health')
  return found
}
export const stats = (bench: Workbench) => bench.dispatcher.stats().destinations[0]
export const quiet = (bench: Workbench) => until(() => stats(bench)?.sending === 0)
export const openOf = async (bench: Workbench): Promise<readonly StoredDelivery[]> =>
  (await bench.deliveries.list({ page: 0, pageSize: 1000, status: 'retrying' })).list

/** A destination that failed until its breaker opened. */
export async function failUntilOpen(bench: Workbench, users = 60) {
  for (let n = 1; n <= users; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => health(bench).breaker === 'open')
  await quiet(bench)
}
