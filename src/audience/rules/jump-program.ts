import { type AnyLeaf, type Expression, isOperator } from './expression.ts'

/**
 * A rule as a flat list of jumps, so that the hot path walks no tree. An instruction is three integers: a leaf, where to
 * go when it holds, where to go when it does not; ACCEPT and REJECT end the walk. `a AND (b OR c)` becomes, in the order
 * it is written down (back to front):
 *
 *     0: c ? ACCEPT : REJECT     3: b ? ACCEPT : 0     6: a ? 3 : REJECT      entry 6
 */
export const ACCEPT = -1
export const REJECT = -2

export interface JumpProgram {
  /** Triples; jump targets count integers from the start of this list. */
  readonly code: readonly number[]
  readonly entry: number
}

/** @param leafIndex number that stands for a leaf in the code */
export function compileJumps<Leaf extends AnyLeaf>(
  expression: Expression<Leaf>,
  leafIndex: (leaf: Leaf) => number,
): JumpProgram {
  const code: number[] = []
  const emit = (node: Expression<Leaf>, ifTrue: number, ifFalse: number): number => {
    if (!isOperator(node)) {
      code.push(leafIndex(node), ifTrue, ifFalse)
      return code.length - 3
    }
    if (node.op === 'not') return emit(node.child, ifFalse, ifTrue)
    let next = node.op === 'and' ? ifTrue : ifFalse
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i] as Expression<Leaf>
      next = node.op === 'and' ? emit(child, next, ifFalse) : emit(child, ifTrue, next)
    }
    return next
  }
  const entry = emit(expression, ACCEPT, REJECT)
  return { code, entry }
}
