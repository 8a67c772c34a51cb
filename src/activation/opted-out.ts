import { declaredProfileId, type ProfileId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import type { DestinationRule } from './destination-rules.ts'

/**
 * Which of these devices, and of the IDs the destination knows them by, are opted out: no Status 1 leaves under one of
 * them, also through another device of the person. Source: security.md SEC-79; collection.md COL-228.
 */
export async function readOptedOut(
  store: Pick<ProfileStore, 'optOuts'>,
  { userDpids }: DestinationRule,
  profiles: readonly (Profile | undefined)[],
): Promise<ReadonlySet<ProfileId>> {
  const ids = new Set<ProfileId>()
  for (const profile of profiles) {
    if (profile === undefined) continue
    ids.add(profile.id)
    for (const { dataSourceId, id } of profile.links)
      if (userDpids.includes(dataSourceId)) ids.add(declaredProfileId(dataSourceId, id))
  }
  return optedOutOf(store, [...ids])
}

/** Those of the IDs that are opted out. */
export async function optedOutOf(
  store: Pick<ProfileStore, 'optOuts'>,
  ids: readonly ProfileId[],
): Promise<ReadonlySet<ProfileId>> {
  const found = await store.optOuts(ids)
  return new Set(ids.filter((_id, at) => found[at] !== undefined))
}
