import { mergedWithDevice } from '../identity/merge.ts'
import type { MergeRuleId, ProfileId } from '../model/ids.ts'
import { isEvaluated } from '../model/merge-options.ts'
import type { Profile, TraitTable } from '../model/profile.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import type { Rulebook } from './rulebook.ts'

/** Profiles that take part in the evaluation of a device, by ID. */
export type Merged = ReadonlyMap<ProfileId, Profile>

export const NOBODY: Merged = new Map()

/** IDs of all profiles that any merge rule in use merges with a device of these links. */
export function mergedIds(rulebook: Rulebook, links: Profile['links']): readonly ProfileId[] {
  if (links.length === 0) return []
  const ids = new Set<ProfileId>()
  for (const rule of rulebook.audience.mergeRules.values()) {
    if (!isEvaluated(rule) || !rulebook.audience.usesMergeRule(rule.mergeRuleId)) continue
    for (const id of mergedWithDevice(rule, links)) ids.add(id)
  }
  return [...ids]
}

/**
 * Reads the profiles merged with a device; one round trip, none when it stands alone.
 * @param known profiles that were read a moment ago, or that there is none; nobody of them has opted out
 */
export async function readMerged(
  store: ProfileStore,
  rulebook: Rulebook,
  links: Profile['links'],
  known: ReadonlyMap<ProfileId, Profile | undefined> = NOBODY,
): Promise<Merged> {
  const ids = mergedIds(rulebook, links)
  if (ids.length === 0) return NOBODY
  const merged = new Map<ProfileId, Profile>()
  for (const id of ids) {
    const profile = known.get(id)
    if (profile !== undefined) merged.set(id, profile)
  }
  const unknown = ids.filter((id) => !known.has(id))
  if (unknown.length === 0) return merged
  const { profiles, optOuts } = await store.getWithOptOuts(unknown)
  profiles.forEach((profile, at) => {
    // An opted-out person is merged with no device, whichever one it is seen on [COL-228].
    if (profile !== undefined && optOuts[at] === undefined) merged.set(profile.id, profile)
  })
  return merged
}

/** The profiles a merge rule lays over each other for a device, the device first; undefined under a rule it takes no part in [AUD-204]. */
export function profilesOf(
  rulebook: Rulebook,
  device: Pick<Profile, 'id' | 'traits' | 'links'>,
  merged: Merged,
): (mergeRuleId: MergeRuleId) => readonly Pick<Profile, 'id' | 'traits'>[] | undefined {
  const alone = [device]
  return (mergeRuleId) => {
    const rule = rulebook.audience.mergeRules.get(mergeRuleId)
    if (rule === undefined || !isEvaluated(rule)) return undefined
    const others = mergedWithDevice(rule, device.links)
    if (others.length === 0) return alone
    return [device, ...others.flatMap((id) => merged.get(id) ?? [])]
  }
}

/** Their trait tables. */
export function viewsOf(
  rulebook: Rulebook,
  device: Pick<Profile, 'id' | 'traits' | 'links'>,
  merged: Merged,
): (mergeRuleId: MergeRuleId) => readonly TraitTable[] | undefined {
  const alone = [device.traits]
  const profiles = profilesOf(rulebook, device, merged)
  return (mergeRuleId) => {
    const found = profiles(mergeRuleId)
    return found?.length === 1 ? alone : found?.map((profile) => profile.traits)
  }
}
