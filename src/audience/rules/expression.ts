import { RuleError } from './rule-error.ts'
import type { TokenReader } from './token-reader.ts'

/**
 * The Boolean part that trait rules and segment rules share: OR binds weakest, then AND, then NOT, then parentheses
 * [AUD-72]. Chains of one operator are one node with many children.
 */
export type Expression<Leaf> = And<Leaf> | Or<Leaf> | Not<Leaf> | Leaf

export interface And<Leaf> {
  readonly op: 'and'
  readonly children: readonly Expression<Leaf>[]
}
export interface Or<Leaf> {
  readonly op: 'or'
  readonly children: readonly Expression<Leaf>[]
}
export interface Not<Leaf> {
  readonly op: 'not'
  readonly child: Expression<Leaf>
  readonly position: number
}

export interface AnyLeaf {
  readonly op: string
  /** Offset of its first character in the text. */
  readonly position: number
}

/** Leaves, traits of a list, NOTs and joining operators together [SEC-70]. */
export const RULE_NODES_MAX = 20_000
/** Parentheses inside each other; a chain of one operator needs none, so it counts once [SEC-70]. */
export const RULE_DEPTH_MAX = 100
/** UTF-16 units of a rule's text. */
export const RULE_LENGTH_MAX = 1 << 20

export class ExpressionParser<Leaf extends AnyLeaf> {
  readonly #reader: TokenReader
  readonly #parseLeaf: (parser: ExpressionParser<Leaf>) => Leaf
  #nodes = 0
  #depth = 0

  constructor(reader: TokenReader, parseLeaf: (parser: ExpressionParser<Leaf>) => Leaf) {
    this.#reader = reader
    this.#parseLeaf = parseLeaf
  }

  /** @throws RuleError */
  parseAll(): Expression<Leaf> {
    const reader = this.#reader
    if (reader.atEnd()) throw new RuleError('the rule is empty', reader.start)
    const expression = this.#parseOr()
    if (reader.isSymbol(')')) throw new RuleError('this parenthesis closes nothing', reader.start)
    if (!reader.atEnd()) throw new RuleError(`expected AND, OR or the end, ${reader.found()}`, reader.start)
    return expression
  }

  /** Counts a node at the current token. @throws RuleError at the limit */
  count(): void {
    this.#nodes += 1
    if (this.#nodes > RULE_NODES_MAX) {
      throw new RuleError(`a rule may have at most ${RULE_NODES_MAX} parts`, this.#reader.start)
    }
  }

  #parseOr(): Expression<Leaf> {
    const reader = this.#reader
    const first = this.#parseAnd()
    if (!reader.isKeyword('OR')) return first
    const children: Expression<Leaf>[] = []
    appendChild(children, first, 'or')
    while (reader.isKeyword('OR')) {
      this.count()
      reader.advance()
      appendChild(children, this.#parseAnd(), 'or')
    }
    return { op: 'or', children }
  }

  #parseAnd(): Expression<Leaf> {
    const reader = this.#reader
    const first = this.#parseUnary()
    if (!this.#joinsByAnd()) return first
    const children: Expression<Leaf>[] = []
    appendChild(children, first, 'and')
    while (this.#joinsByAnd()) {
      this.count()
      // `A NOT B` is read as, and printed back as, `A AND NOT B` [AUD-73], [AUD-346].
      if (reader.isKeyword('NOT')) reader.insert('AND ')
      else reader.advance()
      appendChild(children, this.#parseUnary(), 'and')
    }
    return { op: 'and', children }
  }

  #joinsByAnd(): boolean {
    return this.#reader.isKeyword('AND') || this.#reader.isKeyword('NOT')
  }

  #parseUnary(): Expression<Leaf> {
    const reader = this.#reader
    if (!reader.isKeyword('NOT')) return this.#parsePrimary()
    const position = reader.start
    this.count()
    reader.advance()
    if (reader.isKeyword('NOT')) throw new RuleError('NOT cannot follow NOT', reader.start)
    return { op: 'not', child: this.#parsePrimary(), position }
  }

  #parsePrimary(): Expression<Leaf> {
    const reader = this.#reader
    if (!reader.isSymbol('(')) {
      this.count()
      return this.#parseLeaf(this)
    }
    const opened = reader.start
    this.#depth += 1
    if (this.#depth > RULE_DEPTH_MAX) {
      throw new RuleError(`parentheses may be nested at most ${RULE_DEPTH_MAX} deep`, opened)
    }
    reader.advance()
    const inner = this.#parseOr()
    if (reader.atEnd()) throw new RuleError('this parenthesis is never closed', opened)
    reader.expect(')', 'or an operator')
    this.#depth -= 1
    return inner
  }
}

/** `(a AND b) AND c` is one chain. */
function appendChild<Leaf extends AnyLeaf>(
  children: Expression<Leaf>[],
  child: Expression<Leaf>,
  op: 'and' | 'or',
): void {
  if (child.op !== op) children.push(child)
  else for (const inner of (child as And<Leaf>).children) children.push(inner)
}

/** Truth of an expression whose leaves are answered by `holds`; short-circuits. */
export function evaluateExpression<Leaf extends AnyLeaf>(
  expression: Expression<Leaf>,
  holds: (leaf: Leaf) => boolean,
): boolean {
  if (isOperator(expression)) {
    if (expression.op === 'not') return !evaluateExpression(expression.child, holds)
    if (expression.op === 'and') return expression.children.every((child) => evaluateExpression(child, holds))
    return expression.children.some((child) => evaluateExpression(child, holds))
  }
  return holds(expression)
}

/** Where an expression begins to be true under `holds`: the part to show when it must not be. */
export function positionOfTruth<Leaf extends AnyLeaf>(
  expression: Expression<Leaf>,
  holds: (leaf: Leaf) => boolean,
): number {
  if (!isOperator(expression)) return expression.position
  if (expression.op === 'not') return expression.position
  const first = expression.children.find((child) => evaluateExpression(child, holds))
  return first === undefined ? 0 : positionOfTruth(first, holds)
}

export function isOperator<Leaf extends AnyLeaf>(
  expression: Expression<Leaf>,
): expression is And<Leaf> | Or<Leaf> | Not<Leaf> {
  return expression.op === 'and' || expression.op === 'or' || expression.op === 'not'
}
