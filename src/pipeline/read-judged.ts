import type { ProfileId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { runFollowUps } from './follow-ups.ts'
import type { Parts } from './parts.ts'
import { reevaluateDeclared } from './reevaluate-declared.ts'
import { reevaluateDevice } from './reevaluate-device.ts'

/**
 * A profile as it stands now, for somebody who looks at it: its memberships are judged first, by the evaluation that
 * decides them, so that what is explained and what is held cannot differ, whatever became of an earlier evaluation (a
 * clock that was wrong, a walk that has not come by yet). Where nothing differs nothing is written.
 */
export async function readJudged(id: ProfileId, parts: Parts): Promise<Profile | undefined> {
  try {
    await runFollowUps(await (id.startsWith('d:') ? reevaluateDevice : reevaluateDeclared)(id, parts), parts)
  } catch (error) {
    // A store that takes no writes can still be read.
    parts.onFollowUpFailed(error)
  }
  const [profile] = await parts.profiles.getMany([id])
  return profile
}
