import { expect, test } from 'vitest'
import type { DataSourceId } from '../model/ids.ts'
import { Signals } from '../model/signals.ts'
import { makeDefinitions, makeTrait } from '../testkit/audience-definitions.ts'
import {
  hasEmptyOrder,
  type ObviousCall,
  type ObviousTraitRule,
  obviousTraitHolds,
  writeTraitRule,
} from '../testkit/obvious-evaluator.ts'
import fc from '../testkit/properties.ts'
import { runThrough } from '../testkit/run-through.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { matchTraits } from './evaluate.ts'
import { parseTraitRule } from './rules/trait-rule.ts'

const texts = ['', 'red', 'Red', 'red car', 'fast RED car', 'red carpet', '"quoted\\"', 'é', 'É', 'x/y-z.1', 'a']
const numbers = [
  ...[
    '0',
    '-0',
    '1',
    '1.0',
    '+1',
    '01',
    '-1',
    '-1.5',
    '2',
    '10',
    '9',
    '1e3',
    '1E-7',
    '-2.5e+1',
    '0.0000001',
    '1000',
    '1.',
    '.5',
  ],
  ...[
    '12345678901234567890123456789012345678',
    '12345678901234567890123456789012345679',
    '0.1000000000000000001',
    '0.1',
  ],
]
const values = fc.constantFrom(...texts, ...numbers)
const keys = fc.constantFrom('a', 'A', 'c_b', 'd.e', 'p-1')
const patterns = ['^red', 'car$', 'r.d', '[0-9]+', '(a|e)d', 'x{0,2}y', '']

const comparisons = fc.oneof(
  { weight: 4, arbitrary: fc.record({ key: keys, operator: fc.constant('=='), value: values }) },
  {
    weight: 5,
    arbitrary: fc.record({
      key: keys,
      operator: fc.constantFrom('!=', '<', '<=', '>', '>=', 'contains', 'startswith', 'endswith'),
      value: values,
    }),
  },
  fc.record({ key: keys, operator: fc.constant('matcheswords'), value: fc.constantFrom('red', 'Red-Car', 'car', '1') }),
  fc.record({ key: keys, operator: fc.constant('matchesregex'), value: fc.constantFrom(...patterns) }),
)
const { rule: rules } = fc.letrec<{ rule: ObviousTraitRule }>((tie) => ({
  rule: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparisons,
    fc.record({ and: fc.array(tie('rule'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ or: fc.array(tie('rule'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ not: tie('rule') }),
  ),
}))
const calls: fc.Arbitrary<ObviousCall> = fc.array(fc.record({ key: keys, value: values }), { maxLength: 8 })

function signalsOf(call: ObviousCall): Signals {
  return Signals.of(call.map(({ key, value }) => [key, value]))
}

test('the index matches exactly the rules that the obvious evaluator finds true, call after call [AUD-6], [AUD-21], [AUD-71]', () => {
  fc.assert(
    fc.property(
      fc.array(rules, { minLength: 1, maxLength: 30 }),
      fc.array(calls, { minLength: 1, maxLength: 6 }),
      (all, someCalls) => {
        const usable = all.filter((rule) => !obviousTraitHolds(rule, []))
        const traits = usable.map((rule, i) =>
          makeTrait(1000 - i, { traitRule: writeTraitRule(rule), dataSourceId: ((i % 2) + 1) as DataSourceId }),
        )
        const built = runThrough(buildAudienceRules(makeDefinitions({ traits })))
        expect(built.unreadable).toEqual([])
        for (const call of someCalls) {
          for (const only of [undefined, 2 as DataSourceId]) {
            const expected = traits
              .filter(
                (trait, i) =>
                  obviousTraitHolds(usable[i] as ObviousTraitRule, call) &&
                  (only ?? trait.dataSourceId) === trait.dataSourceId,
              )
              .map((trait) => trait.traitId)
              .sort((a, b) => a - b)
            expect([...matchTraits(built, signalsOf(call), only)]).toEqual(expected)
          }
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('exactly the rules that hold for a call without signals, or order by what is no number, are refused; a normal form reads as itself [AUD-73], [AUD-74], [AUD-77]', () => {
  fc.assert(
    fc.property(rules, (rule) => {
      const parsed = parseTraitRule(writeTraitRule(rule))
      expect(parsed.ok).toBe(!obviousTraitHolds(rule, []) && !hasEmptyOrder(rule))
      if (!parsed.ok) return
      const again = parseTraitRule(parsed.normalized)
      expect(again.ok && again.normalized).toBe(parsed.normalized)
    }),
    { numRuns: 2000 },
  )
})
