import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import type { Backlog } from './backlog.ts'
import type { DestinationRule } from './destination-rules.ts'
import type { Gate } from './gate.ts'
import type { InFlight } from './in-flight.ts'
import type { OpenDeliveries } from './open-deliveries.ts'
import type { RunnerStats } from './runner-parts.ts'

/** How delivery stands, as people and metrics see it. Users beyond those in memory are not counted. */
export function healthOf(
  destinationId: DestinationId,
  rule: DestinationRule | undefined,
  { backlog, open, gate }: { readonly backlog: Backlog; readonly open: OpenDeliveries; readonly gate: Gate },
): DestinationHealth {
  const waiting = [backlog.oldestMs(), open.oldestMs()].filter((ms) => ms !== undefined)
  const standing = gate.health()
  const isStopped = standing.paused !== undefined || rule?.isActive !== true
  return {
    destinationId,
    ...standing,
    ...settingsOf(rule),
    waitingUsers: backlog.size,
    moreOnDisk: backlog.moreOnDisk,
    openMessages: open.size,
    oldestWaitingMs: waiting.length === 0 ? undefined : Math.min(...waiting),
    refusedMessages: open.count('retrying') + open.count('blocked'),
    nextAttemptMs: isStopped ? undefined : nextAttemptMs(backlog, open, gate),
  }
}

/** Of a destination that nothing was ever sent to since the start. */
export function untouchedHealth(destinationId: DestinationId, rule: DestinationRule | undefined): DestinationHealth {
  return {
    destinationId,
    ...settingsOf(rule),
    breaker: 'closed',
    paused: undefined,
    waitingUsers: 0,
    moreOnDisk: false,
    openMessages: 0,
    oldestWaitingMs: undefined,
    failuresInRow: 0,
    lastFailure: undefined,
    lastSuccessMs: undefined,
    refusedInRow: 0,
    refusingSinceMs: undefined,
    refusedMessages: 0,
    nextAttemptMs: undefined,
  }
}

/** One without real-time delivery is not in the rules, and none of its settings stop it. */
function settingsOf(rule: DestinationRule | undefined): Pick<DestinationHealth, 'isActive' | 'unusable'> {
  return { isActive: rule === undefined || rule.isActive || rule.unusable !== undefined, unusable: rule?.unusable }
}

/** A probe does not wait for the time of its message. */
function nextAttemptMs(backlog: Backlog, open: OpenDeliveries, gate: Gate): number | undefined {
  if (backlog.size === 0 && open.size === 0) return undefined
  const heldMs = gate.notBeforeMs()
  const retryMs = gate.health().breaker === 'closed' ? open.nextAttemptMs() : undefined
  return retryMs === undefined ? heldMs : Math.max(retryMs, heldMs ?? 0)
}

export function queueStats(
  backlog: Backlog,
  inFlight: InFlight,
  open: OpenDeliveries,
): Pick<RunnerStats, 'queued' | 'moreOnDisk' | 'busy' | 'open' | 'sending' | 'retrying' | 'blocked'> {
  return {
    queued: backlog.size,
    moreOnDisk: backlog.moreOnDisk,
    busy: inFlight.size,
    open: open.size,
    sending: open.count('sending'),
    retrying: open.count('retrying'),
    blocked: open.count('blocked'),
  }
}
