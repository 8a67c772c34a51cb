import type { SegmentId } from '../model/ids.ts'
import type { MembershipChange } from '../model/membership-change.ts'
import { indexOfSid, LeaveReason, type SegmentTable, type TraitTable } from '../model/profile.ts'
import { utcDay } from '../model/time.ts'
import type { AudienceRules } from './audience-rules.ts'
import type { SegmentFacts, SegmentIndex, Views } from './segment-index.ts'
import type { TraitFacts } from './trait-facts.ts'

export interface EvaluateOptions {
  /** Traits that were just realized; `'all'` when anything else may have changed an answer (time, rules, merged profiles). */
  readonly touched: Int32Array | 'all'
  /**
   * Trait tables merged under a merge rule [AUD-204]; undefined when the profile takes no part in it: then it is in none
   * of its segments. Asked at most twice for each merge rule.
   */
  readonly views: Views
  /** The profile leaves every segment [OUT-52]. */
  readonly optedOut?: boolean
}

export interface Evaluated {
  readonly segments: SegmentTable
  /** Ascending by segment. */
  readonly changes: readonly MembershipChange[]
}

/** Segments left longer ago than this are forgotten. */
export const LEFT_KEPT_DAYS = 30
const LEFT_KEPT_SECONDS = LEFT_KEPT_DAYS * 86_400

/**
 * Evaluates the segments that may have changed, and returns the memberships that follow.
 *
 * A paused segment is not evaluated: its members stay, and it gets no new ones [AUD-123]. Members of a deleted segment
 * leave with the next `'all'`. The reason for leaving is `ttl` when the segment would still hold had no trait expired,
 * otherwise `rule` [OUT-51]; so expired traits must still stand in the tables (`dropExpired` comes after).
 */
export function evaluateSegments(
  rules: AudienceRules,
  segments: SegmentTable,
  options: EvaluateOptions,
  nowMs: number,
): Evaluated {
  const nowSeconds = Math.floor(nowMs / 1000)
  if (options.optedOut === true) return rewrite(segments, leaveEverything(segments), nowSeconds)
  const day = utcDay(nowMs)
  const { segments: index, facts } = rules.compiled
  index.begin(options.views, day, false)
  const decisions: Decision[] = []
  for (const segment of candidates(index, facts, segments, options.touched)) {
    const { segmentId } = index.tables.segments[segment] as SegmentFacts
    const holds = index.holds(segment)
    if (holds || wasMember(segments, segmentId))
      decisions.push({ segmentId, segment, left: holds ? 0 : LeaveReason.rule })
  }
  if (options.touched === 'all') decisions.push(...deletedSegments(index, segments))
  nameExpiry(index, decisions, options.views, day)
  return rewrite(
    segments,
    decisions.sort((a, b) => a.segmentId - b.segmentId),
    nowSeconds,
  )
}

/** What a segment is found to be: `left` is 0 for a member, otherwise the reason for not being one. */
interface Decision {
  readonly segmentId: SegmentId
  /** Number of the segment; -1 when it does not exist any more. */
  readonly segment: number
  left: 0 | LeaveReason
}

function candidates(
  index: SegmentIndex,
  facts: TraitFacts,
  members: SegmentTable,
  touched: Int32Array | 'all',
): number[] {
  const found: number[] = []
  const { ids, segments, mergeRuleIds } = index.tables
  if (touched !== 'all') {
    for (const sid of touched) addUsers(index, facts, sid, -1, found)
    return found
  }
  for (let merge = 0; merge < mergeRuleIds.length; merge++) {
    const tables: readonly TraitTable[] = index.tablesOf(merge) ?? []
    for (const table of tables) for (const sid of table.sids) addUsers(index, facts, sid, merge, found)
  }
  for (let i = 0; i < members.sids.length; i++) {
    const segment = ids.get(members.sids[i] as number)
    if (segment < 0 || members.left[i] !== 0 || segments[segment]?.status !== 'ACTIVE') continue
    if (index.visit(segment)) found.push(segment)
  }
  return found
}

/** Active segments that name the trait, or a folder it lies in [AUD-103]. @param merge of this merge rule, or -1: any */
function addUsers(index: SegmentIndex, facts: TraitFacts, sid: number, merge: number, found: number[]): void {
  const position = facts.positionOf(sid)
  if (position < 0) return
  addUsersAt(index, position, merge, found)
  for (const folderTrait of facts.folderTraitsOf(position)) addUsersAt(index, folderTrait, merge, found)
}

function addUsersAt(index: SegmentIndex, position: number, merge: number, found: number[]): void {
  const { usersStart, users, mergeOf } = index.tables
  const end = usersStart[position + 1] as number
  for (let at = usersStart[position] as number; at < end; at++) {
    const segment = users[at] as number
    if ((merge < 0 || mergeOf[segment] === merge) && index.visit(segment)) found.push(segment)
  }
}

