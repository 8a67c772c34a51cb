import { dropExpired } from '../audience/evaluate.ts'
import { KEPT_MS_MAX } from '../lib/kept-time.ts'
import { atOnce, type Pace } from '../lib/pace.ts'
import type { FollowUp } from '../model/follow-up.ts'
import { declaredProfileId, type ProfileId } from '../model/ids.ts'
import { LeaveReason, type Profile } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import type { StoredFollowUp } from '../store/profile-store.ts'
import { type DeviceResult, evaluateDevice } from './evaluate-device.ts'
import { inactiveAtMs } from './inactivity.ts'
import { leaveAll } from './leave-all.ts'
import { mergeFollowUps } from './merge-follow-ups.ts'
import { COMMIT_ATTEMPTS_MAX, type Parts, ProfileContendedError } from './parts.ts'
import type { Rulebook } from './rulebook.ts'
import { storedFollowUps } from './stored-follow-ups.ts'
import { readMerged } from './visitor.ts'
import { withoutDeleted } from './without-deleted.ts'
import { withoutFuture } from './without-future.ts'

/**
 * Evaluates a device that was not seen: its time has come, a profile merged with it changed, a rule changed, or it was
 * opted out. Writes only when something differs.
 * @param pace of evaluations: of a profile with many segments one takes some milliseconds
 * @returns follow-ups its commit wrote, to be carried out next
 */
export async function reevaluateDevice(
  target: ProfileId,
  parts: Parts,
  pace: Pace = atOnce,
): Promise<readonly StoredFollowUp[]> {
  for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt++) {
    const rulebook = parts.rulebook()
    const nowMs = parts.judgedMs(parts.clock())
    const mayForget = parts.mayForget()
    const [[before], [optOut]] = await Promise.all([parts.profiles.getMany([target]), parts.profiles.optOuts([target])])
    if (before === undefined) return []
    const draft = withoutDeleted(mayForget ? withoutFuture(before, nowMs) : before, rulebook)
    if (inactiveAtMs(before, rulebook) <= nowMs) {
      const retired = mayForget
        ? await retire(before, draft, nowMs, parts, pace)
        : await postpone(before, draft, nowMs, parts)
      if (retired !== undefined) return retired
      continue
    }

    const merged = await readMerged(parts.profiles, rulebook, draft.links)
    const step = {
      before,
      draft,
      merged,
      touched: 'all',
      seen: false,
      newLinks: [],
      optedOut: optOut !== undefined,
    } as const
    const evaluated = await pace(() => evaluateDevice(rulebook, step, nowMs))
    // Dropped afterwards, so that the evaluation still sees which trait it was that ended a membership; and not by a time
    // that may be wrong, so that what it ended can begin again.
    const traits = mayForget ? dropExpired(rulebook.audience, draft.traits, nowMs) : draft.traits
    const result = { ...evaluated, next: { ...evaluated.next, traits } }
    if (!differs(before, result) && draft === before) return []
    const followUps = mergeFollowUps(rulebook, before, result, merged, nowMs)
    const committed = await commitResult(before, result, followUps, parts)
    if (committed !== undefined) return committed
  }
  throw new ProfileContendedError(`a profile changed ${COMMIT_ATTEMPTS_MAX} times during one evaluation`)
}

const NO_TRAITS = new Int32Array(0)

function differs(before: Profile, result: DeviceResult): boolean {
  return (
    result.changes.length > 0 ||
    result.next.dueMs !== before.dueMs ||
    result.next.traits !== before.traits ||
    result.outbox.length > 0
  )
}

/** @returns undefined when the revision race was lost */
async function commitResult(
  before: Profile,
  result: DeviceResult,
  followUps: readonly FollowUp[],
  parts: Parts,
): Promise<readonly StoredFollowUp[] | undefined> {
  const eventId = parts.newEventId()
  const update = { profile: result.next, previousDueMs: before.dueMs, outbox: result.outbox, eventId, followUps }
  if (!(await parts.profiles.commit(update))) return undefined
  if (result.outbox.length > 0) parts.notify(before.id, result.outbox)
  if (result.changes.length > 0) parts.onMembership?.(before.id, result.changes, NO_TRAITS)
  return storedFollowUps(before.id, eventId, followUps)
}

/** As long as dead letters are kept: a destination that is gone does not keep a profile for ever [SEC-48]. */
const OWED_DAYS_MAX = 30

/**
 * A device not seen for 120 days [OUT-51]: first it leaves every segment, so that its destinations are told while its
 * partner IDs are still known [OUT-55]; a day later, when nothing is owed any more, the profile goes, and its mappings
 * with it.
 * @param draft as it is written when it stays
 * @returns undefined when the revision race was lost
 */
async function retire(
  before: Profile,
  draft: Profile,
  nowMs: number,
  parts: Parts,
  pace: Pace,
): Promise<readonly StoredFollowUp[] | undefined> {
  const rulebook = parts.rulebook()
  const merged = await readMerged(parts.profiles, rulebook, before.links)
  const left = await pace(() => leaveAll(rulebook, draft, LeaveReason.inactive, nowMs))
  const owed = await parts.owedBy(before.id)
  const isAwaited = owed.length > 0 && nowMs < leftMs(before, rulebook) + OWED_DAYS_MAX * DAY_MS
  if (left.changes.length > 0 || isAwaited) {
    const outbox = [...new Set([...left.outbox, ...owed])]
    const result: DeviceResult = { ...left, outbox, next: { ...left.next, dueMs: nextMidnightMs(nowMs) } }
    return commitResult(before, result, mergeFollowUps(rulebook, before, result, merged, nowMs), parts)
  }
  const eventId = parts.newEventId()
  const followUps = before.links.flatMap((link): readonly FollowUp[] => {
    const target = declaredProfileId(link.dataSourceId, link.id)
    return [
      { kind: 'unlink', target, other: before.id, atMs: nowMs },
      { kind: 'reevaluate', target, atMs: nowMs },
    ]
  })
  const isRemoved = await parts.profiles.remove(before, eventId, followUps, owed)
  return isRemoved ? storedFollowUps(before.id, eventId, followUps) : undefined
}

/** When its destinations began to be told that it left: not before time got there, however far that leapt. */
function leftMs(before: Profile, rulebook: Rulebook): number {
  const { left, sinceSeconds } = before.segments
  const ends = [...sinceSeconds].filter((_, at) => left[at] === LeaveReason.inactive)
  return Math.max(inactiveAtMs(before, rulebook), ...ends.map((seconds) => seconds * 1_000))
}

/** The clock jumped: nothing is forgotten until it is trusted again [SEC-82]. */
function postpone(
  before: Profile,
  draft: Profile,
  nowMs: number,
  parts: Parts,
): Promise<readonly StoredFollowUp[] | undefined> {
  const result: DeviceResult = { next: { ...draft, dueMs: nextMidnightMs(nowMs) }, changes: [], outbox: [] }
  return commitResult(before, result, [], parts)
}

function nextMidnightMs(nowMs: number): number {
  return Math.min(nowMs - (nowMs % DAY_MS) + DAY_MS, KEPT_MS_MAX)
}
