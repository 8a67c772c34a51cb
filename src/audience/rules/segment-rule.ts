import { OBJECT_ID_MAX, type TraitId } from '../../model/ids.ts'
import { type Expression, ExpressionParser, evaluateExpression, positionOfTruth } from './expression.ts'
import { RuleError, type RuleRefused, refusalAsValue } from './rule-error.ts'
import { canNeverHold, NEVER_HOLDS } from './rule-hints.ts'
import type { TokenReader } from './token-reader.ts'
import { openRule } from './trait-rule.ts'

/** The language of segment rules over the traits a profile holds. Source: spec/audience-model.md section 4.2. */
export type SegmentRule = Expression<TraitReference | Frequency>

/** The trait is live [AUD-134]. */
export interface TraitReference {
  readonly op: 'trait'
  readonly sid: TraitId
  readonly position: number
}

/** Realizations of any of the traits, added together, within the window [AUD-130]. */
export interface Frequency {
  readonly op: 'frequency'
  /** As listed; the same trait twice counts twice [AUD-346]. */
  readonly sids: readonly TraitId[]
  readonly window: RecencyWindow | undefined
  readonly operator: '>=' | '<=' | '=='
  readonly required: number
  readonly position: number
}

/** `<= 5D`: from today - 5 to today; `>= 5D`: up to and including today - 5; UTC days [AUD-133]. */
export interface RecencyWindow {
  readonly operator: '>=' | '<='
  readonly days: number
}

export interface SegmentRuleParsed {
  readonly ok: true
  readonly rule: SegmentRule
  /** As it is stored and shown: `>=` for `=>`, `AND NOT` for `NOT`; the rest as written [AUD-346]. */
  readonly normalized: string
  /** Traits it names, ascending, each once. */
  readonly traitIds: readonly TraitId[]
  /** What the author should know; looked for only where the traits are known, which is when a rule is checked. */
  readonly hints: readonly string[]
}

export interface SegmentRuleOptions {
  /**
   * What is known of a trait; undefined: there is no such trait, and the rule is refused. Without the lookup any trait
   * may be named and may carry recency and frequency [AUD-132].
   */
  readonly traits?: (sid: TraitId) => { readonly recencyAllowed: boolean } | undefined
}

/** [AUD-124] */
export const SEGMENT_TRAITS_MAX = 5000
const FREQUENCY_MAX = 2 ** 31 - 1
/** UTC days are stored in 16 bits. */
const RECENCY_DAYS_MAX = 2 ** 16 - 1

type Parser = ExpressionParser<TraitReference | Frequency>

export function parseSegmentRule(text: string, options: SegmentRuleOptions = {}): SegmentRuleParsed | RuleRefused {
  return refusalAsValue(() => {
    const reader = openRule(text)
    const traits = new NamedTraits(options)
    const parseLeaf = (parser: Parser) =>
      reader.isKeyword('FREQUENCY') ? parseFrequency(reader, parser, traits) : parseReference(reader, traits, false)
    const rule = new ExpressionParser(reader, parseLeaf).parseAll()
    if (evaluateExpression(rule, holdsForEmptyProfile)) {
      throw new RuleError(
        'this rule would hold for a profile without any traits; join an upper bound or NOT with a condition that must hold',
        positionOfTruth(rule, holdsForEmptyProfile),
      )
    }
    const hints = options.traits !== undefined && canNeverHold(rule, nameOfCondition) ? [NEVER_HOLDS] : []
    return { ok: true as const, rule, normalized: reader.normalized(), traitIds: traits.ascending(), hints }
  })
}

/** The traits a rule names, checked as they come. */
class NamedTraits {
  readonly #options: SegmentRuleOptions
  readonly #sids = new Set<TraitId>()

  constructor(options: SegmentRuleOptions) {
    this.#options = options
  }

  add(sid: TraitId, inFrequency: boolean, position: number): void {
    this.#sids.add(sid)
    if (this.#sids.size > SEGMENT_TRAITS_MAX) {
      throw new RuleError(`a segment may name at most ${SEGMENT_TRAITS_MAX} traits`, position)
    }
    const lookup = this.#options.traits
    if (lookup === undefined) return
    const trait = lookup(sid)
    if (trait === undefined) throw new RuleError(`there is no trait ${sid}`, position)
    if (inFrequency && !trait.recencyAllowed) {
      throw new RuleError(
        `trait ${sid} cannot carry recency or frequency; only rule-based and folder traits of first-party data sources can`,
        position,
      )
    }
  }

