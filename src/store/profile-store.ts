import type { FollowUp } from '../model/follow-up.ts'
import type { DestinationId, EventId, ProfileId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import type { Durability } from './durability.ts'

/** Profiles with what commits together with them. Written once, over any `RecordStore`. */
export interface ProfileStore {
  /**
   * Reads profiles in one round trip (calls of one turn share it).
   * @returns same length and order as `profileIds`; `undefined` where no profile exists. A damaged record is counted,
   *   moved to quarantine, and reads as absent [SEC-60].
   * @throws StoreUnavailableError safe to retry
   */
  getMany(profileIds: readonly ProfileId[]): Promise<(Profile | undefined)[]>

  /** Profiles and opt-outs of the same IDs in one round trip; as `getMany` and `optOuts`. */
  getWithOptOuts(profileIds: readonly ProfileId[]): Promise<{
    readonly profiles: readonly (Profile | undefined)[]
    readonly optOuts: readonly (OptOut | undefined)[]
  }>

  /**
   * Writes the profile, its due entry, outbox markers and follow-ups together, if the profile still has the revision
   * that was read. Resolves when the durability level is reached.
   * @returns false when the revision race was lost: read and evaluate again
   */
  commit(update: ProfileUpdate, durability?: Durability): Promise<boolean>

  /** Profiles filed under a moment at or before `nowMs`, oldest first within a partition, at most `limit`. */
  due(nowMs: number, limit: number): Promise<readonly { readonly profileId: ProfileId; readonly dueMs: number }[]>

  /**
   * Earliest moment anything is filed under; `Infinity` when nothing is. Cheap: kept in memory. Never later than the
   * truth; it may be earlier after an entry was moved, until `due` has looked.
   */
  nextDueMs(): number

  /**
   * Files the profiles of a partition again whose entry is missing, because a damaged file held it: without one time would
   * never end what they are in.
   * @returns how many
   */
  refileDue(partition: number): Promise<number>

  /**
   * Drops a due entry whose profile is gone or filed under another moment (after a damaged record). Does nothing when
   * the profile is filed under `dueMs`, or changes meanwhile.
   */
  dropDue(profileId: ProfileId, dueMs: number): Promise<void>

  /** All profiles of a partition, in pages; not a snapshot. */
  scan(partition: number, options?: { readonly pageSize?: number }): AsyncIterable<readonly Profile[]>

  /** Follow-ups that no one has finished yet: what a crash left over. */
  pendingFollowUps(): AsyncIterable<StoredFollowUp>
  /** Forgets a finished follow-up. Need not be waited for: repeating one is harmless. */
  finishFollowUp(followUp: StoredFollowUp): Promise<void>

  /**
   * Opt-outs by profile ID, kept as keyed hashes that outlive the profile [SEC-79]. Same order as `profileIds`. A damaged
   * record reads as a global opt-out.
   */
  optOuts(profileIds: readonly ProfileId[]): Promise<(OptOut | undefined)[]>
  /**
   * Records an opt-out with its follow-ups; always durable on disk when it resolves. A partner-level one does not replace
   * a global one.
   */
  recordOptOut(
    profileId: ProfileId,
    optOut: OptOut,
    eventId: EventId,
    followUps: readonly FollowUp[],
  ): Promise<readonly StoredFollowUp[]>

  /**
   * Removes a profile, its due entry and its outbox markers, if the revision still matches; `followUps` travel with it.
   * @param outbox of which destinations there may be markers
   */
  remove(
    profile: Profile,
    eventId: EventId,
    followUps: readonly FollowUp[],
    outbox?: readonly DestinationId[],
  ): Promise<boolean>

  close(): Promise<void>
}

export interface ProfileUpdate {
  /** What the profile becomes; its `revision` is the one that was read, the store writes the next one. */
  readonly profile: Profile
  /** `dueMs` of the profile as it was read: that due entry is removed when it differs. */
  readonly previousDueMs: number
  /** Destinations that must hear of it. */
  readonly outbox: readonly DestinationId[]
  /** Names the follow-ups; required with them. */
  readonly eventId: EventId
  readonly followUps: readonly FollowUp[]
  /** When the outbox markers are made; `lastSeenMs` of the profile when left out. */
  readonly nowMs?: number
  /** Refused as soon as an opt-out of this profile is recorded, as a lost race is [SEC-79]. */
  readonly unlessOptedOut?: boolean
}

export interface StoredFollowUp {
  /** Where it is stored. */
  readonly key: Buffer
  readonly followUp: FollowUp
}

export interface OptOut {
  readonly level: 'global' | 'partner'
  readonly reason: 'request' | 'consent'
  readonly atMs: number
}
