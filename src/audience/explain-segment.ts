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

/** @returns undefined when there is no such segment, its rule cannot be read, or the profile takes no part in it */
export function explainSegment(
  rules: AudienceRules,
  segmentId: SegmentId,
  views: Views,
  nowMs: number,
): Explanation | undefined {
  const segment = rules.segment(segmentId)
  const rule = segment === undefined ? undefined : ruleOf(segment)
  const tables = segment === undefined ? undefined : views(segment.mergeRuleId)
  if (rule === undefined || tables === undefined) return undefined
  return explain(rules, rule, tables, utcDay(nowMs))
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

function explain(rules: AudienceRules, rule: SegmentRule, tables: readonly TraitTable[], day: number): Explanation {
  if (!isOperator<TraitReference | Frequency>(rule)) {
    return rule.op === 'trait'
      ? explainTrait(rules, rule.sid, undefined, tables, day)
      : explainFrequency(rules, rule, tables, day)
  }
  if (rule.op === 'not') {
    const child = explain(rules, rule.child, tables, day)
    return { op: 'not', holds: !child.holds, children: [child] }
  }
  const children = rule.children.map((child) => explain(rules, child, tables, day))
  const holds = rule.op === 'and' ? children.every((child) => child.holds) : children.some((child) => child.holds)
  return { op: rule.op, holds, children }
}

function explainFrequency(
  rules: AudienceRules,
  rule: Frequency,
  tables: readonly TraitTable[],
  day: number,
): Explanation {
  const { sids, window, operator, required } = rule
  const traits = sids.map((sid) => explainTrait(rules, sid, window, tables, day))
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

function explainTrait(
  rules: AudienceRules,
  sid: TraitId,
  window: Frequency['window'],
  tables: readonly TraitTable[],
  day: number,
): Explanation {
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
