import type { AuthState } from './event.ts'
import type { DataSourceId, DestinationId, DeviceId, EventId, ProfileId, SegmentId } from './ids.ts'

/**
 * What is known of one device, or of one declared ID (an authenticated, cross-device or partner ID). Values are never
 * changed in place once handed out: a step that changes something returns a new object that shares the rest.
 */
export interface Profile {
  readonly id: ProfileId
  /** 0: not stored yet. Each commit adds 1. */
  readonly revision: number
  readonly firstSeenMs: number
  readonly lastSeenMs: number
  /** Regions of activity, most recent first, no duplicates [OUT-44]. */
  readonly regions: readonly number[]
  readonly traits: TraitTable
  readonly segments: SegmentTable
  /**
   * Declared IDs linked to this profile, oldest mapping first. On a device: its partner and person IDs. On a declared
   * ID: other declared IDs seen in one call with it [COL-97].
   */
  readonly links: readonly IdLink[]
  /** On a declared ID only: devices mapped to it, oldest mapping first, at most 100 (1,000 for cookie IDs) [AUD-169]. */
  readonly devices: readonly DeviceLink[]
  /** The last few events applied, newest last, so that a repeat after an unknown outcome adds nothing. */
  readonly appliedEvents: readonly EventId[]
  /** What activation planned last for each destination that this profile concerns. */
  readonly plans: readonly DestinationPlan[]
  readonly consent: StoredConsent | undefined
  /** `membershipKey` of the rulebook under which all segments were last evaluated; 0: never. */
  readonly membershipKey: number
  /** Moment under which the profile is filed in the due index; 0 when it is not filed. Whole seconds. */
  readonly dueMs: number
}

/** Traits held, as parallel arrays; `sids` ascending and distinct. An expired trait may still stand in it [AUD-340]. */
export interface TraitTable {
  readonly sids: Int32Array
  /** Realizations since the trait was gained, older than the kept days included. */
  readonly totals: Uint32Array
  /** Days of trait `i` are `days[dayStart[i]] .. days[dayStart[i + 1] - 1]`; length is `sids.length + 1`. */
  readonly dayStart: Uint32Array
  /** UTC day numbers, ascending within a trait, at least one each, the last 120 at most [AUD-139]. */
  readonly days: Uint16Array
  readonly dayCounts: Uint32Array
}

/** Memberships, and the segments left lately, as parallel arrays; `sids` ascending and distinct. Times in whole seconds. */
export interface SegmentTable {
  readonly sids: Int32Array
  /** 0 while in the segment, otherwise why it was left (`LeaveReason`). */
  readonly left: Uint8Array
  /** When the profile entered (or left, when `left` is not 0). */
  readonly sinceSeconds: Uint32Array
  /** When the qualification was last verified: `DateTime` of a message [OUT-49]. Equals `sinceSeconds` once left. */
  readonly verifiedSeconds: Uint32Array
}

/** Why a segment was left [OUT-57]; stored numbers, never renumber. */
export const LeaveReason = { rule: 1, ttl: 2, inactive: 3, privacy: 4, optout: 5 } as const
export type LeaveReason = (typeof LeaveReason)[keyof typeof LeaveReason]

export interface IdLink {
  readonly dataSourceId: DataSourceId
  readonly id: string
  readonly syncedAtMs: number
  readonly authState: AuthState
  /** Time of the latest call with state 1 for this id here; 0 when there was none. The largest of a data source is "last authenticated" [AUD-343]. */
  readonly authenticatedAtMs: number
}

export interface DeviceLink {
  readonly deviceId: DeviceId
  readonly syncedAtMs: number
}

export interface DestinationPlan {
  readonly destinationId: DestinationId
  /** When the last full set of segments was planned; the heartbeat counts from it [OUT-32], [OUT-210]. */
  readonly plannedAtMs: number
  /** Version of the destination's mappings at that time; an older one means "mapping change" [OUT-30]. */
  readonly mappingVersion: number
}

/** The last consent decision, as far as it outlives its call [SEC-73]. */
export interface StoredConsent {
  readonly decidedAtMs: number
  /** First 8 bytes of the SHA-256 of the consent string, hexadecimal; empty when there was none. */
  readonly fingerprint: string
  readonly reason: string
  /** Destinations that may not be told, because their vendor has no consent [SEC-77]; `ALL_DESTINATIONS` means every one. */
  readonly deniedDestinations: readonly DestinationId[]
}

/** Stands for every destination, present and future: an opt-out of sale and sharing names none [SEC-78]. */
export const ALL_DESTINATIONS = 0 as DestinationId

/** Reasons of a decision: the page's own question was answered with yes, or a yes was taken back. */
export const PAGE_CONSENT = 'page_consent'
export const PAGE_WITHDRAWN = 'page_withdrawn'

/** May this destination not be told of the visitor? */
export function isDeliveryDenied(consent: StoredConsent | undefined, destinationId: DestinationId): boolean {
  if (consent === undefined) return false
  return consent.deniedDestinations.includes(destinationId) || consent.deniedDestinations.includes(ALL_DESTINATIONS)
}

const noInts = new Int32Array(0)
const noUints = new Uint32Array(0)

export const EMPTY_TRAITS: TraitTable = {
  sids: noInts,
  totals: noUints,
  dayStart: new Uint32Array(1),
  days: new Uint16Array(0),
  dayCounts: noUints,
}

export const EMPTY_SEGMENTS: SegmentTable = {
  sids: noInts,
  left: new Uint8Array(0),
  sinceSeconds: noUints,
  verifiedSeconds: noUints,
}

/** A profile that is not stored yet. */
export function newProfile(id: ProfileId, nowMs: number): Profile {
  return {
    id,
    revision: 0,
    firstSeenMs: nowMs,
    lastSeenMs: nowMs,
    regions: [],
    traits: EMPTY_TRAITS,
    segments: EMPTY_SEGMENTS,
    links: [],
    devices: [],
    appliedEvents: [],
    plans: [],
    consent: undefined,
    membershipKey: 0,
    dueMs: 0,
  }
}

/** Index of `sid` in an ascending table, or -1. */
export function indexOfSid(sids: Int32Array, sid: number): number {
  let low = 0
  let high = sids.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = sids[middle] as number
    if (found === sid) return middle
    if (found < sid) low = middle + 1
    else high = middle - 1
  }
  return -1
}

export function isMember(segments: SegmentTable, sid: SegmentId): boolean {
  const at = indexOfSid(segments.sids, sid)
  return at >= 0 && segments.left[at] === 0
}
