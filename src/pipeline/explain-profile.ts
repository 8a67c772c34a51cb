import { explainSegment } from '../audience/evaluate.ts'
import type { Explanation } from '../audience/explain-segment.ts'
import type { ExplainedNode, ExplainView } from '../contract.ts'
import { runInSlices } from '../lib/slices.ts'
import type { SegmentId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { isoTime } from '../model/time.ts'
import type { Parts } from './parts.ts'
import { leaveMoments, profileIdOf } from './profile-views.ts'
import { readJudged } from './read-judged.ts'
import { profilesOf, readMerged, viewsOf } from './visitor.ts'

/** Every destination that was told of a membership, or is to be: from delivery. */
export type WhoIsTold = (profile: Profile, segmentId: SegmentId) => Promise<ExplainView['told']>

/** Why a profile is, or is not, in a segment, now or at a later moment as things stand [OPS-52]. */
export async function explainProfile(
  text: string,
  segmentId: SegmentId,
  atMs: number | undefined,
  parts: Parts,
  whoIsTold: WhoIsTold,
): Promise<ExplainView | undefined> {
  const id = profileIdOf(text)
  const profile = id === undefined ? undefined : await readJudged(id, parts)
  const rulebook = parts.rulebook()
  if (profile === undefined || rulebook.audience.segment(segmentId) === undefined) return undefined
  const nowMs = atMs ?? parts.judgedMs(parts.clock())
  const merged = await readMerged(parts.profiles, rulebook, profile.links)
  const views = viewsOf(rulebook, profile, merged)
  const explanation = await runInSlices(explainSegment(rulebook.audience, segmentId, views, nowMs))
  if (explanation === undefined) return undefined
  const { mergeRuleId } = rulebook.audience.segment(segmentId) ?? {}
  const profiles = (mergeRuleId && profilesOf(rulebook, profile, merged)(mergeRuleId)) ?? []
  const at = profile.segments.sids.indexOf(segmentId)
  const isIn = at >= 0 && profile.segments.left[at] === 0
  const leavesMs = isIn ? (await leaveMoments(rulebook, profile, [segmentId], parts, nowMs)).get(segmentId) : undefined
  const ids = profiles.map((each) => each.id)
  return {
    rule: await runInSlices(nodeView(explanation, ids, { made: 0 })),
    inSince: isIn ? isoTime((profile.segments.sinceSeconds[at] as number) * 1000) : null,
    leavesAt: leavesMs === undefined ? null : isoTime(leavesMs),
    told: await whoIsTold(profile, segmentId),
  }
}

/** Nodes made between two yields. */
const STEP = 64

/** The tree with profiles named, where the evaluator only knows their places. */
function* nodeView(
  { children, profiles, days, ...node }: Explanation,
  ids: readonly string[],
  progress: { made: number },
): Generator<void, ExplainedNode> {
  if (++progress.made % STEP === 0) yield
  const views: ExplainedNode[] = []
  for (const child of children ?? []) views.push(yield* nodeView(child, ids, progress))
  return {
    ...node,
    ...(days === undefined ? {} : { days: [...days] }),
    ...(profiles === undefined ? {} : { profiles: profiles.map((at) => ids[at] ?? '') }),
    ...(children === undefined ? {} : { children: views }),
  }
}
