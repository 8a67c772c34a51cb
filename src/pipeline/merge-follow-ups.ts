import type { FollowUp } from '../model/follow-up.ts'
import type { Profile } from '../model/profile.ts'
import type { DeviceResult } from './evaluate-device.ts'
import type { Rulebook } from './rulebook.ts'
import { type Merged, mergedIds } from './visitor.ts'

/**
 * Every profile that takes part in the memberships of a device is brought up to date [AUD-204]: those merged with it
 * when a membership changed, and those it parted from or joined when its logins changed.
 */
export function mergeFollowUps(
  rulebook: Rulebook,
  before: Profile,
  result: DeviceResult,
  merged: Merged,
  atMs: number,
): readonly FollowUp[] {
  if (before.links === result.next.links && (result.changes.length === 0 || merged.size === 0)) return []
  const now = mergedIds(rulebook, result.next.links)
  const previous = before.links === result.next.links ? now : mergedIds(rulebook, before.links)
  const targets = new Set(result.changes.length > 0 ? now : now.filter((id) => !previous.includes(id)))
  for (const id of previous) if (!now.includes(id)) targets.add(id)
  return [...targets].map((target) => ({ kind: 'reevaluate', target, atMs }))
}
