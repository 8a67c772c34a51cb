import type { DataSourceId, DestinationId, SegmentId } from '../model/ids.ts'
import type { MembershipChange } from '../model/membership-change.ts'
import { type DestinationPlan, isDeliveryDenied, LeaveReason, type Profile } from '../model/profile.ts'
import { DAY_MS, utcDay } from '../model/time.ts'
import { type DestinationRule, type DestinationRules, isInWindow, type MappingRule } from './destination-rules.ts'

export interface PlanInput {
  /** As it was read. */
  readonly before: Profile
  /** As it will be committed, `plans` still those of `before`. */
  readonly next: Profile
  readonly changes: readonly MembershipChange[]
  /** An accepted call came from the device itself [OUT-210]. */
  readonly seen: boolean
  /** Data sources whose first ID was linked to this device in this step [OUT-207]. */
  readonly newLinks: readonly DataSourceId[]
  readonly nowMs: number
}

export interface ActivationPlan {
  /** Destinations that must hear of the profile: one marker each, committed with it. */
  readonly outbox: readonly DestinationId[]
  /** What `Profile.plans` becomes; the same array when nothing changed. */
  readonly plans: readonly DestinationPlan[]
}

const HEARTBEAT_MS = 3 * DAY_MS

/**
 * Decides which destinations must hear of a profile. Pure, and nearly free when nothing changed: one look-up for each
 * destination the profile concerns. An entry in `plans` with time 0 is owed: the destination has a mapped segment of the
 * profile, but could not be told yet (no partner ID, or not seen since the mapping was made).
 * Source: outbound.md OUT-26, OUT-28 to OUT-33, OUT-52, OUT-55, OUT-207, OUT-210; audience-model.md AUD-143,
 * AUD-146.
 */
export function planActivation(rules: DestinationRules, input: PlanInput): ActivationPlan {
  const { before, next, changes, nowMs } = input
  // Only devices are told of: a declared ID's memberships live on its devices.
  if (!next.id.startsWith('d:') || rules.byId.size === 0) return { outbox: [], plans: next.plans }
  const due = new Set<DestinationRule>()
  const owed = new Set<DestinationRule>()
  const day = utcDay(nowMs)
  const isTakenBack = changes.some((change) => isLeftForGood(rules, change))

  for (const { segmentId } of changes) {
    for (const mapping of rules.bySegment.get(segmentId) ?? [])
      if (isLive(rules, mapping, day)) due.add(mapping.destination)
  }
  if (before.membershipKey !== rules.version) addNewlyMapped(rules, next, day, input.seen ? due : owed)
  for (const plan of next.plans) {
    const destination = rules.byId.get(plan.destinationId)
    if (destination === undefined || !(isTakenBack || isDue(rules, destination, plan, input, day))) continue
    // What is owed stays owed, without a new plan at each visit, until there is an ID to tell it under.
    if (plan.plannedAtMs !== 0 || isAddressable(destination, next)) due.add(destination)
  }
  if (due.size === 0 && owed.size === 0) return { outbox: [], plans: next.plans }

  const told: DestinationRule[] = []
  for (const destination of due) {
    const isTold = isAddressable(destination, next) && (input.seen || isTakenBack || !destination.config.onlyWhileSeen)
    if (isTold) told.push(destination)
    else owed.add(destination)
  }
  return { outbox: told.map((one) => one.destinationId), plans: updatedPlans(next.plans, told, owed, nowMs) }
}

/** Does the profile have an ID the destination knows users by? [OUT-43] */
export function isAddressable({ config, userDpids }: DestinationRule, { links }: Profile): boolean {
  return config.sendWithoutPartnerId || links.some((link) => userDpids.includes(link.dataSourceId))
}

/** The person or the device goes, not only a membership: then whatever was told is taken back [OUT-52], [OUT-55]. */
export function isFinalReason(reason: number | undefined): boolean {
  return reason === LeaveReason.optout || reason === LeaveReason.privacy || reason === LeaveReason.inactive
}

/** Left in a way that no pause and no end of a mapping may hold back; a deleted segment is unmapped by force. */
function isLeftForGood(rules: DestinationRules, { segmentId, member, reason }: MembershipChange): boolean {
  return !member && (isFinalReason(reason) || !rules.segments.has(segmentId))
}

function isLive(rules: DestinationRules, mapping: MappingRule, day: number): boolean {
  // A deleted segment is no longer listed, and its members must still be unsegmented.
  return isInWindow(mapping, day) && rules.segments.get(mapping.segmentId) !== false
}

/** Is it time to send everything, although no mapped segment changed? */
function isDue(
  rules: DestinationRules,
  destination: DestinationRule,
  plan: DestinationPlan,
  input: PlanInput,
  day: number,
): boolean {
  const { before, next, seen, newLinks, nowMs } = input
  // Withdrawn: everything told is taken back. Given again: everything is told [SEC-74].
  if (next.consent !== before.consent && isDenied(next, destination) !== isDenied(before, destination)) return true
  if (newLinks.some((source) => destination.userDpids.includes(source))) return true
  if (!seen) return false
  if (newLinks.some((source) => rules.crossDeviceSources.has(source))) return true
  if (plan.mappingVersion < destination.mappingVersion || nowMs - plan.plannedAtMs >= HEARTBEAT_MS) return true
  return destination.latestStartDay > utcDay(plan.plannedAtMs) && hasBegun(destination, utcDay(plan.plannedAtMs), day)
}

function hasBegun({ mappings }: DestinationRule, sinceDay: number, day: number): boolean {
  for (const { startDay } of mappings.values()) if (startDay > sinceDay && startDay <= day) return true
  return false
}

export function isDenied({ consent }: Profile, { destinationId }: DestinationRule): boolean {
  return isDeliveryDenied(consent, destinationId)
}

/** After a change of the definitions: destinations that got a mapping for a segment the profile is in already. */
function addNewlyMapped(rules: DestinationRules, profile: Profile, day: number, owed: Set<DestinationRule>): void {
  const { sids, left } = profile.segments
  for (let at = 0; at < sids.length; at++) {
    if (left[at] !== 0) continue
    for (const mapping of rules.bySegment.get(sids[at] as SegmentId) ?? []) {
      const isPlanned = profile.plans.some((plan) => plan.destinationId === mapping.destination.destinationId)
      if (!isPlanned && isLive(rules, mapping, day)) owed.add(mapping.destination)
    }
  }
}

function updatedPlans(
  plans: readonly DestinationPlan[],
  told: readonly DestinationRule[],
  owed: ReadonlySet<DestinationRule>,
  nowMs: number,
): readonly DestinationPlan[] {
  const updated = [...plans]
  let isChanged = false
  function put(plan: DestinationPlan): void {
    const at = updated.findIndex((one) => one.destinationId === plan.destinationId)
    const known = updated[at]
    if (known?.plannedAtMs === plan.plannedAtMs && known.mappingVersion === plan.mappingVersion) return
    isChanged = true
    if (at < 0) updated.push(plan)
    else updated[at] = plan
  }
  for (const { destinationId, mappingVersion } of told) put({ destinationId, plannedAtMs: nowMs, mappingVersion })
  for (const { destinationId } of owed) put({ destinationId, plannedAtMs: 0, mappingVersion: 0 })
  return isChanged ? updated : plans
}
