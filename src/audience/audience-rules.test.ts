import { expect, test } from 'vitest'
import type { Definitions } from '../model/definitions.ts'
import type { DataSourceId } from '../model/ids.ts'
import { Signals } from '../model/signals.ts'
import { makeDefinitions, makeSegment, makeTrait } from '../testkit/audience-definitions.ts'
import { runThrough } from '../testkit/run-through.ts'
import { type AudienceRules, buildAudienceRules } from './audience-rules.ts'
import { matchTraits } from './evaluate.ts'

const build = (fields: Partial<Definitions>, previous?: AudienceRules) =>
  runThrough(buildAudienceRules(makeDefinitions(fields), previous))
const match = (rules: AudienceRules, signals: Record<string, string>, only?: DataSourceId | null) => [
  ...matchTraits(rules, Signals.of(Object.entries(signals)), only),
]

test('only traits of the named data source are realized, none when it is unknown [COL-49], [COL-50]', () => {
  const rules = build({
    traits: [1, 2].map((sid) => makeTrait(sid, { traitRule: 'key1 == val1', dataSourceId: sid as DataSourceId })),
  })
  expect(match(rules, { key1: 'val1' })).toEqual([1, 2])
  expect(match(rules, { key1: 'val1' }, 2 as DataSourceId)).toEqual([2])
  expect(match(rules, { key1: 'val1' }, null)).toEqual([])
})

test('inactive traits are never realized by their rule; onboarded ones have none', () => {
  const rules = build({
    traits: [
      makeTrait(1, { traitRule: 'a == 1', status: 'INACTIVE' }),
      makeTrait(2),
      makeTrait(3, { traitRule: 'a == 1' }),
    ],
  })
  expect(match(rules, { a: '1' })).toEqual([3])
})

test('several rules that hold give their traits ascending, each once [AUD-6], [AUD-138]', () => {
  const rules = build({ traits: [9, 5, 7].map((sid) => makeTrait(sid, { traitRule: 'a == 1 OR b == 1' })) })
  expect(match(rules, { a: '1', b: '1' })).toEqual([5, 7, 9])
})

test('rules whose text did not change are taken over, changed ones are read anew', () => {
  const traits = [makeTrait(1, { traitRule: 'a == 1' }), makeTrait(2, { traitRule: 'a == 2' })]
  const segments = [makeSegment(8, '1T'), makeSegment(9, '2T')]
  const first = build({ traits, segments })
  const changed = [makeTrait(2, { traitRule: 'a == 3' }), makeTrait(1, { traitRule: 'a == 1', name: 'renamed' })]
  const second = build(
    { version: 2, traits: changed, segments: [makeSegment(9, '2T'), makeSegment(8, '1T AND 2T')] },
    first,
  )
  expect(second.version).toBe(2)
  expect(second.compiled.traitRules[1]).toBe(first.compiled.traitRules[0])
  expect(second.compiled.segmentRules[0]).toBe(first.compiled.segmentRules[1])
  expect([match(second, { a: '1' }), match(second, { a: '2' }), match(second, { a: '3' })]).toEqual([[1], [], [2]])
  expect([match(first, { a: '2' }), match(first, { a: '3' })]).toEqual([[2], []])
  expect(second.trait(1)?.name).toBe('renamed')
  expect(second.segment(8)?.traitIds).toEqual([1, 2])
})

test('a stored rule that cannot be read holds never and is reported', () => {
  const rules = build({
    traits: [
      makeTrait(1, { traitRule: 'a ==' }),
      makeTrait(2, { traitRule: 'NOT a == 1' }),
      makeTrait(3, { traitRule: 'a == 1' }),
    ],
    segments: [makeSegment(9, 'NOT 1T')],
  })
  expect(rules.unreadable.map(({ sid }) => sid)).toEqual([1, 2, 9])
  expect(match(rules, { a: '1' })).toEqual([3])
  expect(rules.segment(9)).toMatchObject({ name: 'Segment 9', traitIds: [] })
})

test('unknown ids have no trait and no segment', () => {
  const rules = build({ traits: [makeTrait(1)], segments: [makeSegment(9, '1T')] })
  for (const id of [0, -1, 2, 2 ** 40, 1.5, Number.NaN]) {
    expect(rules.trait(id)).toBeUndefined()
    expect(rules.segment(id)).toBeUndefined()
  }
})
