import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import type { Backlog } from './backlog.ts'
import type { Gate } from './gate.ts'
import type { InFlight } from './in-flight.ts'
import type { OpenDeliveries } from './open-deliveries.ts'
import type { RunnerStats } from './runner-parts.ts'

/** How delivery stands, as people and metrics see it. Users beyond those in memory are not counted. */
export function healthOf(
  destinationId: DestinationId,
  { backlog, open, gate }: { readonly backlog: Backlog; readonly open: OpenDeliveries; readonly gate: Gate },
): DestinationHealth {
  const waiting = [backlog.oldestMs(), open.oldestMs()].filter((ms) => ms !== undefined)
  return {
    destinationId,
    ...gate.health(),
    waitingUsers: backlog.size,
    moreOnDisk: backlog.moreOnDisk,
    openMessages: open.size,
    oldestWaitingMs: waiting.length === 0 ? undefined : Math.min(...waiting),
  }
}

/** Of a destination that nothing was ever sent to since the start. */
export function untouchedHealth(destinationId: DestinationId): DestinationHealth {
  return {
    destinationId,
    breaker: 'closed',
    paused: undefined,
    waitingUsers: 0,
    moreOnDisk: false,
    openMessages: 0,
    oldestWaitingMs: undefined,
    failuresInRow: 0,
    lastFailure: undefined,
    lastSuccessMs: undefined,
  }
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
