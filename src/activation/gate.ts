import { RETRY_AFTER_MS_MAX } from '../lib/retry-after.ts'
import type { DestinationHealth, PauseReason, Uncounted } from '../model/delivery.ts'
import { DAY_MS } from '../model/time.ts'
import type { DestinationState } from '../store/destination-states.ts'
import { Breaker, type Verdict } from './breaker.ts'
import { faultOf, type Outcome } from './classify.ts'
import type { DestinationRule } from './destination-rules.ts'
import { Pace } from './pace.ts'
import type { RunnerParts } from './runner-parts.ts'

/** Leave to start one request. */
export type Pass = 'any' | 'probe'

/** A request that may start, and whether it was sent. */
export interface Ticket {
  readonly pass: Pass
  isUsed: boolean
  /** Its outcome is decided: another one may start, while the rest of its answer is read. */
  readonly decided: () => void
}

export type GateHealth = Pick<
  DestinationHealth,
  | 'breaker'
  | 'paused'
  | 'failuresInRow'
  | 'lastFailure'
  | 'lastSuccessMs'
  | 'refusedInRow'
  | 'refusingSinceMs'
  | 'askedToWaitUntilMs'
>

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
  #refusedInRow: number
  #refusingSinceMs: number | undefined
  #probeAtMs: number | undefined
  #lastFailure: DestinationHealth['lastFailure']
  #lastSuccessMs: number | undefined
  #holdUntilMs: number | undefined
  /** The part of it that the partner asked for. */
  #askedUntilMs: number | undefined
  #keyRemovedAtMs: number | undefined
  #savedAtMs: number | undefined
  #isUnsaved = false
  #destination: DestinationRule | undefined

  constructor(options: GateOptions) {
    this.#options = options
    const { parts, onReady } = options
    const stored = isOfAnother(options.stored, options.destination) ? undefined : options.stored
    this.#breaker = new Breaker(parts.after, onReady, stored)
    this.#pace = new Pace(parts.after, onReady)
    this.#destination = options.destination
    this.#paused = stored?.paused
    this.#failuresInRow = stored?.failuresInRow ?? 0
    this.#failingSinceMs = stored?.failingSinceMs
    this.#refusedInRow = stored?.refusedInRow ?? 0
    this.#refusingSinceMs = stored?.refusingSinceMs
    if (stored?.isOpen === true) this.#probeAtMs = parts.clock() + this.#breaker.probeWaitMs
    this.#lastFailure = stored?.lastFailure
    this.#lastSuccessMs = stored?.lastSuccessMs
    this.#keyRemovedAtMs = stored?.keyRemovedAtMs
    const holdUntilMs = stored?.holdUntilMs ?? 0
    // The clock may have been ahead when it was stored [SEC-91]: no longer than was asked for at the last failure.
    const askedMs = holdUntilMs - (stored?.lastFailure?.atMs ?? Number.NEGATIVE_INFINITY)
    const holdMs = Math.min(holdUntilMs - parts.clock(), askedMs, RETRY_AFTER_MS_MAX)
    if (holdMs > 0) {
      this.#holdUntilMs = parts.clock() + holdMs
      if (stored?.isHoldAsked === true) this.#askedUntilMs = this.#holdUntilMs
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
    if (outcome.status === 'unauthenticated') return 'no_token'
    if (config.mode === 'compat' || (outcome.status !== 'failed' && outcome.status !== 'unknown')) return undefined
    if (pass === 'probe') return 'probe'
    const fault = faultOf(outcome)
    if (fault === 'gone') return 'gone'
    const isRefused = fault === 'unauthorized' || fault === 'forbidden'
    const sinceMs = this.#options.parts.clock() - (this.#keyRemovedAtMs ?? Number.NEGATIVE_INFINITY)
    return isRefused && sinceMs >= 0 && sinceMs < KEY_GRACE_MS ? 'key_rotation' : undefined
  }

  /** Takes note of an answer. @returns true when the destination is back: what waits can go */
  record(outcome: Outcome, pass: Pass, destination: DestinationRule): boolean {
    const verdict = verdictOf(outcome)
    const nowMs = this.#options.parts.clock()
    const wasRefusing = this.#refusedInRow > 0
    this.#note(outcome, nowMs)
    if (verdict === undefined || outcome.status === 'stopped') {
      this.unused(pass)
      return false
    }
    this.#count(verdict, nowMs)
    let change: ReturnType<Breaker['record']>
    if (destination.config.mode === 'durable') {
      change = this.#breaker.record(verdict, pass === 'probe', nowMs)
      if (this.#breaker.state === 'open' && (pass === 'probe' || change === 'opened'))
        this.#probeAtMs = nowMs + this.#breaker.probeWaitMs
      if (verdict === 'success') this.#pace.succeeded(this.#options.parts.limits.concurrency)
      this.#obey(outcome, nowMs)
    }
    const isStale = Math.abs(nowMs - (this.#savedAtMs ?? 0)) >= SAVE_EVERY_MS
    if (change !== undefined || (isStale && (wasRefusing || verdict !== 'success'))) this.#save()
    return change === 'closed'
  }

  /** By an operator, or because it is gone, only fails, or fills its disk share [SEC-44]. */
  pause(reason: PauseReason): void {
    if (this.#paused !== undefined && reason !== 'operator') return
    this.#paused = { reason, atMs: this.#options.parts.clock() }
    if (reason !== 'operator') this.#options.onPaused(reason)
    this.#save()
  }

  /** By an operator: everything begins anew, but that the last answers were refusals stays true until one is not. */
  resume(): void {
    this.#begin()
    this.#save()
  }

  /** Of a destination that was deleted: one that gets its id later begins with nothing of it. */
  forget(): void {
    this.#begin()
    this.#refusedInRow = 0
    this.#refusingSinceMs = undefined
    this.#lastFailure = undefined
    this.#lastSuccessMs = undefined
    this.#keyRemovedAtMs = undefined
    this.#savedAtMs = undefined
    this.#isUnsaved = false
  }

  /**
   * The settings changed: the removal of the old key of two begins an hour of patience [SEC-54].
   * @returns whether this is another destination, which got the id of one that was deleted: everything begins anew
   */
  configChanged(after: DestinationRule | undefined): boolean {
    const before = this.#destination
    this.#destination = after
    if (before !== undefined && after !== undefined && before.createdAtMs !== after.createdAtMs) {
      this.forget()
      this.#save()
      return true
    }
    if (before?.config.auth.type !== 'hmac' || after?.config.auth.type !== 'hmac') return false
    const [old, next] = before.config.auth.keys
    const [only, second] = after.config.auth.keys
    if (next === undefined || second !== undefined || only?.key !== next.key || old?.key === next.key) return false
    this.#keyRemovedAtMs = this.#options.parts.clock()
    this.#save()
    return false
  }

  /** Something happened since that a stop would forget. */
  get isUnsaved(): boolean {
    return this.#isUnsaved
  }

  state(): DestinationState {
    return {
      isOpen: this.#breaker.state !== 'closed',
      probeWaitMs: this.#breaker.probeWaitMs,
      paused: this.#paused,
      failuresInRow: this.#failuresInRow,
      refusedInRow: this.#refusedInRow,
      refusingSinceMs: this.#refusingSinceMs,
      createdAtMs: this.#destination?.createdAtMs,
      failingSinceMs: this.#failingSinceMs,
      lastFailure: this.#lastFailure,
      lastSuccessMs: this.#lastSuccessMs,
      holdUntilMs: this.#holdUntilMs,
      isHoldAsked: this.#askedUntilMs !== undefined,
      keyRemovedAtMs: this.#keyRemovedAtMs,
    }
  }

  health(): GateHealth {
    return {
      breaker: this.#breaker.state,
      paused: this.#paused,
      failuresInRow: this.#failuresInRow,
      lastFailure: this.#lastFailure,
      lastSuccessMs: this.#lastSuccessMs,
      refusedInRow: this.#refusedInRow,
      refusingSinceMs: this.#refusingSinceMs,
      askedToWaitUntilMs: (this.#askedUntilMs ?? 0) > this.#options.parts.clock() ? this.#askedUntilMs : undefined,
    }
  }

  /** Nothing is tried before: the next probe, or the end of a silence that was asked for; undefined: it may be now. */
  notBeforeMs(): number | undefined {
    const nowMs = this.#options.parts.clock()
    const waits = [this.#breaker.state === 'closed' ? undefined : this.#probeAtMs, this.#holdUntilMs]
    const later = waits.filter((ms) => ms !== undefined && ms > nowMs) as number[]
    return later.length === 0 ? undefined : Math.max(...later)
  }

  close(): void {
    this.#breaker.close()
    this.#pace.close()
  }

  #begin(): void {
    this.#paused = undefined
    this.#failuresInRow = 0
    this.#failingSinceMs = undefined
    this.#probeAtMs = undefined
    this.#holdUntilMs = undefined
    this.#askedUntilMs = undefined
    this.#breaker.reset()
    this.#pace.reset()
  }

  /** What people are told: every attempt counts that was not accepted, whoever is at fault. */
  #note(outcome: Outcome, nowMs: number): void {
    if (outcome.status === 'stopped') return
    this.#isUnsaved ||= outcome.status !== 'acknowledged' || this.#refusedInRow > 0
    if (outcome.status === 'acknowledged') {
      this.#lastSuccessMs = nowMs
      this.#refusedInRow = 0
      this.#refusingSinceMs = undefined
    } else {
      this.#refusedInRow += 1
      this.#refusingSinceMs ??= nowMs
      this.#lastFailure = { reason: outcome.reason, atMs: nowMs }
    }
  }

  #count(verdict: Verdict, nowMs: number): void {
    if (verdict === 'failure') {
      this.#failuresInRow += 1
      this.#failingSinceMs ??= nowMs
    } else {
      this.#failuresInRow = 0
      this.#failingSinceMs = undefined
    }
  }

  #obey(outcome: Outcome, nowMs: number): void {
    const fault = outcome.status === 'failed' ? faultOf(outcome) : undefined
    if (fault === 'gone') this.pause('gone')
    if (outcome.status === 'failed' && fault === 'busy') {
      const waitMs = this.#pace.slowDown(outcome.retryAfterMs, Math.max(0, (this.#holdUntilMs ?? 0) - nowMs))
      if (waitMs !== undefined) {
        this.#holdUntilMs = nowMs + waitMs
        const isAsked = outcome.retryAfterMs !== undefined && outcome.retryAfterMs >= waitMs
        this.#askedUntilMs = isAsked ? this.#holdUntilMs : undefined
      }
      if ((waitMs ?? 0) >= SAVE_EVERY_MS) this.#save()
    }
    const failingMs = nowMs - (this.#failingSinceMs ?? nowMs)
    if (failingMs >= FAILING_MS_MAX && this.#failuresInRow >= FAILING_COUNT_MIN) this.pause('failing')
  }

  #save(): void {
    this.#isUnsaved = false
    this.#savedAtMs = this.#options.parts.clock()
    this.#options.onChanged()
  }
}

/** The destination that the state is of was deleted, and this one got its id. */
function isOfAnother(state: DestinationState | undefined, destination: DestinationRule | undefined): boolean {
  if (state?.createdAtMs === undefined || destination?.createdAtMs === undefined) return false
  return state.createdAtMs !== destination.createdAtMs
}

/** A refused message says nothing of the others; a blocked address is ours. */
function verdictOf(outcome: Outcome): Verdict | undefined {
  if (outcome.status === 'acknowledged') return 'success'
  if (outcome.status === 'unauthenticated') return 'failure'
  if (outcome.status !== 'failed' && outcome.status !== 'unknown') return undefined
  const fault = faultOf(outcome)
  return fault === 'message' || fault === 'record' ? 'alive' : 'failure'
}
