import type { MergeRuleId, SegmentId, TraitId } from '../model/ids.ts'
import { indexOfSid, type TraitTable } from '../model/profile.ts'
import { countRealizations, type TraitRef } from './count-realizations.ts'
import type { IdIndex } from './id-index.ts'
import type { Term } from './rules/compiled-segment-rule.ts'
import { ACCEPT } from './rules/jump-program.ts'
import { compareCount } from './rules/segment-rule.ts'
import type { TraitFacts } from './trait-facts.ts'

/** What is shown and needed of a segment. */
export interface SegmentFacts {
  readonly segmentId: SegmentId
  readonly name: string
  readonly mergeRuleId: MergeRuleId
  readonly status: 'ACTIVE' | 'INACTIVE'
  /** Traits its rule names, ascending; empty when the rule cannot be read. */
  readonly traitIds: readonly TraitId[]
  readonly segmentRule: string
}

/** A term under one merge rule, with its traits resolved. */
export interface ResolvedTerm {
  readonly term: Term
  readonly refs: readonly TraitRef[]
  /** Number of the merge rule. */
  readonly merge: number
}

export interface SegmentTables {
  readonly ids: IdIndex
  readonly segments: readonly SegmentFacts[]
  readonly mergeRuleIds: readonly MergeRuleId[]
  /** By segment: number of its merge rule. */
  readonly mergeOf: Int32Array
  readonly terms: readonly ResolvedTerm[]
  /** By term: the trait, where the term only asks whether it was ever realized, otherwise 0; most terms do. And its position. */
  readonly plainSid: Int32Array
  readonly plainPosition: Int32Array
  /** Jump programs of all segments, with absolute targets; where each begins, REJECT where a rule cannot be read. */
  readonly code: Int32Array
  readonly entry: Int32Array
  /** Active segments that name trait `t`: `users[usersStart[t]] .. users[usersStart[t + 1] - 1]`. */
  readonly usersStart: Int32Array
  readonly users: Int32Array
  /** By trait: recency windows it is counted in, `<=` as n, `>=` as -n; undefined when none. */
  readonly windows: readonly (readonly number[] | undefined)[]
}

export type Views = (mergeRuleId: MergeRuleId) => readonly TraitTable[] | undefined

const GENERATIONS_MAX = 2 ** 30 - 1

/**
 * All segment rules in flat arrays. A trait points at the segments that name it, so an event evaluates only those it
 * touched. Terms that segments share are counted once per evaluation.
 */
export class SegmentIndex {
  readonly tables: SegmentTables
  readonly #facts: TraitFacts
  readonly #plainSid: Int32Array
  readonly #plainPosition: Int32Array
  // Scratch of one evaluation, valid where its stamp is the current generation; evaluations never overlap.
  #generation = 0
  readonly #outcome: Int32Array // 2 * generation + 1 when the term holds, 2 * generation when it does not
  readonly #stamp: Int32Array
  #views: Views = () => undefined
  readonly #tablesOf: (readonly TraitTable[] | undefined)[] = []
  readonly #viewStamp: Int32Array
  #day = 0
  #ignoreTtl = false

  constructor(facts: TraitFacts, tables: SegmentTables) {
    this.#facts = facts
    this.tables = tables
    this.#plainSid = tables.plainSid
    this.#plainPosition = tables.plainPosition
    this.#outcome = new Int32Array(tables.terms.length)
    this.#stamp = new Int32Array(tables.segments.length)
    this.#viewStamp = new Int32Array(tables.mergeRuleIds.length)
  }

  /** Begins an evaluation: forgets what was counted. @param ignoreTtl counts expired traits too */
  begin(views: Views, day: number, ignoreTtl: boolean): void {
    if (this.#generation === GENERATIONS_MAX) {
      this.#generation = 0
      this.#outcome.fill(0)
      this.#stamp.fill(0)
      this.#viewStamp.fill(0)
    }
    this.#generation += 1
    this.#views = views
    this.#day = day
    this.#ignoreTtl = ignoreTtl
  }

  /** @returns true the first time it is asked for a segment in an evaluation */
  visit(segment: number): boolean {
    if (this.#stamp[segment] === this.#generation) return false
    this.#stamp[segment] = this.#generation
    return true
  }

  /** Trait tables merged under a merge rule; undefined when the profile takes no part in it. */
  tablesOf(merge: number): readonly TraitTable[] | undefined {
    if (this.#viewStamp[merge] !== this.#generation) {
      this.#viewStamp[merge] = this.#generation
      this.#tablesOf[merge] = this.#views(this.tables.mergeRuleIds[merge] as MergeRuleId)
    }
    return this.#tablesOf[merge]
  }

  holds(segment: number): boolean {
    const { code, entry, mergeOf } = this.tables
    const traits = this.tablesOf(mergeOf[segment] as number)
    if (traits === undefined) return false
    let at = entry[segment] as number
    while (at >= 0) at = code[this.#termHolds(code[at] as number, traits) ? at + 1 : at + 2] as number
    return at === ACCEPT
  }

  #termHolds(number: number, traits: readonly TraitTable[]): boolean {
    const outcome = (this.#outcome[number] as number) - 2 * this.#generation
    if (outcome >= 0) return outcome === 1
    const sid = this.#plainSid[number] as number
    const holds =
      sid > 0 ? this.#isHeld(sid, this.#plainPosition[number] as number, traits) : this.#count(number, traits)
    this.#outcome[number] = 2 * this.#generation + (holds ? 1 : 0)
    return holds
  }

  #isHeld(sid: number, position: number, traits: readonly TraitTable[]): boolean {
    for (const table of traits) {
      const index = indexOfSid(table.sids, sid)
      if (index >= 0 && (this.#ignoreTtl || this.#facts.isLive(position, table, index, this.#day))) return true
    }
    return false
  }

  #count(number: number, traits: readonly TraitTable[]): boolean {
    const { term, refs } = this.tables.terms[number] as ResolvedTerm
    // Counts only grow: "at least" is decided when it is reached, the others when they are passed.
    const enough = term.operator === '>=' ? term.required : term.required + 1
    let count = 0
    for (let i = 0; i < refs.length && count < enough; i++) {
      const ref = refs[i] as TraitRef
      count += countRealizations(this.#facts, ref, traits, term.window, this.#day, enough - count, this.#ignoreTtl)
    }
    return compareCount(count, term.operator, term.required)
  }
}

/** `1000T`: at least one realization of one trait, at any time. */
export function isPlain({ term, refs }: ResolvedTerm): boolean {
  const [ref] = refs
  if (refs.length !== 1 || ref === undefined || ref.folders !== undefined) return false
  return term.operator === '>=' && term.required === 1 && term.window === undefined
}
