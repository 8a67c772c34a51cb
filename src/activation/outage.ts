import type { Outcome } from './classify.ts'
import { BODY_STATUSES } from './policy.ts'
import type { After } from './runner-parts.ts'

/** So many failures in a row are the destination's fault, not a message's [SEC-47]. */
const OUTAGE_FAILURES = 20
const PROBE_WAIT_MS_MIN = 5_000
const PROBE_WAIT_MS_MAX = 300_000

/**
 * Notices that a destination is back. Its failed messages wait for hours; while they take up all room, now and then a
 * fresh one may go beyond the bound, at rising intervals, so that a dead destination stays bounded. The first that is
 * acknowledged after a row of failures ends the outage. Source: security.md SEC-44, SEC-47, SEC-49.
 */
export class Outage {
  readonly #after: After
  readonly #failuresMin: number
  #failuresInRow = 0
  #probeWaitMs = PROBE_WAIT_MS_MIN
  #isProbeDue = false
  #cancelProbe: (() => void) | undefined

  /** @param openMax how many messages may be on their way: all of them failing is an outage, too */
  constructor(after: After, openMax: number) {
    this.#after = after
    this.#failuresMin = Math.min(OUTAGE_FAILURES, openMax)
  }

  /** @returns true when this answer ends an outage: what waits can go */
  isEndedBy(outcome: Outcome): boolean {
    if (outcome.status !== 'acknowledged') {
      if (isFaultOfDestination(outcome)) this.#failuresInRow += 1
      return false
    }
    const isEnd = this.#failuresInRow >= this.#failuresMin
    this.#failuresInRow = 0
    this.#probeWaitMs = PROBE_WAIT_MS_MIN
    return isEnd
  }

  /** May a message go beyond the bound? If not, `onDue` is told when one may. */
  mayProbe(onDue: () => void): boolean {
    if (this.#isProbeDue) return true
    this.#cancelProbe ??= this.#after(this.#probeWaitMs, () => {
      this.#cancelProbe = undefined
      this.#isProbeDue = true
      onDue()
    })
    return false
  }

  /** A message went beyond the bound. */
  probed(): void {
    this.#isProbeDue = false
    this.#probeWaitMs = Math.min(2 * this.#probeWaitMs, PROBE_WAIT_MS_MAX)
  }

  close(): void {
    this.#cancelProbe?.()
  }
}

/** A refused body says nothing of the others; a blocked address is ours. */
function isFaultOfDestination(outcome: Exclude<Outcome, { status: 'acknowledged' }>): boolean {
  if (outcome.status === 'unauthenticated') return true
  if (outcome.status !== 'failed' && outcome.status !== 'unknown') return false
  return outcome.httpStatus === null || !BODY_STATUSES.includes(outcome.httpStatus)
}
