import type { TraitId } from '../../model/ids.ts'
import { compileJumps, type JumpProgram } from './jump-program.ts'
import type { Frequency, RecencyWindow, SegmentRule, TraitReference } from './segment-rule.ts'

/** A segment rule on its own, before it joins an index; can be carried over while its text stays the same. */
export interface CompiledSegmentRule {
  readonly terms: readonly Term[]
  /** Leaves are positions in `terms`. */
  readonly program: JumpProgram
  /** Ascending, each once. */
  readonly traitIds: readonly TraitId[]
}

/** A count of realizations, compared. A bare trait is "at least one" [AUD-134]. */
export interface Term {
  readonly sids: readonly TraitId[]
  readonly window: RecencyWindow | undefined
  readonly operator: Frequency['operator']
  readonly required: number
  /** Equal for terms that mean the same. */
  readonly identity: string
}

export function compileSegmentRule(rule: SegmentRule, traitIds: readonly TraitId[]): CompiledSegmentRule {
  const terms: Term[] = []
  const positions = new Map<string, number>()
  const program = compileJumps(rule, (leaf: TraitReference | Frequency) => {
    const term = termOf(leaf)
    let position = positions.get(term.identity)
    if (position === undefined) {
      position = terms.push(term) - 1
      positions.set(term.identity, position)
    }
    return position
  })
  return { terms, program, traitIds }
}

export function termOf(leaf: TraitReference | Frequency): Term {
  if (leaf.op === 'trait') {
    return { sids: [leaf.sid], window: undefined, operator: '>=', required: 1, identity: `${leaf.sid}>=1` }
  }
  const { sids, window, operator, required } = leaf
  const recency = window === undefined ? '' : ` ${window.operator}${window.days}`
  return { sids, window, operator, required, identity: `${sids.join(',')}${recency}${operator}${required}` }
}
