import type { Segment } from '../model/definitions.ts'
import type { MergeRuleId } from '../model/ids.ts'
import type { TraitRef } from './count-realizations.ts'
import { groupBy } from './group-by.ts'
import { GrowingInts } from './growing-ints.ts'
import { IdIndex } from './id-index.ts'
import type { CompiledSegmentRule, Term } from './rules/compiled-segment-rule.ts'
import { REJECT } from './rules/jump-program.ts'
import { isPlain, type ResolvedTerm, type SegmentFacts, SegmentIndex } from './segment-index.ts'
import { SteadyMap } from './steady-map.ts'
import type { TraitFacts } from './trait-facts.ts'

/** Collects segment rules over traits that are all known by now. */
export class SegmentIndexBuilder {
  readonly #facts: TraitFacts
  readonly #ids = new IdIndex()
  readonly #segments: SegmentFacts[] = []
  readonly #mergeRuleIds: MergeRuleId[] = []
  readonly #mergeOf = new GrowingInts()
  readonly #terms: ResolvedTerm[] = []
  readonly #plainSid = new GrowingInts()
  readonly #plainPosition = new GrowingInts()
  readonly #termNumbers = new SteadyMap()
  readonly #code = new GrowingInts()
  readonly #entry = new GrowingInts()
  readonly #usedTraits = new GrowingInts()
  readonly #users = new GrowingInts()
  readonly #windows: (number[] | undefined)[]

  constructor(facts: TraitFacts) {
    this.#facts = facts
    this.#windows = new Array<undefined>(facts.count).fill(undefined)
  }

  /** @param rule undefined when it cannot be read: then it never holds */
  add(segment: Segment, rule: CompiledSegmentRule | undefined): void {
    const { segmentId, name, mergeRuleId, status, segmentRule } = segment
    const number = this.#segments.push({
      segmentId,
      name,
      mergeRuleId,
      status,
      segmentRule,
      traitIds: rule?.traitIds ?? [],
    })
    const merge = this.#mergeNumber(mergeRuleId)
    this.#ids.set(segmentId, number - 1)
    this.#mergeOf.push(merge)
    this.#entry.push(rule === undefined ? REJECT : this.#addCode(rule, merge))
    if (rule === undefined || status === 'INACTIVE') return
    for (const sid of rule.traitIds) {
      const position = this.#facts.positionOf(sid)
      if (position < 0) continue
      this.#usedTraits.push(position)
      this.#users.push(number - 1)
    }
    for (const term of rule.terms) this.#addWindow(term)
  }

  *finish(): Generator<void, SegmentIndex> {
    const users = yield* groupBy(this.#usedTraits.take(), this.#users.take(), this.#facts.count)
    return new SegmentIndex(this.#facts, {
      ids: this.#ids,
      segments: this.#segments,
      mergeRuleIds: this.#mergeRuleIds,
      mergeOf: this.#mergeOf.take(),
      terms: this.#terms,
      plainSid: this.#plainSid.take(),
      plainPosition: this.#plainPosition.take(),
      code: this.#code.take(),
      entry: this.#entry.take(),
      usersStart: users.start,
      users: users.items,
      windows: this.#windows,
    })
  }

  #addCode({ terms, program }: CompiledSegmentRule, merge: number): number {
    const numbers = terms.map((term) => this.#termNumber(term, merge))
    const offset = this.#code.length
    program.code.forEach((value, at) => {
      if (at % 3 === 0) this.#code.push(numbers[value] as number)
      else this.#code.push(value >= 0 ? value + offset : value)
    })
    return program.entry + offset
  }

  #termNumber(term: Term, merge: number): number {
    const name = `${merge} ${term.identity}`
    const known = this.#termNumbers.get(name)
    if (known !== undefined) return known
    const refs = term.sids.map((sid): TraitRef => {
      return { sid, position: this.#facts.positionOf(sid), folders: this.#facts.tree.rangeOf(sid) }
    })
    const resolved = { term, refs, merge }
    const number = this.#terms.push(resolved) - 1
    // Here, term by term: all of them at once would hold the thread at the end.
    this.#plainSid.push(isPlain(resolved) ? (refs[0] as TraitRef).sid : 0)
    this.#plainPosition.push(refs[0]?.position ?? -1)
    this.#termNumbers.set(name, number)
    return number
  }

  #addWindow({ sids, window }: Term): void {
    if (window === undefined) return
    const encoded = window.operator === '<=' ? window.days : -window.days
    for (const sid of sids) {
      const position = this.#facts.positionOf(sid)
      if (position < 0) continue
      const windows = this.#windows[position]
      if (windows === undefined) this.#windows[position] = [encoded]
      else if (!windows.includes(encoded)) windows.push(encoded)
    }
  }

  #mergeNumber(mergeRuleId: MergeRuleId): number {
    const known = this.#mergeRuleIds.indexOf(mergeRuleId)
    return known >= 0 ? known : this.#mergeRuleIds.push(mergeRuleId) - 1
  }
}
