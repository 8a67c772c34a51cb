import { describe, expect, test } from 'vitest'
import type { Definitions } from '../model/definitions.ts'
import type { FolderId, MergeRuleId } from '../model/ids.ts'
import { EMPTY_SEGMENTS, LeaveReason, type SegmentTable, type TraitTable } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { makeDefinitions, makeFolder, makeMergeRule, makeSegment, makeTrait } from '../testkit/audience-definitions.ts'
import { membersOf, segmentTable, traitTable } from '../testkit/audience-tables.ts'
import { runThrough } from '../testkit/run-through.ts'
import { type AudienceRules, buildAudienceRules } from './audience-rules.ts'
import { evaluateSegments, nextChangeMs } from './evaluate.ts'

const LEFT_KEPT_DAYS = 30

/** 1 October 2026. */
const OCTOBER = Date.UTC(2026, 9, 1) / DAY_MS
const ruleBased = (sid: number, fields = {}) => makeTrait(sid, { traitRule: 'a == 1', ...fields })
const TRAITS = [1, 2, 3].map((sid) => ruleBased(sid))

function rulesOf(fields: Partial<Definitions>): AudienceRules {
  return runThrough(buildAudienceRules(makeDefinitions({ traits: TRAITS, ...fields })))
}

/** All segments of a profile on a day. */
function evaluate(rules: AudienceRules, traits: TraitTable, segments: SegmentTable = EMPTY_SEGMENTS, day = OCTOBER) {
  return evaluateSegments(rules, segments, { touched: 'all', views: () => [traits] }, day * DAY_MS)
}

function holds(rule: string, traits: TraitTable, day = OCTOBER): boolean {
  return (
    membersOf(evaluate(rulesOf({ segments: [makeSegment(9, rule)] }), traits, EMPTY_SEGMENTS, day).segments).length ===
    1
  )
}