  ascending(): TraitId[] {
    return [...this.#sids].sort((a, b) => a - b)
  }
}

function parseReference(reader: TokenReader, traits: NamedTraits, inFrequency: boolean): TraitReference {
  const position = reader.start
  if (reader.kind !== 'word') throw new RuleError(`expected a trait such as 1234T, ${reader.found()}`, position)
  const digits = readDigits(reader, 'T', 'expected a trait such as 1234T')
  const sid = Number(digits)
  if (digits.length > 10 || sid === 0 || sid > OBJECT_ID_MAX)
    throw new RuleError(`there is no trait ${digits.slice(0, 20)}`, position)
  traits.add(sid as TraitId, inFrequency, position)
  return { op: 'trait', sid: sid as TraitId, position }
}

/** `FREQUENCY([1T,2T]<=5D)>=3` */
function parseFrequency(reader: TokenReader, parser: Parser, traits: NamedTraits): Frequency {
  const position = reader.start
  reader.advance()
  reader.expect('(', 'after FREQUENCY')
  reader.expect('[', 'before the list of traits')
  const sids = [parseReference(reader, traits, true).sid]
  while (reader.isSymbol(',')) {
    reader.advance()
    parser.count()
    sids.push(parseReference(reader, traits, true).sid)
  }
  reader.expect(']', 'after the list of traits')
  const window = reader.isSymbol(')') ? undefined : parseWindow(reader)
  reader.expect(')', 'after the list of traits and its recency')
  const operator = parseOperator(reader, ['>=', '<=', '=='])
  const required = parseCount(reader)
  return { op: 'frequency', sids, window, operator, required, position }
}

function parseWindow(reader: TokenReader): RecencyWindow {
  const operator = parseOperator(reader, ['>=', '<='])
  const position = reader.start
  if (reader.kind !== 'word') throw new RuleError(`expected a number of days such as 5D, ${reader.found()}`, position)
  const digits = readDigits(reader, 'D', 'expected a number of days such as 5D')
  const days = Number(digits)
  if (days === 0) throw new RuleError('recency must be greater than 0 days', position)
  if (days > RECENCY_DAYS_MAX) throw new RuleError(`recency may be at most ${RECENCY_DAYS_MAX} days`, position)
  return { operator, days }
}

function parseOperator<Allowed extends string>(reader: TokenReader, allowed: readonly Allowed[]): Allowed {
  const written = reader.kind === 'symbol' ? reader.value : ''
  const meant = written === '=>' ? '>=' : written
  const operator = allowed.find((candidate) => candidate === meant)
  if (operator === undefined) throw new RuleError(`expected ${allowed.join(' or ')}, ${reader.found()}`, reader.start)
  if (written === '=>') reader.rewrite('>=')
  reader.advance()
  return operator
}

function parseCount(reader: TokenReader): number {
  const { kind, value, start } = reader
  if (kind !== 'word' || !/^[0-9]+$/.test(value))
    throw new RuleError(`expected a whole number, ${reader.found()}`, start)
  if (Number(value) > FREQUENCY_MAX) throw new RuleError(`a frequency may be at most ${FREQUENCY_MAX}`, start)
  reader.advance()
  return Number(value)
}

/** Digits and the letter that marks what they mean, with or without space between them, in either case [AUD-347]. */
function readDigits(reader: TokenReader, mark: 'T' | 'D', expectation: string): string {
  const word = reader.value
  const { start } = reader
  const digits = /^[0-9]+/.exec(word)?.[0]
  if (digits === undefined) throw new RuleError(`${expectation}, ${reader.found()}`, start)
  const found = reader.found()
  reader.advance()
  if (word.length === digits.length) {
    if (!reader.isKeyword(mark))
      throw new RuleError(`${expectation}: ${mark} is missing after ${digits.slice(0, 20)}`, start)
    reader.advance()
  } else if (word.slice(digits.length).toUpperCase() !== mark) {
    throw new RuleError(`${expectation}, ${found}`, start)
  }
  return digits
}

function nameOfCondition({ position: _position, ...condition }: TraitReference | Frequency): string {
  return JSON.stringify(condition)
}

function holdsForEmptyProfile(leaf: TraitReference | Frequency): boolean {
  if (leaf.op === 'trait') return false
  return compareCount(0, leaf.operator, leaf.required)
}

export function compareCount(count: number, operator: Frequency['operator'], required: number): boolean {
  if (operator === '>=') return count >= required
  if (operator === '<=') return count <= required
  return count === required
}
