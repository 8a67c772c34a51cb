import type { DestinationHealth, PauseReason, Uncounted } from '../model/delivery.ts'
import { DAY_MS } from '../model/time.ts'
import type { DestinationState } from '../store/destination-states.ts'
import { Breaker, type Verdict } from './breaker.ts'
import { type Outcome, RETRY_AFTER_MS_MAX } from './classify.ts'
import type { DestinationRule } from './destination-rules.ts'
import { Pace } from './pace.ts'
import { BODY_STATUSES } from './policy.ts'
import type { RunnerParts } from './runner-parts.ts'

/** Leave to start one request. */
export type Pass = 'any' | 'probe'

/** A request that may start, and whether it was sent. */
export interface Ticket {
  readonly pass: Pass
  isUsed: boolean
}

export interface GateOptions {
  readonly parts: Pick<RunnerParts, 'after' | 'clock' | 'limits'>
  readonly stored: DestinationState | undefined
  /** As the rules are now. */
  readonly destination: DestinationRule | undefined
  /** A request may start that could not before. */
  readonly onReady: () => void
  /** `state()` is worth storing. */
  readonly onChanged: () => void
  /** Its owner should know. */
  readonly onPaused: (reason: Exclude<PauseReason, 'operator'>) => void
}

/** Ask the whole destination to be slower [SEC-46]. */
const SLOW_STATUSES = [429, 502, 503, 504]
const FAILING_MS_MAX = 5 * DAY_MS
/** Only failures means some: one that was idle between two is not given up. */
const FAILING_COUNT_MIN = 10
const KEY_GRACE_MS = 3_600_000
const SAVE_EVERY_MS = 60_000

