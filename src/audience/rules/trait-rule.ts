import { runInSlices } from '../../lib/slices.ts'
import type { Comparison, ComparisonOperator } from './comparison.ts'
import { orderedDecimal } from './decimal.ts'
import {
  type Expression,
  ExpressionParser,
  evaluateExpression,
  positionOfTruth,
  RULE_LENGTH_MAX,
} from './expression.ts'
import { checkPattern } from './java-pattern.ts'
import type { PatternFault } from './java-to-re2.ts'
import { predicateOf } from './predicate.ts'
import { RuleError, type RuleRefused, refusalAsValue } from './rule-error.ts'
import { canNeverHold, NEVER_HOLDS, suggestion, valueHints } from './rule-hints.ts'
import { TokenReader } from './token-reader.ts'
import { wordsOf } from './words.ts'

/** The language of trait rules over the signals of one call. Source: spec/audience-model.md section 3.3. */
export type TraitRule = Expression<Comparison>

export interface TraitRuleParsed {
  readonly ok: true
  readonly rule: TraitRule
  /** As it is stored and shown: `>=` for `=>`, `==` for `=`, `AND NOT` for `NOT`; the rest as written [AUD-74]. */
  readonly normalized: string
  /** What the author should know, though nothing is wrong [AUD-75], [COL-53]. */
  readonly hints: readonly string[]
}

