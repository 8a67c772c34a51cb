import type { Comparison, ComparisonOperator } from './comparison.ts'
import { canonicalDecimal, compareDecimals, orderedDecimal } from './decimal.ts'
import { hasWords, wordsOf } from './words.ts'

/**
 * A comparison made ready: keys and values folded to what they are compared by. Two comparisons that mean the same have
 * the same key and identity, and are tested once per call.
 */
export interface Predicate {
  /** Lower case. */
  readonly key: string
  readonly operator: ComparisonOperator
  /** A number in canonical form, words, a pattern as written, or text in lower case; as the operator needs it. */
  readonly operand: string
  /** Equal for predicates of one key that mean the same; unique among `==`, and among all other operators. */
  readonly identity: string
}

/** One value of a call, folded once. */
export interface FoldedValue {
  readonly raw: string
  /** What `==` compares: the canonical decimal of a number, otherwise the text in lower case [AUD-77], [AUD-81]. */
  readonly canonical: string
  readonly isNumber: boolean
  /** What an order compares, in canonical form; empty for what is no number. */
  readonly ordered: string
}

export function foldValue(raw: string): FoldedValue {
  const decimal = canonicalDecimal(raw)
  return decimal === undefined
    ? { raw, canonical: raw.toLowerCase(), isNumber: false, ordered: orderedDecimal(raw) ?? '' }
    : { raw, canonical: decimal, isNumber: true, ordered: decimal }
}

export function predicateOf({ key, operator, value }: Comparison): Predicate {
  const operand = operandOf(operator, value)
  return { key: key.toLowerCase(), operator, operand, identity: operator === '==' ? operand : `${operator} ${operand}` }
}

function operandOf(operator: ComparisonOperator, value: string): string {
  switch (operator) {
    case '==':
    case '!=':
      return foldValue(value).canonical
    case '<':
    case '<=':
    case '>':
    case '>=':
      // Nothing is above or below what is not a number; '' stands for it. Refused when saved: only old rules have it.
      return orderedDecimal(value) ?? ''
    case 'matcheswords':
      return wordsOf(value)
    case 'matchesregex':
      return value
    default:
      return value.toLowerCase()
  }
}

/**
 * The test of one value, for every operator but `matchesregex`. An empty value passes only `== ""` [AUD-341]; an order
 * needs numbers on both sides [AUD-77].
 */
export function testValue(operator: ComparisonOperator, operand: string, value: FoldedValue): boolean {
  if (operator === '==') return value.canonical === operand
  if (value.raw === '') return false
  switch (operator) {
    case '!=':
      return value.canonical !== operand
    case 'contains':
      return textOf(value).includes(operand)
    case 'startswith':
      return textOf(value).startsWith(operand)
    case 'endswith':
      return textOf(value).endsWith(operand)
    case 'matcheswords':
      return hasWords(wordsOf(value.raw), operand)
    default:
      return value.ordered !== '' && operand !== '' && testOrder(operator, compareDecimals(value.ordered, operand))
  }
}

function testOrder(operator: ComparisonOperator, order: number): boolean {
  if (operator === '<') return order < 0
  if (operator === '<=') return order <= 0
  if (operator === '>') return order > 0
  return operator === '>=' && order >= 0
}

/** What the operators on parts of a value look at: its text without case. */
export function textOf(value: FoldedValue): string {
  return value.isNumber ? value.raw : value.canonical
}
