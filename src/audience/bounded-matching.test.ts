import { expect, test } from 'vitest'
import { Signals } from '../model/signals.ts'
import { makeDefinitions, makeTrait } from '../testkit/audience-definitions.ts'
import { runThrough } from '../testkit/run-through.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { matchTraits, matchTraitsBounded } from './evaluate.ts'
import { checkTraitRule, parseTraitRule } from './rules/trait-rule.ts'

const rulesOf = (texts: readonly string[]) =>
  runThrough(
    buildAudienceRules(makeDefinitions({ traits: texts.map((traitRule, at) => makeTrait(at + 1, { traitRule })) })),
  )
const regex = (pattern: string) => `url matchesregex "${pattern}"`
/** Each takes the engine a tenth of a second and more for the value below; every second one is found. */
const HOSTILE = Array.from({ length: 20 }, (_, at) => regex(`[^x]{${980 + at}}${at % 2 === 0 ? '' : 'z'}`))
const VALUE = 'a'.repeat(4090)

/** How often others had their turn while it was worked. */
async function turnsDuring<Result>(
  work: () => Result | Promise<Result>,
): Promise<{ readonly turns: number; readonly result: Awaited<Result> }> {
  let turns = 0
  let isDone = false
  const count = () => {
    turns++
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  const result = await work()
  isDone = true
  return { turns, result }
}

test('twenty hostile patterns on a long value do not hold the thread, and give what they would at once [SEC-70] [SEC-12~]', async () => {
  const rules = rulesOf(HOSTILE)
  const signals = Signals.of([['url', VALUE]])
  const { turns, result } = await turnsDuring(() => matchTraitsBounded(rules, signals, undefined))
  expect(result).toEqual(Int32Array.of(1, 3, 5, 7, 9, 11, 13, 15, 17, 19))
  // Of each pattern several, however fast the machine is.
  expect(turns).toBeGreaterThan(40)
})

test('many such calls at once wait for one another, not the others for them', async () => {
  const rules = rulesOf([...HOSTILE.slice(0, 3), 'page == home'])
  const quick = Signals.of([['page', 'home']])
  const calls = Array.from({ length: 10 }, (_, at) => Signals.of([['url', `${VALUE}${at}`]]))
  const waiting = calls.map((signals) => matchTraitsBounded(rules, signals, undefined))
  expect(waiting.every((one) => one instanceof Promise)).toBe(true)
  // A call whose rules have no such pattern in them is answered at once.
  expect(matchTraitsBounded(rules, quick, undefined)).toEqual(Int32Array.of(4))
  const { turns, result } = await turnsDuring(() => Promise.all(waiting))
  expect(result.map((one) => [...one])).toEqual(calls.map(() => [1, 3]))
  expect(turns).toBeGreaterThan(60)
})

test('thousands of harmless patterns share the time of several turns, and each is tested', async () => {
  const rules = rulesOf(Array.from({ length: 3000 }, (_, at) => regex(`^/shop/item-${at}(/.*)?$`)))
  const signals = Signals.of([
    ['url', '/shop/item-7'],
    ['URL', '/shop/item-2999/red'],
  ])
  const { turns, result } = await turnsDuring(() => matchTraitsBounded(rules, signals, undefined))
  expect(result).toEqual(Int32Array.of(8, 3000))
  expect(turns).toBeGreaterThan(3)
  expect([...matchTraits(rules, signals, undefined)]).toEqual([8, 3000])
})

test('without regular expressions, and where no data source is asked for, nothing is waited for', () => {
  const rules = rulesOf(['a == 1', 'a contains 1'])
  expect(matchTraitsBounded(rules, Signals.of([['a', '1']]), undefined)).toEqual(Int32Array.of(1, 2))
  expect(matchTraitsBounded(rulesOf(HOSTILE), Signals.of([['url', VALUE]]), null)).toEqual(new Int32Array(0))
})

test('a rule of many patterns is checked in slices before it is saved, with the same verdict [SEC-70] [API-28]', async () => {
  const many = Array.from({ length: 300 }, (_, at) => regex(`(a{1,5}b{1,5}){4${at % 10}}${at}`)).join(' OR ')
  const { turns, result } = await turnsDuring(() => checkTraitRule(many))
  expect(result).toEqual(parseTraitRule(many))
  expect(result.ok).toBe(true)
  expect(turns).toBeGreaterThan(3)
  for (const text of [
    `${regex('a')} OR ${regex('(?=b)')}`,
    `${regex('(a{1,30}){1,40}')}`,
    'url matchesregex',
    regex('a'),
  ])
    expect(await checkTraitRule(text), text).toEqual(parseTraitRule(text))
})
