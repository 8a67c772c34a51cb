import type { Comparison } from './comparison.ts'
import { type Expression, isOperator } from './expression.ts'
import { compileJumps, type JumpProgram } from './jump-program.ts'
import { type Predicate, predicateOf } from './predicate.ts'
import type { TraitRule } from './trait-rule.ts'

/** A trait rule on its own, before it joins an index; can be carried over while its text stays the same. */
export interface CompiledTraitRule {
  /** One for each comparison, in the order of the text. */
  readonly predicates: readonly Predicate[]
  /** Leaves are positions in `predicates`. */
  readonly program: JumpProgram
  /**
   * Sets of predicates. When the rule holds, each set has at least one that holds; so a rule whose chosen set is silent
   * need not be tried. Never empty. Sets stand one after the other, each as its length and its positions: `[1, 0, 2, 1, 3]`
   * is {0} and {1, 3}.
   */
  readonly accessSets: readonly number[]
}

/** Sets offered per rule; the index chooses among them by what other rules use. */
const ACCESS_SETS_MAX = 8

export function compileTraitRule(rule: TraitRule): CompiledTraitRule {
  const predicates: Predicate[] = []
  collectPredicates(rule, predicates)
  const program = compileJumps(rule, ordinalOf)
  const sets: number[] = []
  for (const { positions } of accessSets(rule, false, predicates)) {
    sets.push(positions.length)
    for (const position of positions) sets.push(position)
  }
  return { predicates, program, accessSets: sets }
}

function collectPredicates(node: Expression<Comparison>, into: Predicate[]): void {
  if (!isOperator(node)) into.push(predicateOf(node))
  else if (node.op === 'not') collectPredicates(node.child, into)
  else for (const child of node.children) collectPredicates(child, into)
}

function ordinalOf(comparison: Comparison): number {
  return comparison.ordinal
}

interface AccessSet {
  readonly positions: readonly number[]
  readonly cost: number
}

/**
 * What must hold for `node` (or for its negation) to hold. A comparison needs itself; a negated one needs nothing, and
 * offers no set. AND offers the sets of each child; OR needs one of every child, so it offers one union, or nothing when
 * a child offers nothing. A rule that is false for the empty call offers at least one [AUD-73].
 */
function accessSets(node: Expression<Comparison>, isNegated: boolean, predicates: readonly Predicate[]): AccessSet[] {
  if (!isOperator(node)) {
    if (isNegated) return []
    return [{ positions: [node.ordinal], cost: accessCost(predicates[node.ordinal] as Predicate) }]
  }
  if (node.op === 'not') return accessSets(node.child, !isNegated, predicates)
  const ofChildren = node.children.map((child) => accessSets(child, isNegated, predicates))
  const needsAll = (node.op === 'and') !== isNegated
  if (needsAll) return ofChildren.flat().sort(cheaperFirst).slice(0, ACCESS_SETS_MAX)
  const union: number[] = []
  let cost = 0
  for (const sets of ofChildren) {
    const cheapest = sets.sort(cheaperFirst)[0]
    if (cheapest === undefined) return []
    for (const position of cheapest.positions) union.push(position)
    cost += cheapest.cost
  }
  return [{ positions: union, cost }]
}

function cheaperFirst(a: AccessSet, b: AccessSet): number {
  return a.cost - b.cost
}

/** What it costs to find the rules of a predicate: `==` is looked up, everything else is tried whenever its key comes. */
export function accessCost({ operator }: Predicate): number {
  if (operator === '==') return 1
  if (operator === 'matchesregex') return 100_000
  if (operator === '!=') return 200_000
  return 10_000
}
