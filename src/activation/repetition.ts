import type { DestinationId } from '../model/ids.ts'
import { indexOfSid, isDeliveryDenied, LeaveReason, type Profile } from '../model/profile.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { Sent } from './sender.ts'

/** The profile is gone, denies this destination, or left a segment of the message by opt-out or privacy request. */
export function isWithdrawn(
  profile: Profile | undefined,
  active: readonly number[],
  destinationId: DestinationId,
): boolean {
  if (profile === undefined || isDeliveryDenied(profile.consent, destinationId)) return true
  const { sids, left } = profile.segments
  return active.some((sid) => {
    const reason = left[indexOfSid(sids, sid)]
    return reason === LeaveReason.optout || reason === LeaveReason.privacy
  })
}

/** Repeated refusals by the address rules leave one record, not one every few minutes. */
export function withAttempt(delivery: StoredDelivery, { attempt, headers, url }: Sent): StoredDelivery {
  if (attempt === undefined) return delivery
  const isRepeatedDenial = attempt.error === 'egress_denied' && delivery.attempts.at(-1)?.error === 'egress_denied'
  const before = isRepeatedDenial ? delivery.attempts.slice(0, -1) : delivery.attempts
  return { ...delivery, headers, url, attempts: [...before, { ...attempt, number: before.length + 1 }] }
}

/** A refusal by the address rules uses up no attempt, nor does what came before a replay. */
export function countedAttempts({ attempts, attemptsBefore }: StoredDelivery): number {
  return attempts.slice(attemptsBefore).filter((attempt) => attempt.error !== 'egress_denied').length
}
