import type { Directory } from '../model/directory.ts'
import { type DataSourceId, declaredProfileId, deviceProfileId, type ProfileId, parseProfileId } from '../model/ids.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import type { Rulebook } from './rulebook.ts'

/** Profiles read at once. */
const PAGE = 1_000

/**
 * The profiles that somebody can mean by a text: a device ID, also in groups of four; a data source and its ID; or an ID
 * alone, which is looked for in every data source. An ID may have a colon in it, so both readings of one are tried.
 * @returns only what something is known of, if only an opt-out; the most literal reading first
 */
export async function findProfiles(
  text: string,
  {
    profiles,
    rulebook,
  }: {
    readonly profiles: Pick<ProfileStore, 'getWithOptOuts'>
    readonly rulebook: () => Pick<Rulebook, 'directory'>
  },
): Promise<readonly ProfileId[]> {
  const ids = [...new Set(meant(text, rulebook().directory.dataSources.keys()))]
  const found: ProfileId[] = []
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE)
    const known = await profiles.getWithOptOuts(page)
    found.push(
      ...page.filter((_id, index) => known.profiles[index] !== undefined || known.optOuts[index] !== undefined),
    )
  }
  return found
}

function* meant(text: string, dataSourceIds: Iterable<DataSourceId>): Generator<ProfileId> {
  const device = readDevice(text)
  if (device !== undefined) yield device
  const parsed = parseProfileId(text)
  if (parsed?.kind === 'declared') yield declaredProfileId(parsed.dataSourceId, parsed.id)
  for (const dataSourceId of dataSourceIds) yield declaredProfileId(dataSourceId, text)
}

/** A device ID as people write it: bare, in groups, or as `d:` and its digits. */
export function readDevice(text: string): ProfileId | undefined {
  const parsed = parseProfileId(text.replace(/\s/g, ''))
  return parsed?.kind === 'device' ? deviceProfileId(parsed.deviceId) : undefined
}

/** A profile as the API names it, with the data source of a declared ID. */
export function viewFound(
  profileId: ProfileId,
  { dataSources }: Directory,
): { readonly id: string; readonly dataSource: string | null } {
  const parsed = parseProfileId(profileId)
  if (parsed?.kind !== 'declared') return { id: parsed?.deviceId ?? profileId, dataSource: null }
  return { id: profileId, dataSource: dataSources.get(parsed.dataSourceId)?.name ?? String(parsed.dataSourceId) }
}
