import { type Expression, isOperator } from './expression.ts'
import { compileJumps, type JumpProgram } from './jump-program.ts'
import { type Predicate, predicateOf } from './predicate.ts'
import type { Comparison, TraitRule } from './trait-rule.ts'

/** A trait rule on its own, before it joins an index; can be carried over while its text stays the same. */
export interface CompiledTraitRule {
  readonly predicates: readonly Predicate[]
  /** Leaves are positions in `predicates`. */
  readonly program: JumpProgram
  /**
   * Sets of predicates (positions). When the rule holds, each set has at least one that holds; so a rule whose chosen
   * set is silent need not be tried. Never empty.
   */
  readonly accessSets: readonly (readonly number[])[]
}

/** Sets offered per rule; the index chooses among them by what other rules use. */
const ACCESS_SETS_MAX = 8

export function compileTraitRule(rule: TraitRule): CompiledTraitRule {
  const predicates: Predicate[] = []
  const positions = new Map<string, number>()
  const positionOf = new Map<Comparison, number>()
  const leafIndex = (comparison: Comparison): number => {
    const predicate = predicateOf(comparison)
    const name = `${predicate.key} ${predicate.identity}`
    let position = positions.get(name)
    if (position === undefined) {
      position = predicates.length
      predicates.push(predicate)
      positions.set(name, position)
    }
    positionOf.set(comparison, position)
    return position
  }
  const program = compileJumps(rule, leafIndex)
  const positionsOf = (comparison: Comparison) => positionOf.get(comparison) as number
  return { predicates, program, accessSets: accessSets(rule, false, predicates, positionsOf) }
}

/**
 * What must hold for `node` (or for its negation) to hold. A comparison needs itself; a negated one needs nothing, and
 * offers no set. AND offers the sets of each child; OR needs one of every child, so it offers one union, or nothing when
 * a child offers nothing. A rule that is false for the empty call offers at least one [AUD-73].
 */
function accessSets(
  node: Expression<Comparison>,
  isNegated: boolean,
  predicates: readonly Predicate[],
  positionOf: (comparison: Comparison) => number,
): number[][] {
  if (!isOperator(node)) return isNegated ? [] : [[positionOf(node)]]
  if (node.op === 'not') return accessSets(node.child, !isNegated, predicates, positionOf)
  const ofChildren = node.children.map((child) => accessSets(child, isNegated, predicates, positionOf))
  const costs = new Map<number[], number>()
  const costOf = (set: number[]): number => {
    const known = costs.get(set)
    if (known !== undefined) return known
    const cost = set.reduce((sum, position) => sum + accessCost(predicates[position] as Predicate), 0)
    costs.set(set, cost)
    return cost
  }
  const cheapestFirst = (sets: number[][]) => sets.sort((a, b) => costOf(a) - costOf(b))
  if ((node.op === 'and') !== isNegated) return cheapestFirst(ofChildren.flat()).slice(0, ACCESS_SETS_MAX)
  if (ofChildren.some((sets) => sets.length === 0)) return []
  return [[...new Set(ofChildren.flatMap((sets) => cheapestFirst(sets)[0] as number[]))]]
}

/** What it costs to find the rules of a predicate: `==` is looked up, everything else is tried whenever its key comes. */
export function accessCost({ operator }: Predicate): number {
  if (operator === '==') return 1
  if (operator === 'matchesregex') return 100_000
  if (operator === '!=') return 200_000
  return 10_000
}