describe('rules', () => {
  test('recency: on 1 October, <= 5D counts 26 September to 1 October, >= 5D up to 26 September [AUD-133]', () => {
    const on = (day: number) => traitTable({ 1: { [day]: 1 } })
    for (const [daysAgo, within, before] of [
      [0, true, false],
      [4, true, false],
      [5, true, true],
      [6, false, true],
      [100, false, true],
    ] as const) {
      expect(holds('FREQUENCY([1T] <= 5D) >= 1', on(OCTOBER - daysAgo))).toBe(within)
      expect(holds('FREQUENCY([1T] >= 5D) >= 1', on(OCTOBER - daysAgo))).toBe(before)
    }
    // On 11 October the boundary is 6 October.
    expect(holds('FREQUENCY([1T] <= 5D) >= 1', on(OCTOBER + 5), OCTOBER + 10)).toBe(true)
    expect(holds('FREQUENCY([1T] <= 5D) >= 1', on(OCTOBER + 4), OCTOBER + 10)).toBe(false)
  })

  test('counts of the traits in a list are added; the same trait twice counts twice [AUD-130], [AUD-346]', () => {
    const traits = traitTable({ 1: { [OCTOBER]: 2 }, 2: { [OCTOBER - 1]: 1 } })
    expect(holds('FREQUENCY([1T,2T]) == 3', traits)).toBe(true)
    expect(holds('FREQUENCY([1T,1T]) == 4', traits)).toBe(true)
    expect(holds('FREQUENCY([1T,2T] <= 5D) >= 4', traits)).toBe(false)
  })

  test('days no longer kept count in the total and in what lies before a window [AUD-139]', () => {
    const traits = { ...traitTable({ 1: { [OCTOBER]: 2 } }), totals: Uint32Array.of(10) }
    expect(holds('FREQUENCY([1T]) == 10', traits)).toBe(true)
    expect(holds('FREQUENCY([1T] >= 5D) == 8', traits)).toBe(true)
  })

  test('not more than x impressions, and not after a conversion [AUD-144], [AUD-143]', () => {
    expect(holds('1T AND FREQUENCY([2T]) <= 3', traitTable({ 1: { [OCTOBER]: 1 }, 2: { [OCTOBER]: 3 } }))).toBe(true)
    expect(holds('1T AND FREQUENCY([2T]) <= 3', traitTable({ 1: { [OCTOBER]: 1 }, 2: { [OCTOBER]: 4 } }))).toBe(false)
    expect(holds('1T AND NOT 2T', traitTable({ 1: { [OCTOBER]: 1 }, 2: { [OCTOBER]: 1 } }))).toBe(false)
  })

  test('a bare reference is live, and an expired trait is seen by nothing [AUD-134], [AUD-340]', () => {
    const rules = (rule: string) =>
      rulesOf({
        folders: [makeFolder(1, 0, 50)],
        traits: [ruleBased(1, { ttlDays: 2 }), makeTrait(50, { traitType: 'FOLDER_TRAIT' }), ruleBased(2)],
        segments: [makeSegment(9, rule)],
      })
    for (const rule of ['1T', 'FREQUENCY([1T]) >= 1', '50T', 'FREQUENCY([50T] <= 30D) >= 1']) {
      const traits = traitTable({ 1: { [OCTOBER]: 1 } })
      expect(membersOf(evaluate(rules(rule), traits, EMPTY_SEGMENTS, OCTOBER + 2).segments)).toEqual([9])
      expect(membersOf(evaluate(rules(rule), traits, EMPTY_SEGMENTS, OCTOBER + 3).segments)).toEqual([])
    }
  })

  test('A OR B ends with the longer trait, A AND B holds while both live [AUD-88]', () => {
    const rules = rulesOf({
      traits: [ruleBased(1, { ttlDays: 30 }), ruleBased(2, { ttlDays: 15 })],
      segments: [makeSegment(8, '1T OR 2T'), makeSegment(9, '1T AND 2T')],
    })
    // Day 1 and day 10 of the page's figure.
    const traits = traitTable({ 1: { [OCTOBER + 1]: 1 }, 2: { [OCTOBER + 10]: 1 } })
    const on = (day: number) => membersOf(evaluate(rules, traits, EMPTY_SEGMENTS, OCTOBER + day).segments)
    expect([on(10), on(25), on(26), on(31), on(32)]).toEqual([[8, 9], [8, 9], [8], [8], []])
  })

  test('a folder trait is any trait in the folder and below, its frequency their sum, onboarded ones adding 1 [AUD-53], [AUD-103]', () => {
    const inFolder = (folderId: number) => ({ folderId: folderId as FolderId })
    const rules = rulesOf({
      folders: [makeFolder(1, 0, 51), makeFolder(2, 1, 52), makeFolder(3, 0, 53)],
      traits: [
        ruleBased(1, inFolder(1)),
        ruleBased(2, inFolder(2)),
        makeTrait(3, inFolder(2)),
        ruleBased(4, inFolder(3)),
        ...[51, 52, 53].map((sid) => makeTrait(sid, { traitType: 'FOLDER_TRAIT' })),
      ],
      segments: [
        makeSegment(7, 'FREQUENCY([51T]) == 7'),
        makeSegment(8, 'FREQUENCY([52T]) == 2'),
        makeSegment(9, '53T'),
      ],
    })
    const traits = traitTable({ 1: { [OCTOBER]: 5 }, 2: { [OCTOBER]: 1 }, 3: { [OCTOBER]: 1 } })
    expect(membersOf(evaluate(rules, traits).segments)).toEqual([7, 8])
    const touched = evaluateSegments(
      rules,
      EMPTY_SEGMENTS,
      { touched: Int32Array.of(2), views: () => [traits] },
      OCTOBER * DAY_MS,
    )
    expect(membersOf(touched.segments)).toEqual([7, 8])
  })
})

