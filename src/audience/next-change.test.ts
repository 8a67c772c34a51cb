import { expect, test } from 'vitest'
import { DAY_MS } from '../model/time.ts'
import { makeDefinitions, makeFolder, makeSegment, makeTrait } from '../testkit/audience-definitions.ts'
import { traitTable } from '../testkit/audience-tables.ts'
import { runThrough } from '../testkit/run-through.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { nextChangeMs, nextChangeOfTraits } from './evaluate.ts'

const DAY = 20_000
const NOW = DAY * DAY_MS + 5_000_000

function rulesOf(segmentRule: string, ttlDays = 0) {
  const traits = [1, 2].map((sid) => makeTrait(sid, { traitRule: 'a == 1', ttlDays }))
  const folderTrait = makeTrait(50, { traitType: 'FOLDER_TRAIT', ttlDays: 0 })
  const segments = [makeSegment(9, segmentRule)]
  return runThrough(
    buildAudienceRules(
      makeDefinitions({ folders: [makeFolder(1, 0, 50)], traits: [...traits, folderTrait], segments }),
    ),
  )
}

test.each([
  ['1T', 0, { 1: { [DAY]: 1 } }, undefined],
  ['1T', 30, { 1: { [DAY]: 1 } }, 31],
  ['1T', 30, { 1: { [DAY - 29]: 1 } }, 2],
  ['1T', 30, { 1: { [DAY - 31]: 1 } }, undefined],
  ['1T', 30, { 2: { [DAY]: 1 } }, undefined],
  ['50T', 30, { 2: { [DAY]: 1 } }, 31],
  ['FREQUENCY([1T] <= 5D) >= 1', 0, { 1: { [DAY]: 1 } }, 6],
  ['FREQUENCY([1T] <= 5D) >= 1', 0, { 1: { [DAY - 5]: 1, [DAY]: 1 } }, 1],
  ['FREQUENCY([1T] <= 5D) >= 1', 0, { 1: { [DAY - 6]: 1, [DAY - 3]: 1 } }, 3],
  ['FREQUENCY([1T] <= 5D) >= 1', 0, { 1: { [DAY - 6]: 1 } }, undefined],
  ['FREQUENCY([1T] >= 5D) >= 1', 0, { 1: { [DAY]: 1 } }, 5],
  ['FREQUENCY([1T] >= 5D) >= 1', 0, { 1: { [DAY - 5]: 1, [DAY - 4]: 1 } }, 1],
  ['FREQUENCY([1T] >= 5D) >= 1', 0, { 1: { [DAY - 5]: 1 } }, undefined],
  ['FREQUENCY([50T] <= 5D) >= 1', 2, { 1: { [DAY]: 1 } }, 3],
  ['FREQUENCY([50T] <= 1D) >= 1', 2, { 1: { [DAY]: 1 } }, 2],
])(
  '%s with TTL %i and %j can change in %j days, at 00:00 UTC [AUD-87], [AUD-133], [AUD-342]',
  (rule, ttlDays, traits, days) => {
    const rules = rulesOf(rule, ttlDays)
    const expected = days === undefined ? Number.POSITIVE_INFINITY : (DAY + days) * DAY_MS
    expect(nextChangeMs(rules, [traitTable({}), traitTable(traits as never)], NOW)).toBe(expected)
    expect(nextChangeOfTraits(rules, traitTable(traits as never), [1, 2, 99], NOW)).toBe(expected)
  },
)

test('only the traits asked for are looked at', () => {
  const rules = rulesOf('1T OR 2T', 10)
  const traits = traitTable({ 1: { [DAY - 9]: 1 }, 2: { [DAY]: 1 } })
  expect(nextChangeOfTraits(rules, traits, [2], NOW)).toBe((DAY + 11) * DAY_MS)
  expect(nextChangeMs(rules, [traits], NOW)).toBe((DAY + 2) * DAY_MS)
})
