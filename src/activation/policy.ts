import { faultOf, type Outcome } from './classify.ts'
import type { RunnerSettings } from './destinations/runner-settings.ts'

/** What happens to a delivery after an attempt. */
export type NextStep =
  | { readonly status: 'acknowledged' }
  | { readonly status: 'dead'; readonly reason: string; readonly aamWouldDrop: boolean }
  | { readonly status: 'retrying' | 'blocked'; readonly reason: string; readonly waitMs: number }

export interface PolicyInput {
  readonly config: Pick<RunnerSettings, 'mode' | 'auth'>
  readonly outcome: Exclude<Outcome, { status: 'stopped' }>
  /** Attempts that count, this one included when it does. */
  readonly attempts: number
  /** The attempt before was turned away for its token, too. */
  readonly wasUnauthorized: boolean
  /** Fetches of an access token that failed in a row. */
  readonly tokenFailures: number
  readonly compatRetryWaitMs: number
  /** It uses up none of its attempts: it is repeated after a minute. */
  readonly isUncounted: boolean
  /** 0 to 1, for the jitter. */
  readonly random: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** After the first, second, ... failed attempt [SEC-46]. */
export const DURABLE_WAITS_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]
const JITTER = 0.2
/** No repetition waits for longer, whatever the clock of the machine was when it was planned [SEC-91]. */
export const RETRY_WAIT_MS_MAX = 24 * HOUR * (1 + JITTER)
const COMPAT_ATTEMPTS_MAX = 2
/** Of a message that is at fault, not the wire. */
const BODY_ATTEMPTS_MAX = 3
const BLOCKED_WAIT_MS = 5 * MINUTE
const UNCOUNTED_WAIT_MS = MINUTE
const TOKEN_WAIT_MS_MIN = 5 * SECOND
const TOKEN_WAIT_MS_MAX = 5 * MINUTE

/**
 * `compat`: one repetition, then the dead letters, where AAM would drop it. `durable`: ten attempts in about three days.
 * A refused token is fetched anew and the message repeated at once, the first time.
 * Source: outbound.md OUT-23, OUT-83, OUT-84; security.md SEC-45, SEC-46, SEC-55.
 */
export function nextStep(input: PolicyInput): NextStep {
  const { config, outcome, attempts } = input
  const isCompat = config.mode === 'compat'
  if (outcome.status === 'acknowledged') return { status: 'acknowledged' }
  if (outcome.status === 'blocked') return { status: 'blocked', reason: outcome.reason, waitMs: BLOCKED_WAIT_MS }
  if (outcome.status === 'unauthenticated') {
    if (isCompat) return { status: 'dead', reason: 'authentication_failed', aamWouldDrop: true }
    const waitMs = Math.min(TOKEN_WAIT_MS_MIN * 2 ** Math.max(0, input.tokenFailures - 1), TOKEN_WAIT_MS_MAX)
    return { status: 'retrying', reason: 'authentication_failed', waitMs: Math.max(waitMs, outcome.retryAfterMs ?? 0) }
  }

  const { reason, retryAfterMs = 0 } = outcome
  const fault = faultOf(outcome)
  const isStaleToken = fault === 'unauthorized' && config.auth.type === 'oauth2' && !input.wasUnauthorized
  if (isCompat) {
    if (attempts >= COMPAT_ATTEMPTS_MAX) return { status: 'dead', reason, aamWouldDrop: true }
    return { status: 'retrying', reason, waitMs: isStaleToken ? 0 : input.compatRetryWaitMs }
  }
  if (input.isUncounted) return { status: 'retrying', reason, waitMs: Math.max(UNCOUNTED_WAIT_MS, retryAfterMs) }
  const isBodyAtFault = fault === 'message' || fault === 'record'
  const scheduledMs = DURABLE_WAITS_MS[attempts - 1]
  if (scheduledMs === undefined || (isBodyAtFault && attempts >= BODY_ATTEMPTS_MAX))
    return { status: 'dead', reason, aamWouldDrop: false }
  if (isStaleToken) return { status: 'retrying', reason, waitMs: retryAfterMs }
  const jittered = Math.round(scheduledMs * (1 - JITTER + 2 * JITTER * input.random))
  return { status: 'retrying', reason, waitMs: Math.max(jittered, retryAfterMs) }
}
