import type { ComparisonOperator } from './comparison.ts'
import { canonicalDecimal, orderedDecimal } from './decimal.ts'
import { type AnyLeaf, type Expression, evaluateExpression, isOperator } from './expression.ts'

/** What will surprise the author of a rule, though nothing is wrong with it. Source: spec/audience-model.md AUD-77, AUD-348. */

/** The table of all answers doubles with each condition. */
const CONDITIONS_MAX = 8
const LEAVES_MAX = 200

/**
 * Can no answers to its conditions make a rule true? Conditions of the same name have the same answer, all others any.
 * @returns false also for rules too long to try
 */
export function canNeverHold<Leaf extends AnyLeaf>(rule: Expression<Leaf>, nameOf: (leaf: Leaf) => string): boolean {
  const places = new Map<string, number>()
  const placeOf = new Map<Leaf, number>()
  let hasNot = false
  const visit = (part: Expression<Leaf>): void => {
    if (placeOf.size > LEAVES_MAX) return
    if (isOperator(part)) {
      hasNot ||= part.op === 'not'
      for (const child of part.op === 'not' ? [part.child] : part.children) visit(child)
      return
    }
    const name = nameOf(part)
    const place = places.get(name) ?? places.size
    places.set(name, place)
    placeOf.set(part, place)
  }
  visit(rule)
  // Without NOT a rule holds when all of its conditions do.
  if (!hasNot || places.size > CONDITIONS_MAX || placeOf.size > LEAVES_MAX) return false
  for (let answers = 0; answers < 2 ** places.size; answers++)
    if (evaluateExpression(rule, (leaf) => ((answers >> (placeOf.get(leaf) as number)) & 1) === 1)) return false
  return true
}

export const NEVER_HOLDS = 'this rule can never hold: it asks that a condition holds and does not hold'

const LIKE_A_NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?)(?:[eE][+-]?[0-9]+)?$/
const ofText: ReadonlySet<ComparisonOperator> = new Set(['==', '!=', 'contains', 'startswith', 'endswith'])

/** @param isBare written without quotes */
export function* valueHints(
  key: string,
  operator: ComparisonOperator,
  value: string,
  isBare: boolean,
): Generator<string> {
  if ((operator === '==' || operator === '!=') && LIKE_A_NUMBER.test(value) && canonicalDecimal(value) === undefined)
    yield `${value} is compared as a text, character by character${suggestion(value)}`
  // Headers are not taken apart.
  if (ofText.has(operator) && value.includes(',') && !/^h_/i.test(key))
    yield `a comma separates the values of a key: ${value} is found only where its comma was sent as %2C`
  if (isBare && /^[cdhp]_/i.test(value))
    yield `${value} is read as a text, not as a key: a key stands on the left of a comparison only`
  if (operator !== 'matchesregex' && value !== value.normalize('NFC'))
    yield `${value} has letters that are written as several characters, and fits only values that are written the same way`
}

/** `.5`, `1,000` and, where an order would read it, `1e3` as they are meant. */
export function suggestion(value: string): string {
  const plain = value.trim().replaceAll(/(?<=[0-9]),(?=[0-9]{3}(?![0-9]))/g, '')
  const meant = orderedDecimal(plain.replace(/^([+-]?)\./, '$10.').replace(/\.(?![0-9])/, ''))
  return meant === undefined || meant === value ? '' : ` (write ${meant})`
}
