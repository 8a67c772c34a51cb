import { planActivation } from '../activation/plan.ts'
import { evaluateSegments, nextChangeMs, nextChangeOfTraits } from '../audience/evaluate.ts'
import type { DataSourceId, DestinationId } from '../model/ids.ts'
import type { MembershipChange } from '../model/membership-change.ts'
import type { Profile, SegmentTable } from '../model/profile.ts'
import { inactiveAtMs } from './inactivity.ts'
import type { Rulebook } from './rulebook.ts'
import { type Merged, viewsOf } from './visitor.ts'

export interface DeviceStep {
  /** As it was read. */
  readonly before: Profile
  /** With what the call brought: links, traits, last seen. */
  readonly draft: Profile
  readonly merged: Merged
  /** Traits just realized on the device; `'all'` when anything else may have changed an answer. */
  readonly touched: Int32Array | 'all'
  /** The device itself was seen, as opposed to a sweep or a follow-up [OUT-26]. */
  readonly seen: boolean
  /** Data sources whose first mapping to this device is stored in this step [OUT-207]. */
  readonly newLinks: readonly DataSourceId[]
  readonly optedOut: boolean
}

export interface DeviceResult {
  readonly next: Profile
  readonly changes: readonly MembershipChange[]
  readonly outbox: readonly DestinationId[]
}

/** Evaluates the segments of a device, when it must be looked at again, and what destinations must hear. Pure. */
export function evaluateDevice(rulebook: Rulebook, step: DeviceStep, nowMs: number): DeviceResult {
  const { before, draft, merged } = step
  const isStale = before.membershipKey !== rulebook.membershipKey || before.dueMs <= nowMs
  const touched = isStale || step.optedOut ? 'all' : step.touched

  const evaluated = evaluateSegments(
    rulebook.audience,
    draft.segments,
    { touched, views: viewsOf(rulebook, draft, merged), optedOut: step.optedOut },
    nowMs,
  )
  const dueMs = dueOf(rulebook, draft, merged, touched, before.dueMs, nowMs)
  const { changes } = evaluated
  const next = withEvaluation(draft, evaluated.segments, rulebook.membershipKey, dueMs)
  const { seen, newLinks } = step
  const { outbox, plans } = planActivation(rulebook.destinations, { before, next, changes, seen, newLinks, nowMs })
  return { next: plans === next.plans ? next : { ...next, plans }, changes, outbox }
}

/** Written out: a spread leaves the engine's fast path here. */
function withEvaluation(draft: Profile, segments: SegmentTable, membershipKey: number, dueMs: number): Profile {
  const { id, revision, firstSeenMs, lastSeenMs, regions, traits, links, devices, appliedEvents, plans, consent } =
    draft
  return {
    id,
    revision,
    firstSeenMs,
    lastSeenMs,
    regions,
    traits,
    segments,
    links,
    devices,
    appliedEvents,
    plans,
    consent,
    membershipKey,
    dueMs,
  }
}

/**
 * When the profile must be looked at next: the earliest moment at which time alone can change an answer, or make it
 * inactive. A visit that realized a few traits only ever moves it forward, so that most visits leave the due index
 * alone; the sweep that finds nothing to do files it anew.
 */
function dueOf(
  rulebook: Rulebook,
  draft: Profile,
  merged: Merged,
  touched: Int32Array | 'all',
  filedMs: number,
  nowMs: number,
): number {
  if (touched !== 'all') return Math.min(filedMs, nextChangeOfTraits(rulebook.audience, draft.traits, touched, nowMs))
  const tables = [draft.traits, ...[...merged.values()].map((profile) => profile.traits)]
  return Math.min(nextChangeMs(rulebook.audience, tables, nowMs), inactiveAtMs(draft, rulebook))
}
