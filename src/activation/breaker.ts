import type { DestinationState } from '../store/destination-states.ts'
import type { After } from './runner-parts.ts'

/** So many failures in a row are the destination's fault, not a message's [SEC-47]. */
const FAILURES_IN_ROW_MAX = 20
/** More than half of at least so many attempts within a minute. */
const SAMPLE_MIN = 100
const SAMPLE_MS = 60_000
const BUCKET_MS = 10_000
const PROBE_WAIT_MS_MIN = 5_000
const PROBE_WAIT_MS_MAX = 300_000

/** `alive`: it answered, and refused this body only. */
export type Verdict = 'success' | 'alive' | 'failure'

/**
 * Stops sending to a destination that only fails, and finds out when it is back: one probe at a time, at rising
 * intervals from 5 s to 5 min. Source: security.md SEC-47.
 */
export class Breaker {
  readonly #after: After
  readonly #onProbeDue: () => void
  #state: 'closed' | 'open' | 'half_open' = 'closed'
  #failuresInRow: number
  #probeWaitMs: number
  #isProbeDue = false
  #cancelProbe: (() => void) | undefined
  /** Attempts and failures of the last minute, in buckets of ten seconds, oldest first. */
  #buckets: { readonly start: number; total: number; failed: number }[] = []

  constructor(after: After, onProbeDue: () => void, stored?: DestinationState) {
    this.#after = after
    this.#onProbeDue = onProbeDue
    this.#failuresInRow = stored?.failuresInRow ?? 0
    this.#probeWaitMs = stored?.probeWaitMs ?? PROBE_WAIT_MS_MIN
    if (stored?.isOpen === true) this.#wait()
  }

  get state(): 'closed' | 'open' | 'half_open' {
    return this.#state
  }

  get failuresInRow(): number {
    return this.#failuresInRow
  }

  /** Until the next probe, while it is open. */
  get probeWaitMs(): number {
    return this.#probeWaitMs
  }

  /** `any`: send; `probe`: send one message and call `record` or `unused`; undefined: not now, `onProbeDue` is told when. */
  pass(): 'any' | 'probe' | undefined {
    if (this.#state === 'closed') return 'any'
    return this.#state === 'open' && this.#isProbeDue ? 'probe' : undefined
  }

  /** The probe is on its way. */
  probing(): void {
    this.#state = 'half_open'
    this.#isProbeDue = false
  }

  /** There was nothing to send after all: another message is the probe. */
  unused(): void {
    if (this.#state !== 'half_open') return
    this.#state = 'open'
    this.#isProbeDue = true
  }

  /**
   * Counts an answer. While it is open only the probe decides: what left before comes back late.
   * @returns what changed
   */
  record(verdict: Verdict, isProbe: boolean, nowMs: number): 'opened' | 'closed' | undefined {
    if (verdict === 'failure') this.#failuresInRow += 1
    else if (verdict === 'success' || isProbe) this.#failuresInRow = 0
    // A probe that left before everything began anew is an attempt like any other.
    if (isProbe && this.#state === 'half_open') {
      if (verdict !== 'failure') {
        this.reset()
        return 'closed'
      }
      this.#probeWaitMs = Math.min(2 * this.#probeWaitMs, PROBE_WAIT_MS_MAX)
      this.#wait()
      return undefined
    }
    if (this.#state !== 'closed') return undefined
    if (verdict !== 'alive') this.#sample(verdict === 'failure', nowMs)
    if (verdict !== 'failure' || !this.#isTooMuch()) return undefined
    this.#wait()
    return 'opened'
  }

  /** Closed, as if nothing had happened. */
  reset(): void {
    this.#state = 'closed'
    this.#failuresInRow = 0
    this.#probeWaitMs = PROBE_WAIT_MS_MIN
    this.#buckets = []
    this.close()
  }

  close(): void {
    this.#cancelProbe?.()
    this.#cancelProbe = undefined
    this.#isProbeDue = false
  }

  #wait(): void {
    this.close()
    this.#state = 'open'
    this.#cancelProbe = this.#after(this.#probeWaitMs, () => {
      this.#cancelProbe = undefined
      this.#isProbeDue = true
      this.#onProbeDue()
    })
  }

  #sample(isFailed: boolean, nowMs: number): void {
    const start = nowMs - (nowMs % BUCKET_MS)
    this.#buckets = this.#buckets.filter((bucket) => Math.abs(nowMs - bucket.start) < SAMPLE_MS)
    let last = this.#buckets.at(-1)
    if (last?.start !== start) {
      last = { start, total: 0, failed: 0 }
      this.#buckets.push(last)
    }
    last.total += 1
    if (isFailed) last.failed += 1
  }

  #isTooMuch(): boolean {
    if (this.#failuresInRow >= FAILURES_IN_ROW_MAX) return true
    const total = this.#buckets.reduce((sum, bucket) => sum + bucket.total, 0)
    const failed = this.#buckets.reduce((sum, bucket) => sum + bucket.failed, 0)
    return total >= SAMPLE_MIN && failed > total / 2
  }
}
