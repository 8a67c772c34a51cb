import { addIdLink, lastAuthenticated, latestDevice } from '../identity/links.ts'
import type { CollectedCall } from '../model/collected-call.ts'
import type { IdType } from '../model/definitions.ts'
import type { DeclaredId } from '../model/event.ts'
import type { FollowUp } from '../model/follow-up.ts'
import { type DataSourceId, type DeviceId, declaredProfileId, type ProfileId } from '../model/ids.ts'
import type { IdLink, Profile } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import type { Rulebook } from './rulebook.ts'

/** What the declared IDs of a call change about its device, and what they mean for the profiles behind them. */
export interface AppliedIds {
  readonly links: readonly IdLink[]
  /** Data sources whose first mapping to this device it is [OUT-207]. */
  readonly newLinks: readonly DataSourceId[]
  readonly followUps: readonly FollowUp[]
  /** The last authenticated ID of some data source is another one now. */
  readonly loginChanged: boolean
  /** Something is to be stored that was not known before. */
  readonly hasNews: boolean
}

/**
 * Links the call's declared IDs and the device both ways [COL-71], [COL-90], and cross-device IDs with each other
 * [COL-97]. Without consent to sync only the organisation's own person IDs are kept [SEC-78]. Pure.
 * @param declared profiles behind the call's declared IDs
 */
export function applyIds(
  call: CollectedCall,
  before: Profile,
  declared: ReadonlyMap<ProfileId, Profile | undefined>,
  rulebook: Rulebook,
): AppliedIds {
  const atMs = call.receivedAtMs
  const seen = call.declaredIds.flatMap((id) => {
    const idType = idTypeOf(rulebook, id.dataSourceId)
    // A data source that was deleted since the call was read.
    if (idType === undefined || (call.consent.syncDenied && idType !== 'CROSS_DEVICE')) return []
    return [{ id, idType, known: declared.get(declaredProfileId(id.dataSourceId, id.id)) }]
  })
  const people = seen.filter(({ idType }) => idType === 'CROSS_DEVICE').map(({ id }) => id)
  const followUps: FollowUp[] = []
  const newLinks: DataSourceId[] = []
  let links = before.links
  let hasNews = false
  for (const { id, idType, known } of seen) {
    if (!links.some((link) => link.dataSourceId === id.dataSourceId)) newLinks.push(id.dataSourceId)
    const change = addIdLink(links, id, idType, atMs)
    links = change.links
    followUps.push(...change.evicted.map((evicted) => unlink(evicted, before, atMs)))
    const others = people.includes(id) ? people.filter((other) => other !== id).map((other) => asLink(other, atMs)) : []
    const isMapped = known !== undefined && isUpToDate(known, before, others, atMs)
    if (!isMapped) followUps.push(link(id, before, others, atMs))
    if (!isMapped || change.isNew || id.authState === 1) hasNews = true
  }
  const loginChanged = people.some(({ dataSourceId }) => {
    return lastAuthenticated(before.links, dataSourceId)?.id !== lastAuthenticated(links, dataSourceId)?.id
  })
  return { links, newLinks, followUps, loginChanged, hasNews }
}

export function idTypeOf(rulebook: Rulebook, dataSourceId: DataSourceId): IdType | undefined {
  return rulebook.directory.dataSources.get(dataSourceId)?.idType
}

function link(id: DeclaredId, device: Profile, links: readonly IdLink[], atMs: number): FollowUp {
  return { kind: 'link', target: declaredProfileId(id.dataSourceId, id.id), deviceId: deviceOf(device), links, atMs }
}

function unlink({ dataSourceId, id }: IdLink, device: Profile, atMs: number): FollowUp {
  return { kind: 'unlink', target: declaredProfileId(dataSourceId, id), other: device.id, atMs }
}

/** The device is the latest mapping already, the other IDs of the call are linked, and it was seen today [COL-77]. */
function isUpToDate(known: Profile, device: Profile, others: readonly IdLink[], atMs: number): boolean {
  if (atMs - known.lastSeenMs >= DAY_MS) return false
  return latestDevice(known.devices) === deviceOf(device) && others.every((other) => hasLink(known, other))
}

function hasLink(profile: Profile, link: IdLink): boolean {
  return profile.links.some((known) => known.dataSourceId === link.dataSourceId && known.id === link.id)
}

function deviceOf(device: Profile): DeviceId {
  return device.id.slice(2) as DeviceId
}

function asLink({ dataSourceId, id, authState }: DeclaredId, atMs: number): IdLink {
  return { dataSourceId, id, syncedAtMs: atMs, authState, authenticatedAtMs: 0 }
}