const keywords = new Set(['AND', 'OR', 'NOT', 'CONTAINS', 'MATCHESWORDS', 'STARTSWITH', 'ENDSWITH', 'MATCHESREGEX'])
const namedOperators: ReadonlyMap<string, ComparisonOperator> = new Map([
  ['CONTAINS', 'contains'],
  ['MATCHESWORDS', 'matcheswords'],
  ['STARTSWITH', 'startswith'],
  ['ENDSWITH', 'endswith'],
  ['MATCHESREGEX', 'matchesregex'],
])
const symbolOperators: ReadonlyMap<string, ComparisonOperator> = new Map([
  ['==', '=='],
  ['=', '=='],
  ['!=', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
  ['=>', '>='],
])
const reservedKeys = new Set(['d_rs', 'd_dst_filter'])
const never = (): boolean => false

/**
 * `parseTraitRule` for a server that has other things to do: each regular expression takes up to some 15 ms to compile, and
 * a rule may hold thousands.
 */
export async function checkTraitRule(text: string): Promise<TraitRuleParsed | RuleRefused> {
  return parseTraitRule(text, await runInSlices(checkEachPattern(text)))
}

/** What is wrong with each regular expression of a rule, up to the first that cannot be used. */
function* checkEachPattern(text: string): Generator<void, ReadonlyMap<string, PatternFault | undefined>> {
  const faults = new Map<string, PatternFault | undefined>()
  if (!/matchesregex/i.test(text)) return faults
  const parsed = parseSavedTraitRule(text)
  const sources: string[] = []
  if (parsed.ok)
    forEachComparison(parsed.rule, ({ operator, value }) => operator === 'matchesregex' && sources.push(value))
  for (const source of new Set(sources)) {
    yield
    const fault = checkPattern(source)
    faults.set(source, fault)
    if (fault !== undefined) break
  }
  return faults
}

/**
 * Parses and checks a rule before it is saved, its regular expressions included.
 * @param faults what is known of its regular expressions
 */
export function parseTraitRule(
  text: string,
  faults?: ReadonlyMap<string, PatternFault | undefined>,
): TraitRuleParsed | RuleRefused {
  return refusalAsValue(() => {
    const hints = new Set<string>()
    const reader = openRule(text)
    const rule = parseWhole(reader, hints)
    checkPatterns(rule, text, faults)
    checkOrders(rule)
    refuseEmptyCall(rule)
    if (canNeverHold(rule, nameOfComparison)) hints.add(NEVER_HOLDS)
    return { ok: true as const, rule, normalized: reader.normalized(), hints: [...hints] }
  })
}

/** Parses a rule that was checked when it was saved: regular expressions are left for their first use. */
export function parseSavedTraitRule(text: string): { readonly ok: true; readonly rule: TraitRule } | RuleRefused {
  return refusalAsValue(() => {
    const rule = parseWhole(openRule(text), undefined)
    refuseEmptyCall(rule)
    return { ok: true as const, rule }
  })
}

function parseWhole(reader: TokenReader, hints: Set<string> | undefined): TraitRule {
  let ordinal = 0
  return new ExpressionParser(reader, () => parseComparison(reader, hints, ordinal++)).parseAll()
}

/** @throws RuleError when the text is too long to be a rule */
export function openRule(text: string): TokenReader {
  if (text.length > RULE_LENGTH_MAX) {
    throw new RuleError(`a rule may have at most ${RULE_LENGTH_MAX} characters`, RULE_LENGTH_MAX)
  }
  return new TokenReader(text)
}

function parseComparison(reader: TokenReader, hints: Set<string> | undefined, ordinal: number): Comparison {
  const position = reader.start
  const key = parseKey(reader, hints)
  const operator = parseOperator(reader, hints)
  const valuePosition = reader.start
  const isBare = reader.kind === 'word'
  const value = parseValue(reader, operator)
  if (hints !== undefined) for (const hint of valueHints(key, operator, value, isBare)) hints.add(hint)
  return { op: 'comparison', ordinal, key, operator, value, position, valuePosition }
}

function parseKey(reader: TokenReader, hints: Set<string> | undefined): string {
  const { kind, value: key, start } = reader
  if (kind === 'string') throw new RuleError('a key is written without quotes', start)
  if (kind !== 'word') throw new RuleError(`expected a key, ${reader.found()}`, start)
  if (keywords.has(key.toUpperCase())) throw new RuleError(`${key} is a keyword and cannot be a key`, start)
  const wrong = key.search(/[^A-Za-z0-9_.-]/)
  if (wrong >= 0) throw new RuleError(`a key may not hold ${key.charAt(wrong)}`, start + wrong)
  if (!/[A-Za-z]/.test(key)) throw new RuleError('a key needs at least one letter', start)
  if (key.startsWith('.')) throw new RuleError('a key may not begin with a dot', start)
  if (key.endsWith('.')) throw new RuleError('a key may not end with a dot', start + key.length - 1)
  if (hints !== undefined && reservedKeys.has(key.toLowerCase())) {
    hints.add(`${key} is a reserved attribute and has no effect of its own`)
  }
  reader.advance()
  return key
}

function parseOperator(reader: TokenReader, hints: Set<string> | undefined): ComparisonOperator {
  const { kind, value } = reader
  const operator =
    kind === 'symbol'
      ? symbolOperators.get(value)
      : kind === 'word'
        ? namedOperators.get(value.toUpperCase())
        : undefined
  if (operator === undefined) throw new RuleError(`expected an operator, ${reader.found()}`, reader.start)
  if (value === '=') {
    reader.rewrite('==')
    hints?.add('= was read as ==')
  }
  if (value === '=>') reader.rewrite('>=')
  reader.advance()
  return operator
}

function parseValue(reader: TokenReader, operator: ComparisonOperator): string {
  const { kind, value, start } = reader
  if (kind !== 'word' && kind !== 'string') {
    throw new RuleError(`expected a value after ${operator}, ${reader.found()}`, start)
  }
  if (kind === 'word' && keywords.has(value.toUpperCase())) {
    throw new RuleError(`${value} is a keyword; put it in quotes to use it as a value`, start)
  }
  if (operator === 'matcheswords' && wordsOf(value) === '') {
    throw new RuleError('matcheswords needs at least one word', start)
  }
  reader.advance()
  return value
}

function checkPatterns(rule: TraitRule, text: string, faults?: ReadonlyMap<string, PatternFault | undefined>): void {
  forEachComparison(rule, ({ operator, value, valuePosition }) => {
    if (operator !== 'matchesregex') return
    const fault = faults?.has(value) ? faults.get(value) : checkPattern(value)
    if (fault === undefined) return
    const position = positionInValue(text, valuePosition, fault.offset)
    throw new RuleError(`the regular expression cannot be used: ${fault.message}`, position)
  })
}

const orders: ReadonlySet<ComparisonOperator> = new Set(['<', '<=', '>', '>='])

/** An order with what is not a number would be saved and never hold [AUD-77]. */
function checkOrders(rule: TraitRule): void {
  forEachComparison(rule, ({ operator, value, valuePosition }) => {
    if (!orders.has(operator) || orderedDecimal(value) !== undefined) return
    throw new RuleError(
      `${operator} compares numbers, and ${shown(value)} is not one${suggestion(value)}: digits, with a point and digits behind it for a fraction`,
      valuePosition,
    )
  })
}

function shown(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
}

/** Where character `offset` of a value stands in the text, past its quote and its escapes. */
function positionInValue(text: string, valuePosition: number, offset: number): number {
  const quoted = text.charAt(valuePosition) === '"' || text.charAt(valuePosition) === "'"
  if (!quoted) return valuePosition + offset
  let at = valuePosition + 1
  for (let i = 0; i < offset; i++) at += /^\\["'\\]/.test(text.slice(at, at + 2)) ? 2 : 1
  return at
}

function forEachComparison(rule: TraitRule, visit: (leaf: Comparison) => unknown): void {
  if (rule.op === 'comparison') visit(rule)
  else if (rule.op === 'not') forEachComparison(rule.child, visit)
  else for (const child of rule.children) forEachComparison(child, visit)
}

function nameOfComparison(leaf: Comparison): string {
  const { key, operator, operand } = predicateOf(leaf)
  return `${key} ${operator} ${operand}`
}

/** A rule that holds for a call without signals would fire on every call [AUD-73]. */
function refuseEmptyCall(rule: TraitRule): void {
  if (!evaluateExpression(rule, never)) return
  throw new RuleError(
    'this rule would hold for every call that has none of its keys; join NOT, by AND, with a condition that must hold',
    positionOfTruth(rule, never),
  )
}