/**
 * Whether a request to one destination may start now: it is not paused, its breaker lets it through, it did not ask for
 * silence, its rate limit has room. In `compat` only pause and rate limit count: there each message is tried twice,
 * come what may [OUT-23]. Source: security.md SEC-44, SEC-46, SEC-47, SEC-54.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #breaker: Breaker
  readonly #pace: Pace
  #paused: DestinationHealth['paused']
  #failuresInRow: number
  #failingSinceMs: number | undefined
  #lastFailure: DestinationHealth['lastFailure']
  #lastSuccessMs: number | undefined
  #holdUntilMs: number | undefined
  #keyRemovedAtMs: number | undefined
  #savedAtMs: number | undefined
  #destination: DestinationRule | undefined

  constructor(options: GateOptions) {
    this.#options = options
    const { stored, parts, onReady } = options
    this.#breaker = new Breaker(parts.after, onReady, stored)
    this.#pace = new Pace(parts.after, onReady)
    this.#destination = options.destination
    this.#paused = stored?.paused
    this.#failuresInRow = stored?.failuresInRow ?? 0
    this.#failingSinceMs = stored?.failingSinceMs
    this.#lastFailure = stored?.lastFailure
    this.#lastSuccessMs = stored?.lastSuccessMs
    this.#keyRemovedAtMs = stored?.keyRemovedAtMs
    const holdUntilMs = stored?.holdUntilMs ?? 0
    // The clock may have been ahead when it was stored [SEC-91]: no longer than was asked for at the last failure.
    const askedMs = holdUntilMs - (stored?.lastFailure?.atMs ?? Number.NEGATIVE_INFINITY)
    const holdMs = Math.min(holdUntilMs - parts.clock(), askedMs, RETRY_AFTER_MS_MAX)
    if (holdMs > 0) {
      this.#holdUntilMs = parts.clock() + holdMs
      this.#pace.hold(holdMs)
    }
  }

  get isPaused(): boolean {
    return this.#paused !== undefined
  }

  /** Requests at one time. */
  concurrency({ config }: DestinationRule): number {
    const limit = config.concurrency ?? this.#options.parts.limits.concurrency
    return config.mode === 'compat' ? limit : this.#pace.concurrency(limit)
  }

  /** @returns undefined: not now; `onReady` is told when */
  pass({ config }: DestinationRule): Pass | undefined {
    if (this.isPaused || !this.#pace.mayStart(config.requestsPerSecond)) return undefined
    return config.mode === 'compat' ? 'any' : this.#breaker.pass()
  }

  started(pass: Pass, { config }: DestinationRule): void {
    this.#pace.started(config.requestsPerSecond)
    if (pass === 'probe') this.#breaker.probing()
  }

  /** There was nothing to send after all. */
  unused(pass: Pass): void {
    this.#pace.unused()
    if (pass === 'probe') this.#breaker.unused()
  }

  /** Why an attempt with this outcome uses up none of those its mode allows, if so. */
  uncounted(outcome: Outcome, pass: Pass, { config }: DestinationRule): Uncounted | undefined {
    if (config.mode === 'compat' || (outcome.status !== 'failed' && outcome.status !== 'unknown')) return undefined
    if (pass === 'probe') return 'probe'
    if (outcome.httpStatus === 410) return 'gone'
    const isRefused = outcome.httpStatus === 401 || outcome.httpStatus === 403
    const sinceMs = this.#options.parts.clock() - (this.#keyRemovedAtMs ?? Number.NEGATIVE_INFINITY)
    return isRefused && sinceMs >= 0 && sinceMs < KEY_GRACE_MS ? 'key_rotation' : undefined
  }

  /** Takes note of an answer. @returns true when the destination is back: what waits can go */
  record(outcome: Outcome, pass: Pass, destination: DestinationRule): boolean {
    const verdict = verdictOf(outcome)
    if (verdict === undefined || outcome.status === 'stopped') {
      this.unused(pass)
      return false
    }
    const nowMs = this.#options.parts.clock()
    const wasFailing = this.#failingSinceMs !== undefined
    this.#count(outcome, verdict, nowMs)
    let change: ReturnType<Breaker['record']>
    if (destination.config.mode === 'durable') {
      change = this.#breaker.record(verdict, pass === 'probe', nowMs)
      if (verdict === 'success') this.#pace.succeeded(this.#options.parts.limits.concurrency)
      this.#obey(outcome, nowMs)
    }
    const isStale = Math.abs(nowMs - (this.#savedAtMs ?? 0)) >= SAVE_EVERY_MS
    if (change !== undefined || (isStale && (wasFailing || verdict === 'failure'))) this.#save()
    return change === 'closed'
  }

  /** By an operator, or because it is gone, only fails, or fills its disk share [SEC-44]. */
  pause(reason: PauseReason): void {
    if (this.#paused !== undefined && reason !== 'operator') return
    this.#paused = { reason, atMs: this.#options.parts.clock() }
    if (reason !== 'operator') this.#options.onPaused(reason)
    this.#save()
  }

  /** By an operator: everything begins anew. */
  resume(): void {
    this.#paused = undefined
    this.#failuresInRow = 0
    this.#failingSinceMs = undefined
    this.#holdUntilMs = undefined
    this.#breaker.reset()
    this.#pace.reset()
    this.#save()
  }

  /** The settings changed: the removal of the old key of two begins an hour of patience [SEC-54]. */
  configChanged(after: DestinationRule | undefined): void {
    const before = this.#destination
    this.#destination = after
    if (before?.config.auth.type !== 'hmac' || after?.config.auth.type !== 'hmac') return
    const [old, next] = before.config.auth.keys
    const [only, second] = after.config.auth.keys
    if (next === undefined || second !== undefined || only?.key !== next.key || old?.key === next.key) return
    this.#keyRemovedAtMs = this.#options.parts.clock()
    this.#save()
  }

  state(): DestinationState {
    return {
      isOpen: this.#breaker.state !== 'closed',
      probeWaitMs: this.#breaker.probeWaitMs,
      paused: this.#paused,
      failuresInRow: this.#failuresInRow,
      failingSinceMs: this.#failingSinceMs,
      lastFailure: this.#lastFailure,
      lastSuccessMs: this.#lastSuccessMs,
      holdUntilMs: this.#holdUntilMs,
      keyRemovedAtMs: this.#keyRemovedAtMs,
    }
  }

  health(): Pick<DestinationHealth, 'breaker' | 'paused' | 'failuresInRow' | 'lastFailure' | 'lastSuccessMs'> {
    return {
      breaker: this.#breaker.state,
      paused: this.#paused,
      failuresInRow: this.#failuresInRow,
      lastFailure: this.#lastFailure,
      lastSuccessMs: this.#lastSuccessMs,
    }
  }

  close(): void {
    this.#breaker.close()
    this.#pace.close()
  }

  #count(outcome: Outcome, verdict: Verdict, nowMs: number): void {
    if (verdict === 'success') this.#lastSuccessMs = nowMs
    if (verdict === 'failure') {
      this.#failuresInRow += 1
      this.#failingSinceMs ??= nowMs
    } else {
      this.#failuresInRow = 0
      this.#failingSinceMs = undefined
    }
    if ('reason' in outcome) this.#lastFailure = { reason: outcome.reason, atMs: nowMs }
  }

  #obey(outcome: Outcome, nowMs: number): void {
    if (outcome.status === 'failed' && outcome.httpStatus === 410) this.pause('gone')
    if (outcome.status === 'failed' && SLOW_STATUSES.includes(outcome.httpStatus ?? 0)) {
      const waitMs = this.#pace.slowDown(outcome.retryAfterMs)
      if (waitMs !== undefined) this.#holdUntilMs = nowMs + waitMs
      if ((waitMs ?? 0) >= SAVE_EVERY_MS) this.#save()
    }
    const failingMs = nowMs - (this.#failingSinceMs ?? nowMs)
    if (failingMs >= FAILING_MS_MAX && this.#failuresInRow >= FAILING_COUNT_MIN) this.pause('failing')
  }

  #save(): void {
    this.#savedAtMs = this.#options.parts.clock()
    this.#options.onChanged()
  }
}

/** A refused body says nothing of the others; a blocked address is ours. */
function verdictOf(outcome: Outcome): Verdict | undefined {
  if (outcome.status === 'acknowledged') return 'success'
  if (outcome.status === 'unauthenticated') return 'failure'
  if (outcome.status !== 'failed' && outcome.status !== 'unknown') return undefined
  return outcome.httpStatus !== null && BODY_STATUSES.includes(outcome.httpStatus) ? 'alive' : 'failure'
}