describe('memberships', () => {
  const rules = rulesOf({ segments: [makeSegment(8, '1T AND NOT 2T'), makeSegment(9, '1T AND 3T')] })
  const seconds = (day: number) => (day * DAY_MS) / 1000

  test('only segments of the touched traits are evaluated, and verified while they hold [AUD-141~], [OUT-49]', () => {
    const traits = traitTable({ 1: { [OCTOBER]: 1 }, 3: { [OCTOBER]: 1 } })
    const before = segmentTable([8, 9], seconds(OCTOBER))
    const touched = evaluateSegments(
      rules,
      before,
      { touched: Int32Array.of(3), views: () => [traits] },
      (OCTOBER + 1) * DAY_MS,
    )
    expect(touched.changes).toEqual([])
    expect([...touched.segments.verifiedSeconds]).toEqual([seconds(OCTOBER), seconds(OCTOBER + 1)])
    expect(touched.segments.sinceSeconds).toBe(before.sinceSeconds)
    const all = evaluate(rules, traits, before, OCTOBER + 1)
    expect([...all.segments.verifiedSeconds]).toEqual([seconds(OCTOBER + 1), seconds(OCTOBER + 1)])
    expect([...before.verifiedSeconds]).toEqual([seconds(OCTOBER), seconds(OCTOBER)])
  })

  test('a table that does not change is returned as it is', () => {
    const before = segmentTable([8], seconds(OCTOBER))
    expect(evaluate(rules, traitTable({ 1: { [OCTOBER]: 1 } }), before).segments).toBe(before)
    expect(evaluate(rules, traitTable({})).segments).toBe(EMPTY_SEGMENTS)
  })

  test('entering and leaving are changes, with the time of each [AUD-143]', () => {
    const entered = evaluate(rules, traitTable({ 1: { [OCTOBER]: 1 } }))
    expect(entered.changes).toEqual([{ segmentId: 8, member: true, reason: undefined }])
    const traits = traitTable({ 1: { [OCTOBER]: 1 }, 2: { [OCTOBER]: 1 }, 3: { [OCTOBER]: 1 } })
    const left = evaluateSegments(
      rules,
      entered.segments,
      { touched: Int32Array.of(2, 3), views: () => [traits] },
      (OCTOBER + 1) * DAY_MS,
    )
    expect(left.changes).toEqual([
      { segmentId: 8, member: false, reason: LeaveReason.rule },
      { segmentId: 9, member: true, reason: undefined },
    ])
    expect(left.segments).toEqual({
      sids: Int32Array.of(8, 9),
      left: Uint8Array.of(LeaveReason.rule, 0),
      sinceSeconds: Uint32Array.of(seconds(OCTOBER + 1), seconds(OCTOBER + 1)),
      verifiedSeconds: Uint32Array.of(seconds(OCTOBER + 1), seconds(OCTOBER + 1)),
    })
    const again = evaluate(rules, traitTable({ 1: { [OCTOBER]: 1 } }), left.segments, OCTOBER + 2)
    expect(again.changes.map((change) => change.segmentId)).toEqual([8, 9])
    expect([...again.segments.left]).toEqual([0, LeaveReason.rule])
  })

  test('the reason is the TTL when only an expired trait is missing, and the rule otherwise [OUT-51], [OUT-57]', () => {
    const short = rulesOf({
      traits: [ruleBased(1, { ttlDays: 1 }), ruleBased(2)],
      segments: [makeSegment(8, '1T'), makeSegment(9, 'FREQUENCY([2T] <= 1D) >= 1')],
    })
    const traits = traitTable({ 1: { [OCTOBER]: 1 }, 2: { [OCTOBER]: 1 } })
    expect(evaluate(short, traits, segmentTable([8, 9], 1), OCTOBER + 2).changes).toEqual([
      { segmentId: 8, member: false, reason: LeaveReason.ttl },
      { segmentId: 9, member: false, reason: LeaveReason.rule },
    ])
  })

  test('a segment left is remembered for 30 days', () => {
    const left = { ...segmentTable([8], seconds(OCTOBER)), left: Uint8Array.of(LeaveReason.rule) }
    expect(evaluate(rules, traitTable({}), left, OCTOBER + LEFT_KEPT_DAYS - 1).segments).toBe(left)
    expect(evaluate(rules, traitTable({}), left, OCTOBER + LEFT_KEPT_DAYS).segments.sids).toHaveLength(0)
  })

  test('an opt-out leaves every segment, whatever was touched [OUT-52~]', () => {
    const traits = traitTable({ 1: { [OCTOBER]: 1 } })
    const options = { touched: Int32Array.of(1), views: () => [traits], optedOut: true }
    const evaluated = evaluateSegments(rules, segmentTable([8, 77], 1), options, OCTOBER * DAY_MS)
    expect(evaluated.changes.map(({ segmentId, reason }) => [segmentId, reason])).toEqual([
      [8, LeaveReason.optout],
      [77, LeaveReason.optout],
    ])
    expect(evaluateSegments(rules, evaluated.segments, options, OCTOBER * DAY_MS).segments).toBe(evaluated.segments)
  })

  test('a paused segment keeps its members and gets no new ones; a deleted one loses them [AUD-123~]', () => {
    const paused = rulesOf({
      segments: [makeSegment(8, '1T', { status: 'INACTIVE' }), makeSegment(9, '1T', { status: 'INACTIVE' })],
    })
    const gone = evaluate(paused, traitTable({}), segmentTable([8, 10], 1))
    expect(gone.changes).toEqual([{ segmentId: 10, member: false, reason: LeaveReason.rule }])
    expect(membersOf(gone.segments)).toEqual([8])
    expect(evaluate(paused, traitTable({ 1: { [OCTOBER]: 1 } })).changes).toEqual([])
    expect(nextChangeMs(paused, [traitTable({ 1: { [OCTOBER]: 1 } })], OCTOBER * DAY_MS)).toBe(Number.POSITIVE_INFINITY)
  })

  test('a rule that gained a trait takes in those who hold it, without a visit [AUD-142]', () => {
    const wider = rulesOf({ segments: [makeSegment(9, '1T OR 2T')] })
    expect(evaluate(wider, traitTable({ 2: { [OCTOBER - 3]: 1 } })).changes).toEqual([
      { segmentId: 9, member: true, reason: undefined },
    ])
  })
})

