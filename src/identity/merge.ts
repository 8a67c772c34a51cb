import type { MergeRule } from '../model/definitions.ts'
import { declaredProfileId, type ProfileId } from '../model/ids.ts'
import type { IdLink } from '../model/profile.ts'
import { lastAuthenticated } from './links.ts'

/** Profiles merged with a device under a rule, the device itself left out; empty when it stands alone [AUD-205]. */
export function mergedWithDevice(rule: MergeRule, links: readonly IdLink[]): readonly ProfileId[] {
  if (rule.crossDeviceOption !== 'LAST' || links.length === 0) return []
  const merged: ProfileId[] = []
  for (const dataSourceId of rule.crossDeviceDataSourceIds) {
    const last = lastAuthenticated(links, dataSourceId)
    if (last !== undefined) merged.push(declaredProfileId(dataSourceId, last.id))
  }
  return merged
}
