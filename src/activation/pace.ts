import type { After } from './runner-parts.ts'

/** Pauses after a destination said it is overloaded and named no time: doubled while it goes on saying so. */
const SLOW_WAIT_MS_MIN = 1_000
const SLOW_WAIT_MS_MAX = 60_000
const SLOTS_PER_SECOND_MAX = 10

/**
 * How fast a destination may be sent to: a rate limit of its operator, which only delays [SEC-44], and the slowing it
 * asked for itself by 429, 502, 503 or 504: a pause, then one request at a time, one more after each success [SEC-46].
 */
export class Pace {
  readonly #after: After
  readonly #onReady: () => void
  #cancelHold: (() => void) | undefined
  #slowWaitMs = SLOW_WAIT_MS_MIN
  /** Requests at one time while it is slowed. */
  #slowConcurrency = Number.POSITIVE_INFINITY
  #startedInSlot = 0
  #cancelSlot: (() => void) | undefined

  constructor(after: After, onReady: () => void) {
    this.#after = after
    this.#onReady = onReady
  }

  get isHeld(): boolean {
    return this.#cancelHold !== undefined
  }

  /** At most so many requests at one time. */
  concurrency(limit: number): number {
    return Math.min(limit, this.#slowConcurrency)
  }

  /** May a request start now? If not, `onReady` is told when. */
  mayStart(perSecond: number | undefined): boolean {
    if (this.isHeld) return false
    return perSecond === undefined || this.#startedInSlot < slotOf(perSecond).requests
  }

  /** A request starts. */
  started(perSecond: number | undefined): void {
    if (perSecond === undefined) return
    this.#startedInSlot += 1
    this.#cancelSlot ??= this.#after(slotOf(perSecond).ms, () => {
      this.#cancelSlot = undefined
      this.#startedInSlot = 0
      this.#onReady()
    })
  }

  /** It was not sent after all. */
  unused(): void {
    this.#startedInSlot = Math.max(0, this.#startedInSlot - 1)
  }

  /**
   * The destination is overloaded.
   * @param retryAfterMs what it asked for
   * @param heldMs what is left of the pause it has already
   * @returns the pause it gets from now on, if a new one
   */
  slowDown(retryAfterMs = 0, heldMs = 0): number | undefined {
    this.#slowConcurrency = 1
    // Several requests were on their way: together they are one sign.
    if (this.isHeld && retryAfterMs <= heldMs) return undefined
    const waitMs = Math.max(retryAfterMs, this.#slowWaitMs)
    this.#slowWaitMs = Math.min(2 * this.#slowWaitMs, SLOW_WAIT_MS_MAX)
    this.hold(waitMs)
    return waitMs
  }

  hold(waitMs: number): void {
    this.#cancelHold?.()
    this.#cancelHold = this.#after(waitMs, () => {
      this.#cancelHold = undefined
      this.#onReady()
    })
  }

  /** @param limit from where on it counts as no longer slowed */
  succeeded(limit: number): void {
    this.#slowWaitMs = SLOW_WAIT_MS_MIN
    if (this.#slowConcurrency < limit) this.#slowConcurrency += 1
    else this.#slowConcurrency = Number.POSITIVE_INFINITY
  }

  /** As if it had never been slowed. */
  reset(): void {
    this.#cancelHold?.()
    this.#cancelHold = undefined
    this.#slowWaitMs = SLOW_WAIT_MS_MIN
    this.#slowConcurrency = Number.POSITIVE_INFINITY
  }

  close(): void {
    this.#cancelHold?.()
    this.#cancelSlot?.()
  }
}

/** At most ten slots a second, so that a high rate needs few timers and a fraction of a request is not lost. */
function slotOf(perSecond: number): { readonly requests: number; readonly ms: number } {
  const requests = Math.max(1, Math.ceil(perSecond / SLOTS_PER_SECOND_MAX))
  return { requests, ms: (requests * 1000) / perSecond }
}
