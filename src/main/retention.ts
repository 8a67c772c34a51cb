import type { Log } from '../lib/log.ts'
import type { Clock } from '../model/clock.ts'
import { DAY_MS } from '../model/time.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'

/** Forgets what was kept long enough: ended deliveries, dead letters among them, after 30 days [SEC-48], [SEC-82]. */
export interface Retention {
  /** Looks again now: the clock was moved. */
  kick(): void
  /** Resolves when the removal under way has ended. */
  close(): Promise<void>
}

export interface RetentionParts {
  readonly deliveries: Pick<DeliveryStore, 'purge'>
  readonly clock: Clock
  /** False while the machine's clock is not to be trusted: nothing is removed. */
  readonly mayForget: () => boolean
  readonly log: Log
}

export const DELIVERY_DAYS = 30
const LOOK_EVERY_MS = 3_600_000
/** Deliveries removed at once; a dozen small commits each. */
export const PURGE_BATCH = 100

/** Looks at once, and then every hour. */
export function startRetention({ deliveries, clock, mayForget, log }: RetentionParts): Retention {
  let isClosed = false
  let wake: () => void = () => {}
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      timer.unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const purge = async () => {
    const beforeMs = clock() - DELIVERY_DAYS * DAY_MS
    let removed = 0
    while (!isClosed && mayForget()) {
      const startedMs = performance.now()
      const count = await deliveries.purge(beforeMs, PURGE_BATCH)
      removed += count
      if (count < PURGE_BATCH) break
      // Three quarters of the time belong to others.
      await pause(3 * (performance.now() - startedMs))
    }
    if (removed > 0) log.info('retention.purged', { deliveries: removed, olderThanDays: DELIVERY_DAYS })
  }

  const loop = async () => {
    while (!isClosed) {
      await purge().catch((error: unknown) => log.error('retention.failed', { error }))
      if (!isClosed) await pause(LOOK_EVERY_MS)
    }
  }
  const running = loop()

  return {
    kick: () => wake(),
    async close() {
      isClosed = true
      wake()
      await running
    },
  }
}
