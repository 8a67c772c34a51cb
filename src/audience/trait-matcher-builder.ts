import type { DataSourceId, TraitId } from '../model/ids.ts'
import { type Grouped, groupBy } from './group-by.ts'
import { GrowingInts } from './growing-ints.ts'
import { accessCost, type CompiledTraitRule } from './rules/compiled-trait-rule.ts'
import type { Predicate } from './rules/predicate.ts'
import { SteadyMap } from './steady-map.ts'
import { TraitMatcher } from './trait-matcher.ts'

/** Rules and predicates handled between two yields. */
const STEP = 2000

/** Collects trait rules and files each under the predicates that are rarest among all. */
export class TraitMatcherBuilder {
  readonly #keys = new SteadyMap()
  /** Per key: predicates by canonical value (`==`), and by identity (all others). */
  readonly #equals: (SteadyMap | undefined)[] = []
  readonly #others: (SteadyMap | undefined)[] = []
  readonly #predicates: Predicate[] = []
  readonly #keyOf = new GrowingInts()
  /** How many rules use a predicate. */
  readonly #uses = new GrowingInts()
  readonly #code = new GrowingInts()
  readonly #entry = new GrowingInts()
  readonly #sids = new GrowingInts()
  readonly #dataSourceIds = new GrowingInts()
  readonly #rules: CompiledTraitRule[] = []

  add(traitId: TraitId, dataSourceId: DataSourceId, rule: CompiledTraitRule): void {
    const numbers = rule.predicates.map((predicate) => this.#numberOf(predicate))
    for (const number of numbers) this.#uses.increment(number)
    const offset = this.#code.length
    const { code, entry } = rule.program
    for (let at = 0; at < code.length; at += 3) {
      this.#code.push(numbers[code[at] as number] as number)
      this.#code.push(absolute(code[at + 1] as number, offset))
      this.#code.push(absolute(code[at + 2] as number, offset))
    }
    this.#entry.push(entry + offset)
    this.#sids.push(traitId)
    this.#dataSourceIds.push(dataSourceId)
    this.#rules.push(rule)
  }

  *finish(): Generator<void, TraitMatcher> {
    const filed = yield* this.#fileRules()
    const tried = yield* this.#groupTried(filed.start)
    return new TraitMatcher({
      keys: this.#keys,
      equals: this.#equals,
      predicates: this.#predicates,
      keyOf: this.#keyOf.take(),
      filedStart: filed.start,
      filed: filed.items,
      triedStart: tried.start,
      tried: tried.items,
      code: this.#code.take(),
      entry: this.#entry.take(),
      sids: this.#sids.take(),
      dataSourceIds: this.#dataSourceIds.take(),
    })
  }

  /** Pairs (predicate, rule): each rule under all predicates of its cheapest set. */
  *#fileRules(): Generator<void, Grouped> {
    const under = new GrowingInts()
    const rules = new GrowingInts()
    for (let rule = 0; rule < this.#rules.length; rule++) {
      if (rule % STEP === 0) yield
      const { predicates } = this.#rules[rule] as CompiledTraitRule
      for (const position of this.#cheapestSet(this.#rules[rule] as CompiledTraitRule)) {
        under.push(this.#numberOf(predicates[position] as Predicate))
        rules.push(rule)
      }
    }
    return yield* groupBy(under.take(), rules.take(), this.#predicates.length)
  }

  /** Pairs (key, predicate) of predicates that must be tried because rules are filed under them. */
  *#groupTried(filedStart: Int32Array): Generator<void, Grouped> {
    const keys = new GrowingInts()
    const tried = new GrowingInts()
    for (let number = 0; number < this.#predicates.length; number++) {
      if (number % (8 * STEP) === 0) yield
      if (filedStart[number] === filedStart[number + 1]) continue
      if ((this.#predicates[number] as Predicate).operator === '==') continue
      keys.push(this.#keyOf.at(number))
      tried.push(number)
    }
    return yield* groupBy(keys.take(), tried.take(), this.#equals.length)
  }

  #cheapestSet(rule: CompiledTraitRule): readonly number[] {
    let best: readonly number[] = []
    let bestCost = Number.POSITIVE_INFINITY
    if (rule.accessSets.length === 1) return rule.accessSets[0] as readonly number[]
    for (const positions of rule.accessSets) {
      let cost = 0
      for (const position of positions) {
        const predicate = rule.predicates[position] as Predicate
        cost += accessCost(predicate) + this.#uses.at(this.#numberOf(predicate))
      }
      if (cost >= bestCost) continue
      best = positions
      bestCost = cost
    }
    return best
  }

  #numberOf(predicate: Predicate): number {
    const key = this.#keyNumber(predicate.key)
    const isEqual = predicate.operator === '=='
    const group = isEqual ? this.#equals : this.#others
    let known = group[key]
    if (known === undefined) {
      known = new SteadyMap()
      group[key] = known
    }
    const name = isEqual ? predicate.operand : predicate.identity
    const found = known.get(name)
    if (found !== undefined) return found
    const number = this.#predicates.push(predicate) - 1
    known.set(name, number)
    this.#keyOf.push(key)
    this.#uses.push(0)
    return number
  }

  #keyNumber(key: string): number {
    const found = this.#keys.get(key)
    if (found !== undefined) return found
    const number = this.#equals.push(undefined) - 1
    this.#others.push(undefined)
    this.#keys.set(key, number)
    return number
  }
}

function absolute(target: number, offset: number): number {
  return target >= 0 ? target + offset : target
}
