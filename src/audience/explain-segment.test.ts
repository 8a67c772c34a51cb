import { expect, test } from 'vitest'
import type { SegmentId } from '../model/ids.ts'
import { DAY_MS, isoDay } from '../model/time.ts'
import { makeDefinitions, makeSegment, makeTrait } from '../testkit/audience-definitions.ts'
import { traitTable } from '../testkit/audience-tables.ts'
import { runThrough } from '../testkit/run-through.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { explainSegment as explainInSteps } from './evaluate.ts'

const DAY = 20_000
const NOW = DAY * DAY_MS
const rules = runThrough(
  buildAudienceRules(
    makeDefinitions({
      traits: [1, 2, 3].map((sid) => makeTrait(sid, { traitRule: 'a == 1', ttlDays: 10 })),
      segments: [makeSegment(9, '1T AND (FREQUENCY([2T] <= 5D) >= 2 OR NOT FREQUENCY([1T,3T]) <= 3)')],
    }),
  ),
)
const ID = 9 as SegmentId
const explainSegment = (...args: Parameters<typeof explainInSteps>) => runThrough(explainInSteps(...args))

test('a segment is explained as a tree with what each part found in which profile [OPS-52]', () => {
  const device = traitTable({ 1: { [DAY - 1]: 1 }, 2: { [DAY - 7]: 4, [DAY]: 1 }, 3: { [DAY - 20]: 9 } })
  const person = traitTable({ 1: { [DAY - 1]: 1, [DAY]: 1 } })
  const trait = (sid: number, count: number, profiles: number[], days: [number, number][]) => ({
    op: 'trait',
    holds: count > 0,
    sid,
    count,
    days: days.map(([day, times]) => ({ day: isoDay(day), count: times })),
    profiles,
  })
  const one = trait(
    1,
    3,
    [0, 1],
    [
      [DAY - 1, 2],
      [DAY, 1],
    ],
  )
  expect(explainSegment(rules, ID, () => [device, person], NOW)).toEqual({
    op: 'and',
    holds: false,
    children: [
      one,
      {
        op: 'or',
        holds: false,
        children: [
          {
            ...{ op: 'frequency', holds: false, sid: 2, count: 1, required: 2, requiredOperator: '>=' },
            ...{ windowDays: 5, windowOperator: '<=', profiles: [0] },
            days: [
              { day: isoDay(DAY - 7), count: 4 },
              { day: isoDay(DAY), count: 1 },
            ],
          },
          {
            op: 'not',
            holds: false,
            children: [
              {
                ...{ op: 'frequency', holds: true, count: 3, required: 3, requiredOperator: '<=' },
                children: [one, trait(3, 0, [], [])],
              },
            ],
          },
        ],
      },
    ],
  })
})

test('nothing is explained where nothing can be: an unknown segment, a merge rule the profile takes no part in', () => {
  expect(explainSegment(rules, 8 as SegmentId, () => [], NOW)).toBeUndefined()
  expect(explainSegment(rules, ID, () => undefined, NOW)).toBeUndefined()
})
