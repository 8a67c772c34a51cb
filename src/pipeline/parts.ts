import type { EcidMapper } from '../identity/ecid.ts'
import type { Clock } from '../model/clock.ts'
import type { CollectedCall } from '../model/collected-call.ts'
import type { DestinationId, DeviceId, EventId, ProfileId } from '../model/ids.ts'
import type { MembershipChange } from '../model/membership-change.ts'
import type { Profile } from '../model/profile.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import type { Rulebook } from './rulebook.ts'

/** What the pipeline works with. */
export interface Parts {
  readonly profiles: ProfileStore
  readonly rulebook: () => Rulebook
  readonly ecids: EcidMapper
  readonly clock: Clock
  readonly newDeviceId: () => DeviceId
  readonly newEventId: () => EventId
  /** Called after a commit that owes something to destinations. */
  readonly notify: (profileId: ProfileId, destinationIds: readonly DestinationId[]) => void
  /** Destinations that may still believe this profile to be in a segment. */
  readonly owedBy: (profileId: ProfileId) => Promise<readonly DestinationId[]>
  /** Destinations that a segment was taken from which they may still believe this profile to be in [OUT-58]. */
  readonly unmappedAt: (profileId: ProfileId) => Promise<readonly DestinationId[]>
  /** Writes markers: these destinations are owed a message about this profile although nothing of it changed. */
  readonly owe: (profileId: ProfileId, destinationIds: readonly DestinationId[]) => Promise<void>
  /** The moment by which things expire at `nowMs`: earlier while the machine's clock leapt ahead and is waited for [SEC-82]. */
  readonly judgedMs: (nowMs: number) => number
  /** False while the machine says a time that cannot be kept: then nothing ends, or is filed, by it. */
  readonly isTimeKept: () => boolean
  /** False while the machine's clock is not trusted: then nothing is removed for its age [SEC-82]. */
  readonly mayForget: () => boolean
  /** Called once after the commit of a call; `realized` are the traits it realized, ascending. For figures and the live view. */
  readonly onCall?: (call: CollectedCall, before: Profile, next: Profile, realized: Int32Array) => void
  /** Called after a commit that changed memberships of a device; `realized` by the event behind it, empty when it was none. */
  readonly onMembership?: (profileId: ProfileId, changes: readonly MembershipChange[], realized: Int32Array) => void
  readonly onFollowUpFailed: (error: unknown) => void
}

/** A profile changed under our hands more often than anything honest would cause. Retrying can help. */
export class ProfileContendedError extends Error {
  readonly code = 'profile_contended'
  readonly retryable = true
}

/** Every lost race means that somebody else won it, so this bounds the parallel calls on one profile. */
export const COMMIT_ATTEMPTS_MAX = 256
