import type { Dispatcher } from '../activation/dispatcher.ts'
import type { DestinationId } from '../model/ids.ts'

/** What the figures need of the dispatcher. */
export type HealthSource = Pick<Dispatcher, 'stats' | 'health'>

/** Messages of one destination that have not ended. */
export interface OpenMessages {
  /** Built and not blocked, and the fewest that users without a message still need. */
  readonly waiting: number
  readonly sending: number
  readonly retrying: number
  readonly blocked: number
}

/** @param usersPerMessage of the destination; 1 where it is not known any more */
export function openMessagesOf(
  source: HealthSource | undefined,
  usersPerMessage: (destinationId: DestinationId) => number,
): ReadonlyMap<number, OpenMessages> {
  return new Map(
    (source?.stats().destinations ?? []).map(({ destinationId, queued, open, sending, retrying, blocked }) => {
      const unbuilt = Math.ceil(queued / usersPerMessage(destinationId))
      return [destinationId, { waiting: open - blocked + unbuilt, sending, retrying, blocked }]
    }),
  )
}

/** The gauges of [SEC-87] that delivery feeds. */
export function deliveryGauges(source: HealthSource | undefined, nowMs: () => number) {
  const health = () => source?.health() ?? []
  return {
    outboxMessages() {
      const sum = { waiting: 0, sending: 0, retrying: 0 }
      for (const { queued, sending, retrying } of source?.stats().destinations ?? []) {
        sum.waiting += queued
        sum.sending += sending
        sum.retrying += retrying
      }
      return sum
    },
    outboxOldestSeconds: () =>
      health().reduce(
        (oldest, { oldestWaitingMs = nowMs() }) => Math.max(oldest, (nowMs() - oldestWaitingMs) / 1000),
        0,
      ),
    breakerOpen: () => health().filter(({ breaker }) => breaker !== 'closed').length,
  }
}
