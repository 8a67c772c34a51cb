import { explainSegment, isLive } from '../audience/evaluate.ts'
import type { Explanation } from '../audience/explain-segment.ts'
import type { ExplainedNode, ExplainView, ProfileView } from '../contract.ts'
import { type ProfileId, parseProfileId, type SegmentId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { DAY_MS, isoDay, isoTime, utcDay } from '../model/time.ts'
import type { Parts } from './parts.ts'
import type { Rulebook } from './rulebook.ts'
import { profilesOf, readMerged, viewsOf } from './visitor.ts'

/** What destinations were told of a profile, segment by segment; from the delivery store. */
export type ToldOf = (id: ProfileId) => Promise<ProfileView['deliveries']>

/** What is known of a profile, in the shape of [OPS-52]. @returns undefined when nothing is known */
export async function viewProfile(text: string, parts: Parts, toldOf: ToldOf): Promise<ProfileView | undefined> {
  const id = profileIdOf(text)
  if (id === undefined) return undefined
  const [[profile], [optOut]] = await Promise.all([parts.profiles.getMany([id]), parts.profiles.optOuts([id])])
  if (profile === undefined && optOut === undefined) return undefined
  const rulebook = parts.rulebook()
  const nowMs = parts.clock()
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
    traits: traitViews(rulebook, profile, nowMs),
    segments: await segmentViews(rulebook, profile, parts, nowMs),
    consent: consentView(profile),
    optOut: optOutView,
    deliveries: await toldOf(id),
  }
}

/** Why a profile is, or is not, in a segment, now or at a later moment as things stand [OPS-52]. */
export async function explainProfile(
  text: string,
  segmentId: SegmentId,
  atMs: number | undefined,
  parts: Parts,
  toldOf: ToldOf,
): Promise<ExplainView | undefined> {
  const id = profileIdOf(text)
  const [profile] = id === undefined ? [] : await parts.profiles.getMany([id])
  const rulebook = parts.rulebook()
  if (profile === undefined || rulebook.audience.segment(segmentId) === undefined) return undefined
  const nowMs = atMs ?? parts.clock()
  const merged = await readMerged(parts.profiles, rulebook, profile.links)
  const views = viewsOf(rulebook, profile, merged)
  const explanation = explainSegment(rulebook.audience, segmentId, views, nowMs)
  if (explanation === undefined) return undefined
  const { mergeRuleId } = rulebook.audience.segment(segmentId) ?? {}
  const profiles = (mergeRuleId && profilesOf(rulebook, profile, merged)(mergeRuleId)) ?? []
  const at = profile.segments.sids.indexOf(segmentId)
  const isIn = at >= 0 && profile.segments.left[at] === 0
  const told = (await toldOf(profile.id)).filter((view) => view.segment === segmentId)
  return {
    rule: nodeView(
      explanation,
      profiles.map((each) => each.id),
    ),
    inSince: isIn ? isoTime((profile.segments.sinceSeconds[at] as number) * 1000) : null,
    leavesAt: isIn ? leavesAt(rulebook, segmentId, views, nowMs) : null,
    told: told.map(({ destinationId, state, at: when }) => ({
      destinationId,
      state,
      why: when === null ? state : `${state} at ${when}`,
    })),
  }
}

function profileIdOf(text: string): ProfileId | undefined {
  const parsed = parseProfileId(text)
  if (parsed === undefined) return undefined
  return (parsed.kind === 'device' ? `d:${parsed.deviceId}` : `${parsed.dataSourceId}:${parsed.id}`) as ProfileId
}

function traitViews(rulebook: Rulebook, profile: Profile, nowMs: number) {
  const today = utcDay(nowMs)
  const { sids, totals, dayStart, days, dayCounts } = profile.traits
  const views = []
  for (let i = 0; i < sids.length; i++) {
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
  const views = viewsOf(rulebook, profile, await readMerged(parts.profiles, rulebook, profile.links))
  const { sids, left, sinceSeconds } = profile.segments
  return [...sids].map((sid, at) => {
    const definition = rulebook.audience.segment(sid as SegmentId)
    const isIn = left[at] === 0
    return {
      sid,
      name: definition?.name ?? `deleted segment ${sid}`,
      status: isIn ? ('in' as const) : ('out' as const),
      since: isoTime((sinceSeconds[at] as number) * 1000),
      until: isIn ? leavesAt(rulebook, sid as SegmentId, views, nowMs) : null,
      mergeRuleDataSourceId: definition?.mergeRuleId ?? null,
    }
  })
}

/** The tree with profiles named, where the evaluator only knows their places. */
function nodeView({ children, profiles, days, ...node }: Explanation, ids: readonly string[]): ExplainedNode {
  return {
    ...node,
    ...(days === undefined ? {} : { days: [...days] }),
    ...(profiles === undefined ? {} : { profiles: profiles.map((at) => ids[at] ?? '') }),
    ...(children === undefined ? {} : { children: children.map((child) => nodeView(child, ids)) }),
  }
}

const DAYS_LOOKED_AHEAD = 400

/** First midnight at which the segment no longer holds, if nothing happens until then; null when it stays that long. */
function leavesAt(
  rulebook: Rulebook,
  segmentId: SegmentId,
  views: ReturnType<typeof viewsOf>,
  nowMs: number,
): string | null {
  for (let day = utcDay(nowMs) + 1; day <= utcDay(nowMs) + DAYS_LOOKED_AHEAD; day++) {
    if (explainSegment(rulebook.audience, segmentId, views, day * DAY_MS)?.holds !== true) return isoTime(day * DAY_MS)
  }
  return null
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