function deletedSegments(index: SegmentIndex, members: SegmentTable): Decision[] {
  const gone: Decision[] = []
  for (let i = 0; i < members.sids.length; i++) {
    const segmentId = members.sids[i] as SegmentId
    if (members.left[i] === 0 && index.tables.ids.get(segmentId) < 0)
      gone.push({ segmentId, segment: -1, left: LeaveReason.rule })
  }
  return gone
}

/** Segments that would hold if no trait had expired are left for that reason. */
function nameExpiry(index: SegmentIndex, decisions: readonly Decision[], views: Views, day: number): void {
  const leaving = decisions.filter((decision) => decision.left !== 0 && decision.segment >= 0)
  if (leaving.length === 0) return
  index.begin(views, day, true)
  for (const decision of leaving) if (index.holds(decision.segment)) decision.left = LeaveReason.ttl
}

function leaveEverything(segments: SegmentTable): Decision[] {
  const decisions: Decision[] = []
  for (let i = 0; i < segments.sids.length; i++) {
    const segmentId = segments.sids[i] as SegmentId
    if (segments.left[i] === 0) decisions.push({ segmentId, segment: -1, left: LeaveReason.optout })
  }
  return decisions
}

function wasMember(segments: SegmentTable, segmentId: number): boolean {
  const at = indexOfSid(segments.sids, segmentId)
  return at >= 0 && segments.left[at] === 0
}

/**
 * Lays ascending decisions over the table.
 * @returns the same table when nothing differs; one that shares all but `verifiedSeconds` when only that does
 */
function rewrite(table: SegmentTable, decisions: readonly Decision[], nowSeconds: number): Evaluated {
  const changes: MembershipChange[] = []
  for (const { segmentId, left } of decisions) {
    if (left === 0 && !wasMember(table, segmentId)) changes.push({ segmentId, member: true, reason: undefined })
    if (left !== 0) changes.push({ segmentId, member: false, reason: left })
  }
  if (changes.length === 0 && !hasForgettable(table, nowSeconds)) {
    return { segments: verify(table, decisions, nowSeconds), changes }
  }
  const rows = new Rows()
  let i = 0
  for (const { segmentId, left } of decisions) {
    while (i < table.sids.length && (table.sids[i] as number) < segmentId) rows.keep(table, i++, nowSeconds)
    const isKnown = i < table.sids.length && table.sids[i] === segmentId
    const stays = left === 0 && isKnown && table.left[i] === 0
    rows.add(segmentId, left, stays ? (table.sinceSeconds[i] as number) : nowSeconds, nowSeconds)
    if (isKnown) i += 1
  }
  while (i < table.sids.length) rows.keep(table, i++, nowSeconds)
  return { segments: rows.toTable(), changes }
}

function verify(table: SegmentTable, members: readonly Decision[], nowSeconds: number): SegmentTable {
  const isCurrent = ({ segmentId }: Decision) => table.verifiedSeconds[indexOfSid(table.sids, segmentId)] === nowSeconds
  if (members.every(isCurrent)) return table
  const verifiedSeconds = table.verifiedSeconds.slice()
  for (const { segmentId } of members) verifiedSeconds[indexOfSid(table.sids, segmentId)] = nowSeconds
  return { ...table, verifiedSeconds }
}

function hasForgettable(table: SegmentTable, nowSeconds: number): boolean {
  for (let i = 0; i < table.sids.length; i++) if (isForgettable(table, i, nowSeconds)) return true
  return false
}

function isForgettable(table: SegmentTable, i: number, nowSeconds: number): boolean {
  return table.left[i] !== 0 && (table.sinceSeconds[i] as number) + LEFT_KEPT_SECONDS <= nowSeconds
}

class Rows {
  readonly #sids: number[] = []
  readonly #left: number[] = []
  readonly #since: number[] = []
  readonly #verified: number[] = []

  keep(table: SegmentTable, i: number, nowSeconds: number): void {
    if (isForgettable(table, i, nowSeconds)) return
    const { sids, left, sinceSeconds, verifiedSeconds } = table
    this.add(sids[i] as number, left[i] as number, sinceSeconds[i] as number, verifiedSeconds[i] as number)
  }

  add(sid: number, left: number, since: number, verified: number): void {
    this.#sids.push(sid)
    this.#left.push(left)
    this.#since.push(since)
    this.#verified.push(verified)
  }

  toTable(): SegmentTable {
    return {
      sids: Int32Array.from(this.#sids),
      left: Uint8Array.from(this.#left),
      sinceSeconds: Uint32Array.from(this.#since),
      verifiedSeconds: Uint32Array.from(this.#verified),
    }
  }
}
