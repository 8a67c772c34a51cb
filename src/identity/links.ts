import type { IdType } from '../model/definitions.ts'
import type { DeclaredId } from '../model/event.ts'
import type { DataSourceId, DeviceId } from '../model/ids.ts'
import type { DeviceLink, IdLink } from '../model/profile.ts'

/** Mapping limits; the oldest mapping gives way [COL-75], [AUD-169], [OUT-17]. */
export const LINK_LIMITS = { devicesPerCrossDeviceId: 100, crossDeviceIdsPerDataSource: 10, cookieIds: 1000 } as const

export interface LinkChange<T> {
  readonly links: readonly T[]
  /** The mapping was not there before. */
  readonly isNew: boolean
  readonly evicted: readonly T[]
}

/**
 * Records that a declared ID was seen on this profile. The mapping is kept in all three states [COL-90]; only state 1
 * moves "last authenticated" [AUD-343].
 */
export function addIdLink(
  links: readonly IdLink[],
  seen: DeclaredId,
  idType: IdType,
  nowMs: number,
): LinkChange<IdLink> {
  const isSame = (link: IdLink) => link.dataSourceId === seen.dataSourceId && link.id === seen.id
  const known = links.find(isSame)
  const link: IdLink = {
    dataSourceId: seen.dataSourceId,
    id: seen.id,
    syncedAtMs: nowMs,
    authState: seen.authState,
    authenticatedAtMs: seen.authState === 1 ? nowMs : (known?.authenticatedAtMs ?? 0),
  }
  const rest = links.filter((other) => !isSame(other))
  const limit = idType === 'CROSS_DEVICE' ? LINK_LIMITS.crossDeviceIdsPerDataSource : LINK_LIMITS.cookieIds
  const ofSource = rest.filter((other) => other.dataSourceId === seen.dataSourceId)
  const evicted = ofSource.slice(0, Math.max(0, ofSource.length + 1 - limit))
  return { links: [...rest.filter((other) => !evicted.includes(other)), link], isNew: known === undefined, evicted }
}

/** Records that a device was seen with this declared ID: it becomes the latest mapping [COL-70]. */
export function addDeviceLink(
  devices: readonly DeviceLink[],
  deviceId: DeviceId,
  idType: IdType,
  nowMs: number,
): LinkChange<DeviceLink> {
  const known = devices.find((link) => link.deviceId === deviceId)
  const syncedAtMs = Math.max(nowMs, known?.syncedAtMs ?? 0)
  const others = devices.filter((link) => link.deviceId !== deviceId)
  // By time, not by arrival: a follow-up that was carried out late must not make an old mapping the latest.
  const place = others.findLastIndex((link) => link.syncedAtMs <= syncedAtMs) + 1
  const sorted = [...others.slice(0, place), { deviceId, syncedAtMs }, ...others.slice(place)]
  const limit = idType === 'COOKIE' ? LINK_LIMITS.cookieIds : LINK_LIMITS.devicesPerCrossDeviceId
  const overflow = Math.max(0, sorted.length - limit)
  return { links: sorted.slice(overflow), isNew: known === undefined, evicted: sorted.slice(0, overflow) }
}

/** The most recent mapping of a declared ID [COL-70]. */
export function latestDevice(devices: readonly DeviceLink[]): DeviceId | undefined {
  return devices.at(-1)?.deviceId
}

/** The id of the latest call with state 1 on this device, for one data source [AUD-343]. */
export function lastAuthenticated(links: readonly IdLink[], dataSourceId: DataSourceId): IdLink | undefined {
  let last: IdLink | undefined
  for (const link of links) {
    if (link.dataSourceId !== dataSourceId || link.authenticatedAtMs === 0) continue
    // Two logins in one second: the one seen later stands later in the list.
    if (last === undefined || link.authenticatedAtMs >= last.authenticatedAtMs) last = link
  }
  return last
}
