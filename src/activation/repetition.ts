import type { Uncounted } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import { indexOfSid, isDeliveryDenied, LeaveReason, type Profile } from '../model/profile.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { OwedProfile } from '../store/delivery-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import { optedOutOf } from './opted-out.ts'
import { RETRY_WAIT_MS_MAX } from './policy.ts'
import type { Sent } from './sender.ts'

/**
 * Why this message, which waited, may no longer leave. No segment is told after consent was withdrawn [SEC-74], after an
 * opt-out of the device or of a partner ID in it [SEC-79], or of somebody who was forgotten meanwhile.
 */
export async function whyNotLeave(
  store: Pick<ProfileStore, 'getMany' | 'optOuts'>,
  { destinationId, users, named }: StoredDelivery,
): Promise<'consent_withdrawn' | 'no_profile' | undefined> {
  const told = users.filter((user) => user.active.length > 0)
  const profileIds = told.map((user) => user.profileId)
  if (told.length === 0) return undefined
  const [profiles, optedOut] = await Promise.all([
    store.getMany(profileIds),
    optedOutOf(store, named ?? [...new Set(profileIds)]),
  ])
  if (optedOut.size > 0 || told.some((user, at) => isWithdrawn(profiles[at], user.active, destinationId)))
    return 'consent_withdrawn'
  return profiles.includes(undefined) ? 'no_profile' : undefined
}

/** The profile denies this destination, or left a segment of the message by opt-out or privacy request. */
function isWithdrawn(profile: Profile | undefined, active: readonly number[], destinationId: DestinationId): boolean {
  if (profile === undefined) return false
  if (isDeliveryDenied(profile.consent, destinationId)) return true
  const { sids, left } = profile.segments
  return active.some((sid) => {
    const reason = left[indexOfSid(sids, sid)]
    return reason === LeaveReason.optout || reason === LeaveReason.privacy
  })
}

/**
 * How long a message that a stop left behind still waits. Never longer than from its last attempt, which is all that the
 * plan asked for: the clock may have been ahead when it was made [SEC-91].
 */
export function waitLeft({ nextAttemptMs, attempts }: StoredDelivery, nowMs: number): number {
  const plannedMs = nextAttemptMs - (attempts.at(-1)?.startedAtMs ?? Number.NEGATIVE_INFINITY)
  return Math.max(0, Math.min(nextAttemptMs - nowMs, plannedMs, RETRY_WAIT_MS_MAX))
}

/** Repeated refusals by the address rules, or probes, leave one record, not one every few minutes. */
export function withAttempt(
  delivery: StoredDelivery,
  { attempt, headers, url }: Sent,
  uncounted: Uncounted | undefined,
): StoredDelivery {
  if (attempt === undefined) return delivery
  const last = delivery.attempts.at(-1)
  const isRepeatedDenial = attempt.error === 'egress_denied' && last?.error === 'egress_denied'
  const isRepeated = isRepeatedDenial || (uncounted !== undefined && last?.uncounted === uncounted)
  const isOfThisTime = delivery.attempts.length > delivery.attemptsBefore
  const before = isRepeated && isOfThisTime ? delivery.attempts.slice(0, -1) : delivery.attempts
  const numbered = { ...attempt, number: before.length + 1, ...(uncounted !== undefined && { uncounted }) }
  return { ...delivery, headers, url, attempts: [...before, numbered] }
}

/** A refusal by the address rules uses up no attempt, nor does a probe, nor what came before a replay. */
export function countedAttempts({ attempts, attemptsBefore }: StoredDelivery): number {
  const tried = attempts.slice(attemptsBefore)
  return tried.filter((attempt) => attempt.error !== 'egress_denied' && attempt.uncounted === undefined).length
}

/** It was turned away for its token the last time, too. */
export function wasUnauthorized({ attempts }: StoredDelivery): boolean {
  const last = attempts.at(-1)
  return last?.httpStatus === 401 || last?.isTokenRefused === true
}

/** Did it leave since it was sent again by hand? */
export function hasLeft({ attempts, attemptsBefore }: StoredDelivery): boolean {
  return attempts.slice(attemptsBefore).some((attempt) => attempt.error !== 'egress_denied')
}

/** Nothing newer was sent to its users or is owed to them: then the same bytes may go out again. */
export function isLatest({ deliveryId }: StoredDelivery, users: readonly OwedProfile[]): boolean {
  return users.every(({ told, isOwed }) => told?.deliveryId === deliveryId && !isOwed)
}

/** An ended delivery that is sent again by hand, the same bytes under the same key: its attempts begin anew [SEC-41]. */
export function reopened(delivery: StoredDelivery, replayId: string): StoredDelivery {
  return {
    ...delivery,
    replayId,
    status: 'waiting',
    reason: null,
    finishedAtMs: null,
    attemptsBefore: delivery.attempts.length,
    endedBefore: { status: delivery.status, reason: delivery.reason, finishedAtMs: delivery.finishedAtMs },
    roundId: delivery.deliveryId,
    roundSize: 1,
  }
}
