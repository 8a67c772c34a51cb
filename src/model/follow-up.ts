import type { DeviceId, EventId, ProfileId, TraitId } from './ids.ts'
import type { IdLink } from './profile.ts'

/**
 * What one commit means for another profile: written in that commit, carried out at once and again after a crash. Each
 * may be repeated without harm (architecture, "Follow-ups").
 */
export type FollowUp =
  /** A declared ID was seen on a device: the device becomes its latest mapping; `links` are the other declared IDs of the call [COL-70], [COL-71], [COL-97]. */
  | {
      readonly kind: 'link'
      readonly target: ProfileId
      readonly deviceId: DeviceId
      readonly links: readonly IdLink[]
      readonly atMs: number
    }
  /** The mapping between the two was evicted or the other one is forgotten. */
  | { readonly kind: 'unlink'; readonly target: ProfileId; readonly other: ProfileId; readonly atMs: number }
  /** Traits of an event that belong to an authenticated profile [AUD-187], [AUD-343]. */
  | {
      readonly kind: 'realize'
      readonly target: ProfileId
      readonly eventId: EventId
      readonly traitIds: readonly TraitId[]
      readonly atMs: number
    }
  /** A profile merged with this one changed: evaluate again [AUD-204], [AUD-351]. With `tell`, destinations that may believe one of its IDs to be in a segment hear of it whatever comes out: that ID was opted out [COL-228]. */
  | { readonly kind: 'reevaluate'; readonly target: ProfileId; readonly atMs: number; readonly tell?: true }
  /** The profile was opted out: it leaves every segment [COL-228], [OUT-52]. */
  | { readonly kind: 'optout'; readonly target: ProfileId; readonly atMs: number }
