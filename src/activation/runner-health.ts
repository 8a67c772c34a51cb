import type { DestinationHealth } from '../model/delivery.ts'
import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { Backlog } from './backlog.ts'
import type { DestinationRule } from './destination-rules.ts'
import type { Gate } from './gate.ts'
import type { InFlight } from './in-flight.ts'
import type { OpenDeliveries } from './open-deliveries.ts'
import type { RunnerStats } from './runner-parts.ts'

/** What a destination is owed, and whether it may be sent now. */
export interface Queue {
  readonly backlog: Backlog
  readonly open: OpenDeliveries
  readonly gate: Gate
  readonly inFlight: InFlight
  /** Fresh messages wait while so many are on their way. */
  readonly openMax: number
}

/** How delivery stands, as people and metrics see it. Users beyond those in memory are not counted. */
export function healthOf(
  destinationId: DestinationId,
  rule: DestinationRule | undefined,
  queue: Queue,
): DestinationHealth {
  const { backlog, open, gate, inFlight } = queue
  const waiting = [backlog.oldestMs(), open.oldestMs()].filter((ms) => ms !== undefined)
  const standing = gate.health()
  return {
    destinationId,
    ...standing,
    ...settingsOf(rule),
    waitingUsers: backlog.size + inFlight.size,
    moreOnDisk: backlog.moreOnDisk,
    openMessages: open.size,
    oldestWaitingMs: waiting.length === 0 ? undefined : Math.min(...waiting),
    refusedMessages: open.count('retrying') + open.count('blocked'),
    nextAttemptMs: isStopped(rule, gate) ? undefined : nextAttemptMs(queue),
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

/**
 * When anything is tried next. What is due, or has no message yet, waits for the gate only; the rest for its time too. A
 * probe does not wait for the time of its message. Undefined: nothing waits, or it goes out now.
 */
function nextAttemptMs({ backlog, open, gate, openMax }: Queue): number | undefined {
  if (backlog.size === 0 && !open.hasWaiting) return undefined
  const heldMs = gate.notBeforeMs()
  const hasReady = open.hasDue || (backlog.size > 0 && open.size < openMax)
  if (hasReady || gate.health().breaker !== 'closed') return heldMs
  return laterOf(open.nextAttemptMs(), heldMs)
}

const isStopped = (rule: DestinationRule | undefined, gate: Gate) => gate.isPaused || rule?.isActive !== true

/**
 * When one message on its way is tried next; undefined: it is being sent, nothing is, or another one must arrive before it.
 */
export function attemptMsOf(
  rule: DestinationRule | undefined,
  deliveryId: DeliveryId,
  { open, gate }: Queue,
): number | undefined {
  const atMs = open.waitsUntilMs(deliveryId)
  if (atMs === undefined || isStopped(rule, gate)) return undefined
  if (gate.health().breaker === 'closed') return laterOf(atMs, gate.notBeforeMs())
  const probeMs = gate.notBeforeMs()
  return open.probe(probeMs)?.deliveryId === deliveryId ? probeMs : undefined
}

const laterOf = (aMs: number | undefined, bMs: number | undefined) =>
  aMs === undefined ? bMs : Math.max(aMs, bMs ?? 0)

/** Messages on their way that tell of a user. */
export function openOf(profileId: ProfileId, { inFlight, open }: Queue): readonly StoredDelivery[] {
  return inFlight.has(profileId) ? open.ofProfile(profileId) : []
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
