import { manualTimers, NOW, until, type Workbench } from '../../src/activation/workbench.conformance.ts'
import type { DestinationHealth } from '../../src/model/delivery.ts'
import type { DestinationId } from '../../src/model/ids.ts'

export interface ManualTime {
  after(waitMs: number, run: () => void): () => void
  /** Of the timers that are set, shortest first. */
  waits(): number[]
  clock(): number
  advance(ms: number): void
}

/** Time that the timers of the dispatcher and its wall clock share; the network stays real. */
export function manualTime(): ManualTime {
  const timers = manualTimers()
  let nowMs = NOW
  return {
    after: timers.after,
    waits: timers.waits,
    clock: () => nowMs,
    advance(ms) {
      nowMs += ms
      timers.advance(ms)
    },
  }
}

/** Resolves when nothing is on its way to the destination: everything ended, or waits for its time. */
export function quiet(bench: Workbench, destinationId: DestinationId): Promise<void> {
  return until(() => {
    const stats = bench.dispatcher.stats().destinations.find((one) => one.destinationId === destinationId)
    return stats === undefined || (stats.sending === 0 && stats.busy === stats.open)
  })
}

/** Lets time go by, timer by timer, until something holds; each answer is awaited before the next. */
export async function advanceUntil(
  bench: Workbench,
  time: ManualTime,
  destinationId: DestinationId,
  holds: () => boolean,
): Promise<void> {
  for (;;) {
    await quiet(bench, destinationId)
    if (holds()) return
    const waitMs = time.waits()[0]
    if (waitMs === undefined) throw new Error('nothing waits any more, and it does not hold')
    time.advance(waitMs)
  }
}

export function healthOf(bench: Workbench, destinationId: DestinationId): DestinationHealth {
  const found = bench.dispatcher.health().find((one) => one.destinationId === destinationId)
  if (found === undefined) throw new Error(`destination ${destinationId} has no health`)
  return found
}