describe('merge rules', () => {
  const rules = rulesOf({
    mergeRules: [makeMergeRule(1), makeMergeRule(2, { crossDeviceOption: 'LAST' })],
    segments: [
      makeSegment(8, 'FREQUENCY([1T]) >= 8', { mergeRuleId: 2 as MergeRuleId }),
      makeSegment(9, 'FREQUENCY([1T]) >= 8'),
    ],
  })
  const device = traitTable({ 1: { [OCTOBER]: 3 } })
  const other = traitTable({ 1: { [OCTOBER]: 5 } })

  test('counts of merged profiles add up, under the merge rule that merges them alone [AUD-136], [AUD-204], [AUD-190]', () => {
    const views = (mergeRuleId: MergeRuleId) => (mergeRuleId === 2 ? [device, other] : [device])
    for (const touched of ['all' as const, Int32Array.of(1)]) {
      expect(membersOf(evaluateSegments(rules, EMPTY_SEGMENTS, { touched, views }, OCTOBER * DAY_MS).segments)).toEqual(
        [8],
      )
    }
  })

  test('a profile that takes no part under a merge rule is in none of its segments', () => {
    const views = (mergeRuleId: MergeRuleId) => (mergeRuleId === 2 ? undefined : [device])
    const evaluated = evaluateSegments(rules, segmentTable([8], 1), { touched: 'all', views }, OCTOBER * DAY_MS)
    expect(evaluated.changes).toEqual([{ segmentId: 8, member: false, reason: LeaveReason.rule }])
  })

  test('the rules know which merge rules are in use', () => {
    expect(rules.usesMergeRule(2 as MergeRuleId)).toBe(true)
    expect(rules.usesMergeRule(3 as MergeRuleId)).toBe(false)
    expect(rules.defaultMergeRule?.mergeRuleId).toBe(1)
  })
})
