import { planActivation } from '../activation/plan.ts'
import type { SegmentId } from '../model/ids.ts'
import type { MembershipChange } from '../model/membership-change.ts'
import type { LeaveReason, Profile } from '../model/profile.ts'
import type { DeviceResult } from './evaluate-device.ts'
import type { Rulebook } from './rulebook.ts'

/** Takes a profile out of every segment for one reason, and plans who must hear of it. Pure. */
export function leaveAll(rulebook: Rulebook, before: Profile, reason: LeaveReason, nowMs: number): DeviceResult {
  const { sids, left: wasLeft, sinceSeconds: was, verifiedSeconds: verified } = before.segments
  const left = Uint8Array.from(wasLeft)
  const sinceSeconds = Uint32Array.from(was)
  const verifiedSeconds = Uint32Array.from(verified)
  const changes: MembershipChange[] = []
  sids.forEach((sid, at) => {
    if (left[at] !== 0) return
    left[at] = reason
    sinceSeconds[at] = verifiedSeconds[at] = Math.floor(nowMs / 1000)
    changes.push({ segmentId: sid as SegmentId, member: false, reason })
  })
  const next: Profile =
    changes.length === 0 ? before : { ...before, segments: { sids, left, sinceSeconds, verifiedSeconds } }
  const { outbox, plans } = planActivation(rulebook.destinations, {
    before,
    next,
    changes,
    seen: false,
    newLinks: [],
    nowMs,
  })
  return { next: { ...next, plans }, changes, outbox }
}
