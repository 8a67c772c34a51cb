import { holdingSegments, isLive, leaveTimes } from '../audience/evaluate.ts'
import type { ProfileView } from '../contract.ts'
import { runInSlices } from '../lib/slices.ts'
import { type ProfileId, parseProfileId, type SegmentId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { DAY_MS, isoDay, isoTime, utcDay } from '../model/time.ts'
import type { Parts } from './parts.ts'
import { readJudged } from './read-judged.ts'
import type { Rulebook } from './rulebook.ts'
import { readMerged, viewsOf } from './visitor.ts'

/** What destinations were told of a profile, segment by segment; from the delivery store. */
export type ToldOf = (id: ProfileId) => Promise<ProfileView['deliveries']>

/**
 * What is known of a profile, in the shape of [OPS-52]: brought up to date before, and put together in slices, because a
 * profile may have 150,000 traits and thousands of memberships.
 * @returns undefined when nothing is known
 */
export async function viewProfile(text: string, parts: Parts, toldOf: ToldOf): Promise<ProfileView | undefined> {
  const id = profileIdOf(text)
  if (id === undefined) return undefined
  const [profile, [optOut]] = await Promise.all([readJudged(id, parts), parts.profiles.optOuts([id])])
  if (profile === undefined && optOut === undefined) return undefined
  const rulebook = parts.rulebook()
  const nowMs = parts.judgedMs(parts.clock())
  const parsed = parseProfileId(id)
  const optOutView =
    optOut === undefined ? null : { level: optOut.level, reason: optOut.reason, at: isoTime(optOut.atMs) }
  const head = {
    profileId: id,
    ...(parsed?.kind === 'device' ? { kind: parsed.kind, deviceId: parsed.deviceId } : { kind: 'declared' as const }),
  }
  if (profile === undefined) {
    const at = isoTime(optOut?.atMs ?? nowMs)
    return {
      ...head,
      firstSeen: at,
      lastSeen: at,
      region: null,
      ids: [],
      traits: [],
      segments: [],
      consent: null,
      optOut: optOutView,
      deliveries: [],
    }
  }
  return {
    ...head,
    firstSeen: isoTime(profile.firstSeenMs),
    lastSeen: isoTime(profile.lastSeenMs),
    region: profile.regions[0] ?? null,
    ids: profile.links.map((link) => ({
      dataSourceId: link.dataSourceId,
      id: link.id,
      syncedAt: isoTime(link.syncedAtMs),
      authState: link.authState,
    })),
    ...(parsed?.kind === 'declared'
      ? { devices: profile.devices.map((link) => ({ deviceId: link.deviceId, syncedAt: isoTime(link.syncedAtMs) })) }
      : {}),
    traits: await runInSlices(traitViews(rulebook, profile, nowMs)),
    segments: await segmentViews(rulebook, profile, parts, nowMs),
    consent: consentView(profile),
    optOut: optOutView,
    deliveries: await toldOf(id),
  }
}

export function profileIdOf(text: string): ProfileId | undefined {
  const parsed = parseProfileId(text)
  if (parsed === undefined) return undefined
  return (parsed.kind === 'device' ? `d:${parsed.deviceId}` : `${parsed.dataSourceId}:${parsed.id}`) as ProfileId
}

/** Traits made into views between two yields; each may have 120 days. */
const STEP = 32

function* traitViews(rulebook: Rulebook, profile: Profile, nowMs: number): Generator<void, ProfileView['traits']> {
  const today = utcDay(nowMs)
  const { sids, totals, dayStart, days, dayCounts } = profile.traits
  const views: ProfileView['traits'] = []
  for (let i = 0; i < sids.length; i++) {
    if (i % STEP === STEP - 1) yield
    const definition = rulebook.audience.trait(sids[i] as number)
    if (definition === undefined || !isLive(rulebook.audience, profile.traits, i, today)) continue
    const from = dayStart[i] as number
    const to = dayStart[i + 1] as number
    const lastDay = days[to - 1] as number
    views.push({
      sid: sids[i] as number,
      name: definition.name,
      count: totals[i] as number,
      days: Array.from({ length: to - from }, (_, at) => ({
        day: isoDay(days[from + at] as number),
        count: dayCounts[from + at] as number,
      })),
      lastRealized: isoTime(lastDay * DAY_MS),
      expires: definition.ttlDays === 0 ? null : isoDay(lastDay + definition.ttlDays + 1),
    })
  }
  return views
}

async function segmentViews(rulebook: Rulebook, profile: Profile, parts: Parts, nowMs: number) {
  const { sids, left, sinceSeconds } = profile.segments
  const members = [...sids].filter((_, at) => left[at] === 0) as SegmentId[]
  const untilMs = await leaveMoments(rulebook, profile, members, parts, nowMs)
  return [...sids].map((sid, at) => {
    const definition = rulebook.audience.segment(sid as SegmentId)
    const leavesMs = untilMs.get(sid as SegmentId)
    return {
      sid,
      name: definition?.name ?? `deleted segment ${sid}`,
      status: left[at] === 0 ? ('in' as const) : ('out' as const),
      since: isoTime((sinceSeconds[at] as number) * 1000),
      until: leavesMs === undefined ? null : isoTime(leavesMs),
      mergeRuleDataSourceId: definition?.mergeRuleId ?? null,
    }
  })
}

/** When time alone ends memberships of a profile; nothing for those that stay for 400 days, or are not held by its own traits. */
export async function leaveMoments(
  rulebook: Rulebook,
  profile: Profile,
  segmentIds: readonly SegmentId[],
  parts: Parts,
  nowMs: number,
): Promise<ReadonlyMap<SegmentId, number>> {
  const merged = await readMerged(parts.profiles, rulebook, profile.links)
  const views = viewsOf(rulebook, profile, merged)
  const tables = [profile.traits, ...[...merged.values()].map((other) => other.traits)]
  const held = await runInSlices(holdingSegments(rulebook.audience, segmentIds, views, nowMs))
  return runInSlices(leaveTimes(rulebook.audience, held, views, tables, nowMs))
}

function consentView(profile: Profile | undefined) {
  const denied = profile?.consent?.deniedDestinations ?? []
  return {
    store: true,
    sync: {},
    deliver: Object.fromEntries(denied.map((id) => [String(id), false])),
    reason: profile?.consent?.reason ?? 'none_applies',
  }
}
