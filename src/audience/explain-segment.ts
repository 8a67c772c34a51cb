import type { SegmentId, TraitId } from '../model/ids.ts'
import { indexOfSid, type TraitTable } from '../model/profile.ts'
import { isoDay, utcDay } from '../model/time.ts'
import type { AudienceRules } from './audience-rules.ts'
import { countRealizations, type TraitRef } from './count-realizations.ts'
import { isOperator } from './rules/expression.ts'
import {
  compareCount,
  type Frequency,
  parseSegmentRule,
  type SegmentRule,
  type TraitReference,
} from './rules/segment-rule.ts'
import type { SegmentFacts, Views } from './segment-index.ts'

/** A segment rule with what each part of it finds in a profile: the tree of [OPS-52]. */
export interface Explanation {
  readonly op: 'and' | 'or' | 'not' | 'trait' | 'frequency'
  readonly holds: boolean
  /** Of an operator its parts; of a frequency over several traits each of these. */
  readonly children?: readonly Explanation[]
  readonly sid?: TraitId
  /** Realizations found, inside the window if there is one. */
  readonly count?: number
  readonly windowDays?: number
  readonly windowOperator?: '>=' | '<='
  readonly required?: number
  readonly requiredOperator?: '>=' | '<=' | '=='
  /** UTC days of kept realizations, all profiles together, ascending. */
  readonly days?: readonly { readonly day: string; readonly count: number }[]
  /** Which of the merged trait tables hold the trait live, by their place in the view. */
  readonly profiles?: readonly number[]
}

/** Leaves explained between two yields: each may look through a table. */
const STEP = 8

/**
 * In steps, for `runInSlices`: a rule may have thousands of parts.
 * @returns undefined when there is no such segment, its rule cannot be read, or the profile takes no part in it
 */
export function* explainSegment(
  rules: AudienceRules,
  segmentId: SegmentId,
  views: Views,
  nowMs: number,
): Generator<void, Explanation | undefined> {
  const segment = rules.segment(segmentId)
  const rule = segment === undefined ? undefined : ruleOf(segment)
  const tables = segment === undefined ? undefined : views(segment.mergeRuleId)
  if (rule === undefined || tables === undefined) return undefined
  return yield* explain({ rules, tables, day: utcDay(nowMs), leaves: 0 }, rule)
}

/** Rules that were explained lately; a rule is read again only when its segment was built anew. */
const read = new WeakMap<SegmentFacts, SegmentRule>()

function ruleOf(segment: SegmentFacts): SegmentRule | undefined {
  const known = read.get(segment)
  if (known !== undefined) return known
  const parsed = parseSegmentRule(segment.segmentRule)
  if (!parsed.ok) return undefined
  read.set(segment, parsed.rule)
  return parsed.rule
}

interface Explained {
  readonly rules: AudienceRules
  readonly tables: readonly TraitTable[]
  readonly day: number
  /** Explained so far. */
  leaves: number
}

function* explain(whole: Explained, rule: SegmentRule): Generator<void, Explanation> {
  if (!isOperator<TraitReference | Frequency>(rule))
    return rule.op === 'trait' ? yield* explainTrait(whole, rule.sid, undefined) : yield* explainFrequency(whole, rule)
  if (rule.op === 'not') {
    const child = yield* explain(whole, rule.child)
    return { op: 'not', holds: !child.holds, children: [child] }
  }
  const children: Explanation[] = []
  for (const child of rule.children) children.push(yield* explain(whole, child))
  const holds = rule.op === 'and' ? children.every((child) => child.holds) : children.some((child) => child.holds)
  return { op: rule.op, holds, children }
}

function* explainFrequency(whole: Explained, rule: Frequency): Generator<void, Explanation> {
  const { sids, window, operator, required } = rule
  const traits: Explanation[] = []
  for (const sid of sids) traits.push(yield* explainTrait(whole, sid, window))
  const count = traits.reduce((sum, trait) => sum + (trait.count ?? 0), 0)
  const result = {
    op: 'frequency' as const,
    holds: compareCount(count, operator, required),
    count,
    required,
    requiredOperator: operator,
    ...(window === undefined ? {} : { windowDays: window.days, windowOperator: window.operator }),
  }
  const [only] = traits
  if (traits.length > 1 || only === undefined) return { ...result, children: traits }
  const { sid, days, profiles } = only
  return { ...result, ...(sid === undefined ? {} : { sid }), days: days ?? [], profiles: profiles ?? [] }
}

function* explainTrait(whole: Explained, sid: TraitId, window: Frequency['window']): Generator<void, Explanation> {
  if (++whole.leaves % STEP === 0) yield
  const { rules, tables, day } = whole
  const { facts } = rules.compiled
  const ref: TraitRef = { sid, position: facts.positionOf(sid), folders: facts.tree.rangeOf(sid) }
  const counts = tables.map((table) =>
    countRealizations(facts, ref, [table], window, day, Number.POSITIVE_INFINITY, false),
  )
  const count = counts.reduce((sum, one) => sum + one, 0)
  const profiles = counts.flatMap((one, at) => (one > 0 ? [at] : []))
  return { op: 'trait', holds: count > 0, sid, count, days: daysOf(rules, ref, tables, day), profiles }
}

/** Day counts of a live trait; a folder trait shows none of its own. */
function daysOf(
  rules: AudienceRules,
  ref: TraitRef,
  tables: readonly TraitTable[],
  day: number,
): NonNullable<Explanation['days']> {
  const counts = new Map<number, number>()
  for (const table of tables) {
    const index = indexOfSid(table.sids, ref.sid)
    if (index < 0 || !rules.compiled.facts.isLive(ref.position, table, index, day)) continue
    for (let at = table.dayStart[index] as number; at < (table.dayStart[index + 1] as number); at++) {
      const when = table.days[at] as number
      counts.set(when, (counts.get(when) ?? 0) + (table.dayCounts[at] as number))
    }
  }
  return [...counts].sort(([a], [b]) => a - b).map(([when, count]) => ({ day: isoDay(when), count }))
}
