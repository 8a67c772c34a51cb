import type { DestinationHealth } from '../model/delivery.ts'

/**
 * How delivery to a destination stands, in one word, worst first. `unusable`: its stored settings cannot be used. `paused`: by
 * its reason. `stopped`: the circuit breaker is open, nothing is tried but a probe. `failing`: the last attempt was not
 * accepted. `partial`: the last one was, others wait to be tried again. `behind`: it answers, and does not keep up.
 * `inactive`: an operator set it to INACTIVE. `delivering`: none of these.
 */
export const STANDINGS = [
  'unusable',
  'paused',
  'stopped',
  'failing',
  'partial',
  'behind',
  'inactive',
  'delivering',
] as const
export type StandingState = (typeof STANDINGS)[number]

/** The one reading of an outage: card, dialogue, ledger, flow, headline and health API all say this. */
export interface Standing {
  readonly state: StandingState
  /** Why: of a pause, of settings, or of the last attempt that was not accepted. */
  readonly reason: string | null
  readonly sinceMs: number | null
  /** When something is tried next, while it takes nothing. */
  readonly nextAttemptMs: number | null
}

/** Messages that have waited longer than this at a destination that answers are a backlog. */
const BEHIND_MS = 5 * 60_000
/** What an operator did is known to them: behind what nobody did on purpose. */
const OPERATOR_RANK = STANDINGS.indexOf('partial') - 0.5

export function standingOf(health: DestinationHealth, nowMs: number): Standing {
  const { unusable, isActive, paused, breaker, refusedInRow, refusedMessages, oldestWaitingMs = nowMs } = health
  // Where messages go out, there is no next try to wait for.
  const isTaking = breaker === 'closed' && refusedInRow === 0
  const nextAttemptMs = isTaking || health.nextAttemptMs === undefined ? null : Math.max(nowMs, health.nextAttemptMs)
  const says = (state: StandingState, reason: string | null, sinceMs: number | undefined): Standing => ({
    state,
    reason,
    sinceMs: sinceMs ?? null,
    nextAttemptMs,
  })
  const failure = health.lastFailure?.reason ?? null
  const failingSinceMs = health.refusingSinceMs ?? health.lastFailure?.atMs
  if (unusable !== undefined) return says('unusable', unusable, undefined)
  if (paused !== undefined) return says('paused', paused.reason, paused.atMs)
  if (!isActive) return says('inactive', null, undefined)
  if (breaker !== 'closed') return says('stopped', failure, failingSinceMs)
  if (refusedInRow > 0) return says('failing', failure, failingSinceMs)
  if (refusedMessages > 0) return says('partial', failure, health.lastFailure?.atMs)
  if (nowMs - oldestWaitingMs >= BEHIND_MS) return says('behind', null, oldestWaitingMs)
  return says('delivering', null, undefined)
}

/** The smaller, the worse. */
export function rankOf({ state, reason }: Pick<Standing, 'state' | 'reason'>): number {
  return state === 'paused' && reason === 'operator' ? OPERATOR_RANK : STANDINGS.indexOf(state)
}

/** Nothing of what is owed reaches it now: it counts as not accepted. */
export function isOut(state: StandingState): boolean {
  return state === 'unusable' || state === 'paused' || state === 'stopped' || state === 'failing'
}
