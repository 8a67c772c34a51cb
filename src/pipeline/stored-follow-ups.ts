import type { FollowUp } from '../model/follow-up.ts'
import type { EventId, ProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import { storedFollowUps as storedIn } from '../store/follow-up-record.ts'
import type { StoredFollowUp } from '../store/profile-store.ts'

/** The follow-ups a commit wrote, as the store keeps them: beside the profile that was committed. */
export function storedFollowUps(
  committed: ProfileId,
  eventId: EventId,
  followUps: readonly FollowUp[],
): readonly StoredFollowUp[] {
  return followUps.length === 0 ? [] : storedIn(partitionOf(committed), eventId, followUps)
}
