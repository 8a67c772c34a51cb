import type { FollowUp } from '../model/follow-up.ts'
import type { Profile } from '../model/profile.ts'
import type { DeviceResult } from './evaluate-device.ts'
import type { Rulebook } from './rulebook.ts'
import { type Merged, mergedIds } from './visitor.ts'

/**
 * Every profile that takes part in the memberships of a device is brought up to date [AUD-204]: those merged with it
 * when a membership changed, those it parted from or joined when its logins changed, and last the device itself, because
 * a profile it was merged with may have changed between its read and this commit (no write skew).
 */
export function mergeFollowUps(
  rulebook: Rulebook,
  before: Profile,
  result: DeviceResult,
  merged: Merged,
  atMs: number,
): readonly FollowUp[] {
  const { next, changes } = result
  if (before.links === next.links && merged.size === 0) return []
  const now = mergedIds(rulebook, next.links)
  const previous = before.links === next.links ? now : mergedIds(rulebook, before.links)
  const targets = new Set(changes.length > 0 ? now : now.filter((id) => !previous.includes(id)))
  for (const id of previous) if (!now.includes(id)) targets.add(id)
  if (now.length > 0) targets.add(before.id)
  return [...targets].map((target) => ({ kind: 'reevaluate', target, atMs }))
}
