import type { Log } from '../lib/log.ts'
import type { Clock } from '../model/clock.ts'
import type { DestinationId } from '../model/ids.ts'
import { DAY_MS } from '../model/time.ts'
import type { DeliveryPlace } from '../store/delivery-keys.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import type { DiskShares } from './disk-share.ts'

/**
 * Forgets what was kept long enough: ended deliveries, dead letters among them, after 30 days (1 to 90) [SEC-48], [SEC-82];
 * and makes destinations keep to their share of the disk [SEC-44].
 */
export interface Retention {
  /** Looks again now: the clock was moved, or the disk became low [SEC-61]. */
  kick(): void
  /** Resolves when the removal under way has ended. */
  close(): Promise<void>
}

export interface RetentionParts {
  readonly deliveries: Pick<DeliveryStore, 'purge' | 'reclaim'>
  readonly historyDays: number
  readonly shares: Pick<DiskShares, 'look'>
  readonly destinations: () => Iterable<DestinationId>
  /** What was removed is given back to the device at once, and not whenever the store comes to it. */
  readonly isDiskLow: () => boolean
  readonly clock: Clock
  /** False while the machine's clock is not to be trusted: nothing is removed by age. */
  readonly mayForget: () => boolean
  readonly log: Log
}

/** A fast destination fills its share within an hour. */
const LOOK_EVERY_MS = 60_000
/** By age it is looked every hour. */
const LOOKS_PER_PURGE = 60
/** Deliveries looked at in one step; a dozen small commits for each that goes. */
export const PURGE_BATCH = 100

/** Looks at once; then at the shares every minute, and for what is old every hour. */
export function startRetention(parts: RetentionParts): Retention {
  const { deliveries, historyDays, shares, destinations, isDiskLow, clock, mayForget, log } = parts
  let isClosed = false
  let isKicked = false
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
  /** Three quarters of the time belong to others. */
  const rest = async (usedMs: number) => {
    if (!isClosed) await pause(3 * usedMs)
    return !isClosed
  }

  const purge = async () => {
    const beforeMs = clock() - historyDays * DAY_MS
    let removed = 0
    let next: DeliveryPlace | undefined
    while (!isClosed && mayForget()) {
      const startedMs = performance.now()
      const purged = await deliveries.purge(beforeMs, PURGE_BATCH, next)
      removed += purged.removed
      next = purged.next
      if (next === undefined) break
      await rest(performance.now() - startedMs)
    }
    if (removed === 0) return
    log.info('retention.purged', { deliveries: removed, olderThanDays: historyDays })
    if (isDiskLow()) for (const id of destinations()) if (!isClosed) await deliveries.reclaim(id, 0, beforeMs)
  }

  const loop = async () => {
    for (let look = 0; !isClosed; look++) {
      if (isKicked || look % LOOKS_PER_PURGE === 0) {
        isKicked = false
        await purge().catch((error: unknown) => log.error('retention.failed', { error }))
      }
      if (!isClosed) await shares.look(rest).catch((error: unknown) => log.error('disk_share.failed', { error }))
      if (!isClosed && !isKicked) await pause(LOOK_EVERY_MS)
    }
  }
  const running = loop()

  return {
    kick() {
      isKicked = true
      wake()
    },
    async close() {
      isClosed = true
      wake()
      await running
    },
  }
}
