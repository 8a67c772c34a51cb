// Slow: thousands of generated visits against the obvious evaluator.
import { expect, test } from 'vitest'
import type { FolderId, MergeRuleId } from '../model/ids.ts'
import { EMPTY_SEGMENTS, EMPTY_TRAITS, type SegmentTable, type TraitTable } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { makeDefinitions, makeFolder, makeMergeRule, makeSegment, makeTrait } from '../testkit/audience-definitions.ts'
import {
  type ObviousProfile,
  type ObviousSegmentRule,
  type ObviousTrait,
  obviousIsLive,
  obviousRealize,
  obviousSegmentHolds,
  writeSegmentRule,
} from '../testkit/obvious-evaluator.ts'
import fc from '../testkit/properties.ts'
import { runThrough } from '../testkit/run-through.ts'
import { type AudienceRules, buildAudienceRules } from './audience-rules.ts'
import { dropExpired, evaluateSegments, isLive, nextChangeMs, nextChangeOfTraits, realizeTraits } from './evaluate.ts'
import { parseSegmentRule } from './rules/segment-rule.ts'

/** Folder 1 holds folder 2; traits 91 and 92 stand for them. */
const folders = [makeFolder(1, 0, 91), makeFolder(2, 1, 92)]
const FOLDER_TRAITS = [91, 92]
const TRAITS = [1, 2, 3, 4, 5]
const FIRST_DAY = 20_000

const someTraits = fc.tuple(
  ...TRAITS.map((sid) =>
    fc.record({
      sid: fc.constant(sid),
      ttlDays: fc.constantFrom(0, 1, 2, 5, 30),
      countsOnce: fc.boolean(),
      folderTraits: fc.constantFrom([], [91], [91, 92]),
    }),
  ),
)
const sids = fc.constantFrom(...TRAITS, ...FOLDER_TRAITS)
const { rule: segmentRules } = fc.letrec<{ rule: ObviousSegmentRule }>((tie) => ({
  rule: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ trait: sids }),
    fc.record(
      {
        traits: fc.array(sids, { minLength: 1, maxLength: 3 }),
        recency: fc.record({
          operator: fc.constantFrom('<=' as const, '>=' as const),
          days: fc.constantFrom(1, 2, 3, 7),
        }),
        operator: fc.constantFrom('<=' as const, '>=' as const, '==' as const),
        times: fc.integer({ min: 0, max: 4 }),
      },
      { requiredKeys: ['traits', 'operator', 'times'] },
    ),
    fc.record({ and: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('rule') }),
  ),
}))
const manySegmentRules = fc.array(segmentRules, { minLength: 1, maxLength: 12 })
/** Traits realized day by day; mostly none. */
const visits = fc.array(
  fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.uniqueArray(fc.constantFrom(...TRAITS), { maxLength: 3 })),
  {
    minLength: 3,
    maxLength: 25,
  },
)

function build(traits: readonly ObviousTrait[], rules: readonly ObviousSegmentRule[], mergeRuleId = 1): AudienceRules {
  return runThrough(
    buildAudienceRules(
      makeDefinitions({
        folders,
        mergeRules: [makeMergeRule(1), makeMergeRule(2)],
        traits: [
          ...traits.map(({ sid, ttlDays, countsOnce, folderTraits }) =>
            makeTrait(sid, {
              traitType: countsOnce ? 'ON_BOARDED_TRAIT' : 'RULE_BASED_TRAIT',
              ttlDays,
              folderId: (folderTraits.length === 0 ? 7 : folderTraits.length) as FolderId,
            }),
          ),
          ...FOLDER_TRAITS.map((sid) =>
            makeTrait(sid, { traitType: 'FOLDER_TRAIT', folderId: (sid - 90) as FolderId }),
          ),
        ],
        segments: rules.map((rule, i) =>
          makeSegment(500 - i, writeSegmentRule(rule), { mergeRuleId: mergeRuleId as MergeRuleId }),
        ),
      }),
    ),
  )
}

const withoutEmptyTrue = (rules: readonly ObviousSegmentRule[], traits: readonly ObviousTrait[]) =>
  rules.filter((rule) => !obviousSegmentHolds(rule, traits, [], FIRST_DAY))

function membersOf(segments: SegmentTable): number[] {
  return [...segments.sids].filter((_, i) => segments.left[i] === 0)
}

function expectedMembers(
  rules: readonly ObviousSegmentRule[],
  traits: readonly ObviousTrait[],
  profiles: readonly ObviousProfile[],
  day: number,
) {
  const expected = rules.flatMap((rule, i) => (obviousSegmentHolds(rule, traits, profiles, day) ? [500 - i] : []))
  return expected.sort((a, b) => a - b)
}

/** The live part of a table as the obvious evaluator keeps it. */
function liveDays(rules: AudienceRules, table: TraitTable, day: number): [number, number[]][] {
  return [...table.sids].flatMap((sid, i): [number, number[]][] => {
    if (!isLive(rules, table, i, day)) return []
    const days: number[] = []
    for (let at = table.dayStart[i] as number; at < (table.dayStart[i + 1] as number); at++) {
      for (let n = 0; n < (table.dayCounts[at] as number); n++) days.push(table.days[at] as number)
    }
    expect(table.totals[i]).toBe(days.length)
    return [[sid, days]]
  })
}

