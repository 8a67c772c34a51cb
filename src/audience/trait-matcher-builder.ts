import type { DataSourceId, TraitId } from '../model/ids.ts'
import { type Grouped, groupBy } from './group-by.ts'
import { GrowingInts } from './growing-ints.ts'
import { accessCost, type CompiledTraitRule } from './rules/compiled-trait-rule.ts'
import type { Predicate } from './rules/predicate.ts'
import { SteadyMap } from './steady-map.ts'
import { SubstringIndex } from './substring-index.ts'
import { TraitMatcher } from './trait-matcher.ts'

/** Rules and predicates handled between two yields. */
const STEP = 2000
/** From this many on, predicates on parts of one key's value are searched for together instead of one by one. */
const SUBSTRINGS_MIN = 16

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
  /** Numbers of each rule's predicates, one rule after the other, and where each rule's begin. */
  readonly #numbers = new GrowingInts()
  readonly #firstNumber = new GrowingInts()

  add(traitId: TraitId, dataSourceId: DataSourceId, rule: CompiledTraitRule): void {
    const numbers = this.#numbers.length
    this.#firstNumber.push(numbers)
    for (const predicate of rule.predicates) {
      const number = this.#numberOf(predicate)
      this.#numbers.push(number)
      this.#uses.increment(number)
    }
    const offset = this.#code.length
    const { code, entry } = rule.program
    for (let at = 0; at < code.length; at += 3) {
      this.#code.push(this.#numbers.at(numbers + (code[at] as number)))
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
    const substrings = yield* this.#indexSubstrings(filed.start)
    const tried = yield* this.#groupTried(filed.start, substrings)
    return new TraitMatcher({
      keys: this.#keys,
      equals: this.#equals,
      predicates: this.#predicates,
      keyOf: this.#keyOf.take(),
      filedStart: filed.start,
      filed: filed.items,
      substrings,
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
      const { accessSets } = this.#rules[rule] as CompiledTraitRule
      const first = this.#firstNumber.at(rule)
      const set = this.#cheapestSet(accessSets, first)
      const end = set + (accessSets[set] as number)
      for (let at = set + 1; at <= end; at++) {
        under.push(this.#numbers.at(first + (accessSets[at] as number)))
        rules.push(rule)
      }
    }
    return yield* groupBy(under.take(), rules.take(), this.#predicates.length)
  }

  /** Keys with many predicates on parts of their value, if rules are filed under these. */
  *#indexSubstrings(filedStart: Int32Array): Generator<void, (SubstringIndex | undefined)[]> {
    const perKey = new Int32Array(this.#equals.length)
    const isFiled = (number: number) =>
      filedStart[number] !== filedStart[number + 1] && isSubstring(this.#predicates[number] as Predicate)
    for (let number = 0; number < this.#predicates.length; number++) {
      if (number % (8 * STEP) === 0) yield
      if (isFiled(number)) perKey[this.#keyOf.at(number)] = (perKey[this.#keyOf.at(number)] as number) + 1
    }
    const substrings = Array.from(perKey, (count) => (count >= SUBSTRINGS_MIN ? new SubstringIndex() : undefined))
    for (let number = 0; number < this.#predicates.length; number++) {
      if (number % STEP === 0) yield
      if (isFiled(number))
        substrings[this.#keyOf.at(number)]?.add(number, (this.#predicates[number] as Predicate).operand)
    }
    return substrings
  }

  /** Pairs (key, predicate) of predicates that must be tried because rules are filed under them. */
  *#groupTried(filedStart: Int32Array, substrings: readonly (SubstringIndex | undefined)[]): Generator<void, Grouped> {
    const keys = new GrowingInts()
    const tried = new GrowingInts()
    for (let number = 0; number < this.#predicates.length; number++) {
      if (number % (8 * STEP) === 0) yield
      const predicate = this.#predicates[number] as Predicate
      const key = this.#keyOf.at(number)
      if (filedStart[number] === filedStart[number + 1] || predicate.operator === '==') continue
      if (substrings[key] !== undefined && isSubstring(predicate)) continue
      keys.push(key)
      tried.push(number)
    }
    return yield* groupBy(keys.take(), tried.take(), this.#equals.length)
  }

  /** Where the set begins whose predicates are found at the least cost and used by the fewest other rules. */
  #cheapestSet(accessSets: readonly number[], firstNumber: number): number {
    let best = 0
    let bestCost = Number.POSITIVE_INFINITY
    for (let set = 0; set < accessSets.length; set += 1 + (accessSets[set] as number)) {
      let cost = 0
      const end = set + (accessSets[set] as number)
      for (let at = set + 1; at <= end; at++) {
        const number = this.#numbers.at(firstNumber + (accessSets[at] as number))
        cost += accessCost(this.#predicates[number] as Predicate) + this.#uses.at(number)
      }
      if (cost >= bestCost) continue
      best = set
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
    const found = known.get(predicate.identity)
    if (found !== undefined) return found
    const number = this.#predicates.push(predicate) - 1
    known.set(predicate.identity, number)
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

function isSubstring({ operator, operand }: Predicate): boolean {
  const isPart = operator === 'contains' || operator === 'startswith' || operator === 'endswith'
  return isPart && SubstringIndex.fits(operand)
}

function absolute(target: number, offset: number): number {
  return target >= 0 ? target + offset : target
}
