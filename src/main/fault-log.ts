import type { Log } from '../lib/log.ts'
import { StoreUnavailableError } from '../store/record-store.ts'

const SAID_AGAIN_MS = 60_000

/**
 * Tells of calls that failed. What keeps the store from taking any of them is told once a minute with how many it were, not
 * for each of thousands a second; everything else with its stack.
 */
export function openFaultLog(log: Log, elapsedMs = () => performance.now()): (error: unknown, eventId: string) => void {
  const refused = new Map<string, { calls: number; saidMs: number }>()
  return (error, eventId) => {
    if (!(error instanceof StoreUnavailableError)) return log.error('event.fault', { error, eventId })
    const nowMs = elapsedMs()
    const known = refused.get(error.message) ?? { calls: 0, saidMs: Number.NEGATIVE_INFINITY }
    known.calls += 1
    refused.set(error.message, known)
    if (nowMs - known.saidMs < SAID_AGAIN_MS) return
    log.error('event.refused', { reason: error.message, calls: known.calls, eventId, cause: error.cause })
    known.calls = 0
    known.saidMs = nowMs
  }
}
