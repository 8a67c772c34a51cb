import { dropDeleted } from '../audience/evaluate.ts'
import type { FollowUp } from '../model/follow-up.ts'
import { type ProfileId, parseProfileId, type TraitId } from '../model/ids.ts'
import type { IdLink, Profile } from '../model/profile.ts'
import type { Rulebook } from './rulebook.ts'

/**
 * A profile without what belongs to traits and data sources that were deleted: their realizations [AUD-59], and the IDs by
 * which those data sources know it.
 * @returns `profile` itself when there is nothing of the kind
 */
export function withoutDeleted(profile: Profile, rulebook: Rulebook): Profile {
  const traits = dropDeleted(rulebook.audience, profile.traits)
  const links = profile.links.some(isUnknownIn(rulebook))
    ? profile.links.filter((link) => !isUnknownIn(rulebook)(link))
    : profile.links
  return traits === profile.traits && links === profile.links ? profile : { ...profile, traits, links }
}

/** Is anything of it, or the whole of it, to go? */
export function holdsDeleted(profile: Profile, rulebook: Rulebook): boolean {
  return isOfDeleted(profile.id, rulebook) || withoutDeleted(profile, rulebook) !== profile
}

/** An ID of a data source that was deleted: its whole profile goes. */
export function isOfDeleted(id: ProfileId, rulebook: Rulebook): boolean {
  const parsed = parseProfileId(id)
  return parsed?.kind === 'declared' && isUnknownIn(rulebook)(parsed)
}

/** Was it written by a rulebook in which something still was that is deleted now? */
export function namesDeleted(followUp: FollowUp, rulebook: Rulebook): boolean {
  if (isOfDeleted(followUp.target, rulebook)) return true
  if (followUp.kind === 'link') return followUp.links.some(isUnknownIn(rulebook))
  const isKnown = (sid: TraitId) => rulebook.audience.trait(sid) !== undefined
  return followUp.kind === 'realize' && !followUp.traitIds.every(isKnown)
}

function isUnknownIn({ directory }: Rulebook): (id: Pick<IdLink, 'dataSourceId'>) => boolean {
  return ({ dataSourceId }) => !directory.dataSources.has(dataSourceId)
}
