import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { ToldState } from '../store/told-record.ts'
import type { Backlog } from './backlog.ts'
import type { DestinationRule } from './destination-rules.ts'
import { storeEnding } from './ending.ts'
import type { InFlight } from './in-flight.ts'
import type { OpenDeliveries } from './open-deliveries.ts'
import { readOptedOut } from './opted-out.ts'
import { toldOf } from './read-round.ts'
import { hasLeft, isLatest, reopened } from './repetition.ts'
import type { ReplayAs, ReplayNews } from './replay-order.ts'
import type { Begun } from './replays.ts'
import type { RunnerParts } from './runner-parts.ts'
import type { UntilStored } from './until-stored.ts'
import { buildUserEntries } from './user-entries.ts'

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
 * who left is told with Status 0 again. `outdated` says that these were not the bytes that were asked for.
 */
export async function beginReplay(
  ground: ReplayGround,
  delivery: StoredDelivery,
  as: ReplayAs,
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
    return await beginHeld(ground, rule, delivery, as, { profileIds, wasQueued, onEnded })
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
  as: ReplayAs,
  { profileIds, wasQueued, onEnded }: HeldUsers,
): Promise<Begun> {
  const { parts, inFlight, open, untilStored, release, destinationId } = ground
  const { deliveries, tracker } = parts
  const found = await untilStored(() => deliveries.lookUp(destinationId, profileIds))
  const today = await untilStored(() => sayToday(parts, rule, delivery))
  const isNewest = isLatest(delivery, found) && !wasQueued && !profileIds.some((id) => inFlight.isNoted(id))
  if (as === 'same' && isNewest && stillHolds(delivery, today)) {
    const again = reopened(delivery)
    await untilStored(() => deliveries.reopen(again))
    inFlight.add([again], toldOf(profileIds, found))
    tracker.same(again.deliveryId, onEnded)
    open.putDue(again)
    ground.pump()
    return { outcome: 'queued', sent: 'same', sentAs: [again.deliveryId] }
  }

  const tellable = today.filter(({ reason }) => reason === undefined)
  for (const { profileId, told } of tellable) {
    const noted = { profileId, destinationId, revision: 0, told, delivery: undefined, release: false }
    await untilStored(() => deliveries.settle(noted))
    await untilStored(() => deliveries.owe(profileId, destinationId, parts.clock()))
  }
  const why = as === 'same' ? 'outdated' : null
  const isTold = new Set(tellable.map(({ profileId }) => profileId))
  if (isTold.size > 0) tracker.current(destinationId, [...isTold], why, onEnded)
  for (const [at, profileId] of profileIds.entries()) {
    if (isTold.has(profileId)) release(profileId, true, delivery.deliveryId)
    else release(profileId, found[at]?.isOwed === true)
  }
  ground.pump()
  if (isTold.size === 0) return { outcome: 'not_sent', reason: whyNot(today, as) }
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

interface SaidToday {
  readonly profileId: ProfileId
  /** With all that the old message named. */
  readonly told: ToldState
  /** Segments that Status 1 would be told of. */
  readonly active: readonly number[]
  /** Undefined: there is something to tell. */
  readonly reason: NotSent | undefined
}

export type NotSent = 'nothing_to_tell' | 'no_unsegment' | 'no_partner_id' | 'no_profile'

/** What could be told today to the users of an ended delivery. @throws StoreUnavailableError safe to repeat */
export async function sayToday(
  { deliveries, profiles, rules, clock }: Pick<RunnerParts, 'deliveries' | 'profiles' | 'rules' | 'clock'>,
  destination: DestinationRule,
  delivery: StoredDelivery,
): Promise<readonly SaidToday[]> {
  const profileIds = usersOf(delivery)
  const [owed, found] = await Promise.all([
    deliveries.lookUp(destination.destinationId, profileIds),
    profiles.getMany(profileIds),
  ])
  const optedOut = await readOptedOut(profiles, destination, found)
  return profileIds.map((profileId, at) => {
    const told = toldBy(delivery, profileId, owed[at]?.told)
    const profile = found[at]
    if (profile === undefined) return { profileId, told, active: [], reason: 'no_profile' }
    const entries = buildUserEntries(rules(), destination, profile, told.active, clock(), optedOut)
    return { profileId, told, active: entries.active, reason: notSent(destination, entries.skipped) }
  })
}

/** It tells nobody to be in a segment who has left it, or to have left one who is in it. */
export function stillHolds({ users }: StoredDelivery, today: readonly SaidToday[]): boolean {
  const active = new Map(today.map((one) => [one.profileId, new Set(one.active)]))
  return users.every((user) => {
    const now = active.get(user.profileId)
    return user.active.every((sid) => now?.has(sid)) && !user.inactive.some((sid) => now?.has(sid))
  })
}

/** Why a replay of it sends nothing at all. */
export function whyNot(today: readonly SaidToday[], as: ReplayAs): string {
  const reason = today.find((one) => one.reason !== undefined)?.reason ?? 'nothing_to_tell'
  return as === 'same' && reason === 'nothing_to_tell' ? 'outdated' : reason
}

function usersOf({ users }: StoredDelivery): ProfileId[] {
  return [...new Set(users.map(({ profileId }) => profileId))]
}

function toldBy({ deliveryId, users }: StoredDelivery, profileId: ProfileId, told: ToldState | undefined): ToldState {
  const named = users
    .filter((user) => user.profileId === profileId)
    .flatMap(({ active, inactive }) => [...active, ...inactive])
  const active = [...new Set([...(told?.active ?? []), ...named])].sort((a, b) => a - b)
  const never = { sequence: 0, acknowledgedAtMs: 0, endedAtMs: 0, deliveryId, state: 'dead' } as const
  return { ...(told ?? never), active }
}

function notSent(
  { config }: DestinationRule,
  skipped: ReturnType<typeof buildUserEntries>['skipped'],
): NotSent | undefined {
  if (skipped === undefined || skipped === 'no_partner_id') return skipped
  return config.supportsUnsegment ? 'nothing_to_tell' : 'no_unsegment'
}
