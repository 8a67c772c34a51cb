import type { ProfileId } from '../model/ids.ts'
import type { OwedProfile } from '../store/delivery-store.ts'
import type { ToldState } from '../store/told-record.ts'
import type { DestinationRule } from './destination-rules.ts'
import type { DueProfile } from './due-queue.ts'
import { readOptedOut } from './opted-out.ts'
import { buildRound, type Round } from './round.ts'
import type { RunnerParts } from './runner-parts.ts'

/** Reads profiles that are owed and builds their messages. @throws StoreUnavailableError safe to repeat */
export async function readRound(
  { deliveries, profiles, rules, clock }: Pick<RunnerParts, 'deliveries' | 'profiles' | 'rules' | 'clock'>,
  destination: DestinationRule,
  taken: readonly DueProfile[],
): Promise<{ readonly round: Round; readonly told: ReadonlyMap<ProfileId, ToldState> }> {
  const profileIds = taken.map((due) => due.profileId)
  const [owed, found] = await Promise.all([
    deliveries.lookUp(destination.destinationId, profileIds),
    profiles.getMany(profileIds),
  ])
  const optedOut = await readOptedOut(profiles, destination, found)
  const told = toldOf(profileIds, owed)
  const members = profileIds.flatMap((profileId, at) => {
    // Its marker went with an earlier message: it was already told everything.
    return owed[at]?.isOwed === true
      ? [{ profileId, profile: found[at], toldActive: told.get(profileId)?.active ?? [] }]
      : []
  })
  const replayOf = taken.find((due) => due.replayOf !== null)?.replayOf ?? null
  return { round: buildRound(rules(), destination, members, { nowMs: clock(), replayOf, optedOut }), told }
}

export function toldOf(profileIds: readonly ProfileId[], found: readonly OwedProfile[]): Map<ProfileId, ToldState> {
  const told = new Map<ProfileId, ToldState>()
  profileIds.forEach((profileId, at) => {
    const known = found[at]?.told
    if (known !== undefined) told.set(profileId, known)
  })
  return told
}
