import type { FollowUp } from '../model/follow-up.ts'
import type { EventId, ProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import { followUpKey } from '../store/keys.ts'
import type { StoredFollowUp } from '../store/profile-store.ts'

/** The follow-ups a commit wrote, as the store keeps them: beside the profile that was committed. */
export function storedFollowUps(
  committed: ProfileId,
  eventId: EventId,
  followUps: readonly FollowUp[],
): readonly StoredFollowUp[] {
  if (followUps.length === 0) return []
  const partition = partitionOf(committed)
  return followUps.map((followUp, index) => ({ key: followUpKey(partition, eventId, index), followUp }))
}