test('over days of visits and silence, evaluating only what was touched or is due gives the memberships of the obvious evaluator [AUD-88], [AUD-103], [AUD-133], [AUD-340], [AUD-342], [AUD-345], [AUD-346]', () => {
  fc.assert(
    fc.property(someTraits, manySegmentRules, visits, (traits, allRules, days) => {
      const segmentRules = withoutEmptyTrue(allRules, traits)
      const rules = build(traits, segmentRules)
      const obvious: ObviousProfile = new Map()
      let table = EMPTY_TRAITS
      let segments = EMPTY_SEGMENTS
      let dueMs = Number.POSITIVE_INFINITY
      days.forEach((realized, i) => {
        const day = FIRST_DAY + i
        const nowMs = day * DAY_MS + 3_600_000
        for (const sid of realized)
          obviousRealize(obvious, traits.find((trait) => trait.sid === sid) as ObviousTrait, day)
        const isDue = dueMs <= nowMs
        if (realized.length > 0) table = realizeTraits(rules, table, realized, nowMs)
        if (isDue || realized.length > 0) {
          const touched = isDue ? ('all' as const) : Int32Array.from(realized)
          const before = membersOf(segments)
          const evaluated = evaluateSegments(rules, segments, { touched, views: () => [table] }, nowMs)
          segments = evaluated.segments
          const entered = evaluated.changes
            .filter((change) => change.member)
            .map((change) => change.segmentId as number)
          const left = evaluated.changes.filter((change) => !change.member).map((change) => change.segmentId as number)
          expect(membersOf(segments)).toEqual(
            [...before.filter((sid) => !left.includes(sid)), ...entered].sort((a, b) => a - b),
          )
          dueMs = isDue
            ? nextChangeMs(rules, [table], nowMs)
            : Math.min(dueMs, nextChangeOfTraits(rules, table, realized, nowMs))
        }
        expect(membersOf(segments)).toEqual(expectedMembers(segmentRules, traits, [obvious], day))
        expect(dueMs).toBeGreaterThan(nowMs)
        const live = [...obvious].filter(([sid]) =>
          obviousIsLive(traits.find((trait) => trait.sid === sid) as ObviousTrait, obvious, day),
        )
        expect(liveDays(rules, table, day)).toEqual(live.sort(([a], [b]) => a - b))
        const dropped = dropExpired(rules, table, nowMs)
        expect([...dropped.sids]).toEqual(live.map(([sid]) => sid))
        if (i % 5 === 4) table = dropped
      })
    }),
    { numRuns: 1500 },
  )
})

test('under a merge rule the counts of all profiles add up, each trait judged live in its own profile [AUD-136], [AUD-204], [AUD-344]', () => {
  fc.assert(
    fc.property(someTraits, manySegmentRules, visits, visits, (traits, allRules, first, second) => {
      const segmentRules = withoutEmptyTrue(allRules, traits)
      const rules = build(traits, segmentRules, 2)
      const lastDay = FIRST_DAY + 26
      const profiles = [first, second].map((days) => {
        const obvious: ObviousProfile = new Map()
        let table = EMPTY_TRAITS
        days.forEach((realized, i) => {
          for (const sid of realized)
            obviousRealize(obvious, traits.find((trait) => trait.sid === sid) as ObviousTrait, FIRST_DAY + i)
          table = realizeTraits(rules, table, realized, (FIRST_DAY + i) * DAY_MS)
        })
        return { obvious, table }
      })
      const views = () => profiles.map(({ table }) => table)
      const evaluated = evaluateSegments(rules, EMPTY_SEGMENTS, { touched: 'all', views }, lastDay * DAY_MS)
      const obvious = profiles.map((profile) => profile.obvious)
      expect(membersOf(evaluated.segments)).toEqual(expectedMembers(segmentRules, traits, obvious, lastDay))
    }),
    { numRuns: 1000 },
  )
})

test('no membership changes by time alone before the moment that was announced [AUD-89], [AUD-143], [AUD-342]', () => {
  fc.assert(
    fc.property(someTraits, manySegmentRules, visits, (traits, allRules, days) => {
      const segmentRules = withoutEmptyTrue(allRules, traits)
      const rules = build(traits, segmentRules)
      const obvious: ObviousProfile = new Map()
      let table = EMPTY_TRAITS
      days.forEach((realized, i) => {
        for (const sid of realized)
          obviousRealize(obvious, traits.find((trait) => trait.sid === sid) as ObviousTrait, FIRST_DAY + i)
        table = realizeTraits(rules, table, realized, (FIRST_DAY + i) * DAY_MS)
      })
      let day = FIRST_DAY + days.length
      let announced = nextChangeMs(rules, [table], day * DAY_MS)
      const horizon = day + 45
      for (let previous = expectedMembers(segmentRules, traits, [obvious], day); day < horizon; ) {
        day += 1
        const members = expectedMembers(segmentRules, traits, [obvious], day)
        if (day * DAY_MS < announced) expect(members).toEqual(previous)
        else announced = nextChangeMs(rules, [table], day * DAY_MS)
        previous = members
      }
    }),
    { numRuns: 1000 },
  )
})

test('exactly the segment rules that hold for an empty profile are refused [AUD-135]', () => {
  fc.assert(
    fc.property(segmentRules, (rule) => {
      expect(parseSegmentRule(writeSegmentRule(rule)).ok).toBe(!obviousSegmentHolds(rule, [], [], FIRST_DAY))
    }),
    { numRuns: 2000 },
  )
})
