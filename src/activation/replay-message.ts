import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { Backlog } from './backlog.ts'
import type { DestinationRule } from './destination-rules.ts'
import { storeEnding } from './ending.ts'
import type { InFlight } from './in-flight.ts'
import type { OpenDeliveries } from './open-deliveries.ts'
import { toldOf } from './read-round.ts'
import { hasLeft, isLatest, reopened } from './repetition.ts'
import type { ReplayNews, ReplayOrder } from './replay-order.ts'
import type { Begun } from './replays.ts'
import type { RunnerParts } from './runner-parts.ts'
import { sayToday, stillHolds, toldSince, usersOf, whyNot } from './said-today.ts'
import type { UntilStored } from './until-stored.ts'

/** What the runner of a destination lends to a replay. */
export interface ReplayGround {
  readonly destinationId: DestinationId
  readonly parts: Pick<RunnerParts, 'deliveries' | 'profiles' | 'rules' | 'clock' | 'limits' | 'tracker'>
  readonly inFlight: InFlight
  readonly backlog: Backlog
  readonly open: OpenDeliveries
  readonly untilStored: UntilStored
  readonly release: (profileId: ProfileId, isDue: boolean, replayOf?: DeliveryId) => void
  readonly pump: () => void
  readonly giveUp: (delivery: StoredDelivery) => Promise<void>
}

/** Of those that are owed; what is new goes first. */
const BACKLOG_MAX = 1_000

/**
 * Sends an ended delivery again. The very bytes, where its users were told nothing newer since and are owed nothing
 * [SEC-41], and what it says of them holds today; otherwise, and where it was asked for, a new message of the state of today, never the stale body [SEC-42]: of
 * each segment that the old one named it says what holds now, since what the partner believes of it is not known. A user
 * who left is told with Status 0 again; one whom a message told all of this since the replay was asked for is not told
 * once more. `outdated` says that these were not the bytes that were asked for.
 */
export async function beginReplay(
  ground: ReplayGround,
  delivery: StoredDelivery,
  replay: ReplayOrder,
  onEnded: (news: ReplayNews) => void,
): Promise<Begun> {
  const { parts, inFlight, backlog, open, release, destinationId } = ground
  const rule = parts.rules().byId.get(destinationId)
  if (rule === undefined || open.size >= parts.limits.openMax || backlog.size >= BACKLOG_MAX) return 'later'
  const profileIds = usersOf(delivery)
  if (profileIds.some((profileId) => inFlight.has(profileId))) return 'busy'
  // One that waits is taken out of the queue: no message of it is built while it is looked at.
  const wasQueued = profileIds.filter((profileId) => backlog.remove(profileId)).length > 0
  for (const profileId of profileIds) inFlight.hold(profileId)

  try {
    return await beginHeld(ground, rule, delivery, replay, { profileIds, wasQueued, onEnded })
  } catch (error) {
    // Nothing may keep them from the messages that they are owed.
    for (const profileId of profileIds) if (inFlight.has(profileId)) release(profileId, true)
    throw error
  }
}

async function beginHeld(
  ground: ReplayGround,
  rule: DestinationRule,
  delivery: StoredDelivery,
  replay: ReplayOrder,
  { profileIds, wasQueued, onEnded }: HeldUsers,
): Promise<Begun> {
  const { parts, inFlight, open, untilStored, release, destinationId } = ground
  const { deliveries, tracker } = parts
  const { as, replayId } = replay
  const found = await untilStored(() => deliveries.lookUp(destinationId, profileIds))
  const today = await untilStored(() => sayToday(parts, rule, delivery))
  const isNewest = isLatest(delivery, found) && !wasQueued && !profileIds.some((id) => inFlight.isNoted(id))
  if (as === 'same' && isNewest && stillHolds(delivery, rule, today)) {
    const again = reopened(delivery, replayId)
    await untilStored(() => deliveries.reopen(again))
    inFlight.add([again], toldOf(profileIds, found))
    tracker.same(again.deliveryId, onEnded)
    open.putDue(again)
    ground.pump()
    return { outcome: 'queued', sent: 'same', sentAs: [again.deliveryId] }
  }

  const already = await untilStored(() => toldSince(parts, delivery, found, replay))
  const tellable = today.filter(({ profileId, reason }) => reason === undefined && !already.has(profileId))
  for (const { profileId, told } of tellable) {
    const noted = { profileId, destinationId, revision: 0, told, delivery: undefined, release: false }
    await untilStored(() => deliveries.settle(noted))
    await untilStored(() => deliveries.owe(profileId, destinationId, parts.clock()))
  }
  const why = as === 'same' ? 'outdated' : null
  const isTold = new Set(tellable.map(({ profileId }) => profileId))
  const follow = { why, toldBy: [...new Set(already.values())] }
  if (isTold.size > 0 || already.size > 0) tracker.current(destinationId, [...isTold], follow, onEnded)
  for (const [at, profileId] of profileIds.entries()) {
    if (isTold.has(profileId)) release(profileId, true, delivery.deliveryId)
    else release(profileId, found[at]?.isOwed === true)
  }
  ground.pump()
  if (isTold.size + already.size === 0) return { outcome: 'not_sent', reason: whyNot(today, as) }
  return { outcome: 'queued', sent: 'current', reason: why }
}

interface HeldUsers {
  readonly profileIds: readonly ProfileId[]
  /** One of them waited for a message of its own. */
  readonly wasQueued: boolean
  readonly onEnded: (news: ReplayNews) => void
}

/**
 * Its replay was stopped. One that has not left since is what it was before; one that was tried is given up with the answer
 * it got; one that is being sent is looked at again after its answer.
 */
export async function recallReplay(ground: ReplayGround, deliveryId: DeliveryId): Promise<void> {
  const { parts, inFlight, open, untilStored, release } = ground
  const waiting = open.withdraw(deliveryId)
  if (waiting === undefined) return open.callOff(deliveryId)
  const { endedBefore } = waiting
  if (endedBefore === undefined) return open.putDue(waiting)
  if (hasLeft(waiting)) return ground.giveUp(waiting)
  const ended: StoredDelivery = { ...waiting, ...endedBefore, nextAttemptMs: 0 }
  const free = await storeEnding(parts, untilStored, inFlight, ended)
  open.remove(deliveryId)
  for (const { profileId, isDue } of free) release(profileId, isDue)
  parts.tracker.takenBack(deliveryId)
}
