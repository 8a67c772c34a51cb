import { lastAuthenticated } from '../identity/links.ts'
import { KEPT_MS_MAX } from '../lib/kept-time.ts'
import type { MergeRule } from '../model/definitions.ts'
import type { FollowUp } from '../model/follow-up.ts'
import { deviceProfileId, type ProfileId, parseProfileId, type SegmentId } from '../model/ids.ts'
import { isEvaluated } from '../model/merge-options.ts'
import { indexOfSid, LeaveReason, type Profile, type SegmentTable } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import type { StoredFollowUp } from '../store/profile-store.ts'
import { inactiveAtMs, lastActiveMs, livesWithVisitor } from './inactivity.ts'
import { COMMIT_ATTEMPTS_MAX, type Parts, ProfileContendedError } from './parts.ts'
import type { Rulebook } from './rulebook.ts'
import { storedFollowUps } from './stored-follow-ups.ts'
import { isOfDeleted, withoutDeleted } from './without-deleted.ts'
import { withoutFuture } from './without-future.ts'

/**
 * Brings the memberships of a declared ID up to date. Under *Last Authenticated + Device* an ID is merged with each of its
 * devices pair by pair [AUD-205], and both sides of a pair that qualifies are members [AUD-204]: so the ID is in a
 * segment while any device on which it is the last authenticated one is.
 */
export async function reevaluateDeclared(target: ProfileId, parts: Parts): Promise<readonly StoredFollowUp[]> {
  for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt++) {
    const rulebook = parts.rulebook()
    const nowMs = parts.judgedMs(parts.clock())
    const mayForget = parts.mayForget()
    const [[stored], [optOut]] = await Promise.all([parts.profiles.getMany([target]), parts.profiles.optOuts([target])])
    if (stored === undefined) return []
    const before = withoutDeleted(mayForget ? withoutFuture(stored, nowMs) : stored, rulebook)
    const devices = await parts.profiles.getMany(before.devices.map((link) => deviceProfileId(link.deviceId)))
    const inactiveMs = inactiveAtMs({ id: before.id, lastSeenMs: lastActiveMs(before, devices, rulebook) }, rulebook)
    // Until the last of its devices is gone, partners may have to be told that the visitor left, and by this ID [OUT-55].
    const isAwaited = livesWithVisitor(before, rulebook) && devices.some((device) => device !== undefined)
    if ((inactiveMs <= nowMs && mayForget && !isAwaited) || isOfDeleted(target, rulebook)) {
      const forgotten = await forget(before, nowMs, parts)
      if (forgotten !== undefined) return forgotten
      continue
    }

    const held = optOut === undefined ? membershipsOf(rulebook, before, devices) : new Set<number>()
    const segments = applyMemberships(
      before.segments,
      held,
      optOut === undefined ? LeaveReason.rule : LeaveReason.optout,
      nowMs,
    )
    // A data source may keep its IDs shorter now than when this one was filed.
    const filedMs = Math.min(Math.max(inactiveMs, nowMs - (nowMs % DAY_MS) + DAY_MS), KEPT_MS_MAX)
    const dueMs = before.dueMs > nowMs ? Math.min(before.dueMs, filedMs) : filedMs
    if (before === stored && segments === before.segments && dueMs === before.dueMs) return []
    const profile: Profile = { ...before, segments, dueMs, membershipKey: rulebook.membershipKey }
    const update = { profile, previousDueMs: stored.dueMs, outbox: [], eventId: parts.newEventId(), followUps: [] }
    if (await parts.profiles.commit(update)) return []
  }
  throw new ProfileContendedError(`a profile changed ${COMMIT_ATTEMPTS_MAX} times during one evaluation`)
}

function membershipsOf(
  rulebook: Rulebook,
  person: Profile,
  devices: readonly (Profile | undefined)[],
): ReadonlySet<number> {
  const parsed = parseProfileId(person.id)
  const held = new Set<number>()
  if (parsed?.kind !== 'declared') return held
  const readsPerson = (rule: MergeRule | undefined) =>
    rule !== undefined &&
    isEvaluated(rule) &&
    rule.crossDeviceOption === 'LAST' &&
    rule.crossDeviceDataSourceIds.includes(parsed.dataSourceId)
  for (const device of devices) {
    if (device === undefined || lastAuthenticated(device.links, parsed.dataSourceId)?.id !== parsed.id) continue
    device.segments.sids.forEach((sid, at) => {
      if (device.segments.left[at] !== 0) return
      const segment = rulebook.audience.segment(sid as SegmentId)
      if (segment !== undefined && readsPerson(rulebook.audience.mergeRules.get(segment.mergeRuleId))) held.add(sid)
    })
  }
  return held
}

/** The table in which exactly `held` are memberships; the same object when nothing changes. */
function applyMemberships(
  table: SegmentTable,
  held: ReadonlySet<number>,
  reason: LeaveReason,
  nowMs: number,
): SegmentTable {
  const now = Math.floor(nowMs / 1000)
  const isIn = (at: number) => at >= 0 && table.left[at] === 0
  const entered = [...held].filter((sid) => !isIn(indexOfSid(table.sids, sid)))
  const leaves = [...table.sids].some((sid, at) => isIn(at) && !held.has(sid))
  if (entered.length === 0 && !leaves) return table
  const sids = Int32Array.from(new Set([...table.sids, ...held])).sort()
  const rows = [...sids].map((sid) => {
    const at = indexOfSid(table.sids, sid)
    if (held.has(sid))
      return isIn(at)
        ? { left: 0, since: table.sinceSeconds[at] as number, verified: now }
        : { left: 0, since: now, verified: now }
    if (isIn(at)) return { left: reason, since: now, verified: now }
    return {
      left: table.left[at] as number,
      since: table.sinceSeconds[at] as number,
      verified: table.verifiedSeconds[at] as number,
    }
  })
  return {
    sids,
    left: Uint8Array.from(rows, (row) => row.left),
    sinceSeconds: Uint32Array.from(rows, (row) => row.since),
    verifiedSeconds: Uint32Array.from(rows, (row) => row.verified),
  }
}

/**
 * An ID goes, with its mappings, when it was without activity for as long as its data source keeps it [COL-77], or the data
 * source was deleted; its devices are evaluated without it.
 * @returns undefined when the revision race was lost
 */
async function forget(before: Profile, nowMs: number, parts: Parts): Promise<readonly StoredFollowUp[] | undefined> {
  const eventId = parts.newEventId()
  const followUps = before.devices.flatMap((link): readonly FollowUp[] => {
    const target = deviceProfileId(link.deviceId)
    return [
      { kind: 'unlink', target, other: before.id, atMs: nowMs },
      { kind: 'reevaluate', target, atMs: nowMs },
    ]
  })
  const isRemoved = await parts.profiles.remove(before, eventId, followUps)
  return isRemoved ? storedFollowUps(before.id, eventId, followUps) : undefined
}
