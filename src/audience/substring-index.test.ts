import { expect, test } from 'vitest'
import type { Trait } from '../model/definitions.ts'
import { Signals } from '../model/signals.ts'
import { makeDefinitions, makeTrait } from '../testkit/audience-definitions.ts'
import { type ObviousTraitRule, obviousTraitHolds, writeTraitRule } from '../testkit/obvious-evaluator.ts'
import fc from '../testkit/properties.ts'
import { runThrough } from '../testkit/run-through.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { matchTraits } from './evaluate.ts'

test('many rules on parts of one value match as the obvious evaluator says [AUD-78]', () => {
  const texts = fc.stringMatching(/^[abAB/é7]{0,7}$/)
  const operators = fc.constantFrom('contains', 'startswith', 'endswith')
  const comparisons = fc.record({ key: fc.constantFrom('url', 'URL'), operator: operators, value: texts })
  fc.assert(
    fc.property(
      fc.array(comparisons, { minLength: 40, maxLength: 80 }),
      fc.array(fc.array(fc.stringMatching(/^[abAB/é7]{0,20}$/), { maxLength: 3 }), { maxLength: 4 }),
      (rules: ObviousTraitRule[], calls) => {
        const traits = rules.map((rule, i): Trait => makeTrait(i + 1, { traitRule: writeTraitRule(rule) }))
        const built = runThrough(buildAudienceRules(makeDefinitions({ traits })))
        for (const values of calls) {
          const call = values.map((value) => ({ key: 'Url', value }))
          const expected = rules.flatMap((rule, i) => (obviousTraitHolds(rule, call) ? [i + 1] : []))
          expect([...matchTraits(built, Signals.of([['Url', values]]), undefined)]).toEqual(expected)
        }
      },
    ),
    { numRuns: 500 },
  )
})
