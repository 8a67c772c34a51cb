import type { SegmentId } from './ids.ts'
import type { LeaveReason } from './profile.ts'

/** One profile entered or left one segment. */
export interface MembershipChange {
  readonly segmentId: SegmentId
  readonly member: boolean
  /** Why it left; undefined when it entered. */
  readonly reason: LeaveReason | undefined
}
