import type { DataSourceId } from '../model/ids.ts'
import type { ReadonlySignals } from '../model/signals.ts'
import { openPattern, type Pattern } from './rules/java-pattern.ts'
import { ACCEPT } from './rules/jump-program.ts'
import { type FoldedValue, foldValue, type Predicate, testValue, textOf } from './rules/predicate.ts'
import type { SteadyMap } from './steady-map.ts'
import type { SubstringIndex } from './substring-index.ts'
import { NOT_REMEMBERED, TextMemo } from './text-memo.ts'

/**
 * All trait rules in flat arrays, ready to match. Predicates are numbered, each once; rules are jump programs over them
 * (`rules/jump-program.ts`). A call looks up its key-value pairs, which gives the `==` predicates that hold, and tries the
 * few others that rules are filed under, when their key is present. Only rules filed under a predicate that holds are run;
 * any further predicate is tested when a run asks for it, at most once a call.
 *
 * Cost: the pairs of the call and the candidates they point at; not the number of rules.
 */
export interface MatcherTables {
  /** Number of a key in lower case. */
  readonly keys: SteadyMap
  /** Per key: number of the predicate `key == value`, by canonical value. */
  readonly equals: readonly (SteadyMap | undefined)[]
  /** Predicates by number, and the number of the key of each. */
  readonly predicates: readonly Predicate[]
  readonly keyOf: Int32Array
  /** Rules filed under predicate `p`: `filed[filedStart[p]] .. filed[filedStart[p + 1] - 1]`. */
  readonly filedStart: Int32Array
  readonly filed: Int32Array
  /** By key: predicates that want a part of the value, where many rules are filed under such. */
  readonly substrings: readonly (SubstringIndex | undefined)[]
  /** The other predicates that rules are filed under, `==` apart, by key, laid out alike. */
  readonly triedStart: Int32Array
  readonly tried: Int32Array
  /** Jump programs of all rules, with absolute targets; where each rule begins. */
  readonly code: Int32Array
  readonly entry: Int32Array
  /** Trait and data source of each rule. */
  readonly sids: Int32Array
  readonly dataSourceIds: Int32Array
}

/** Stands before the regular expressions of one call, so that they cannot hold the thread. */
export interface PatternGauge {
  /** @param open compiles the pattern, where that was not done yet */
  test(predicate: number, open: () => Pattern, values: readonly string[]): boolean
}

const NO_KEY = -1
const NO_PREDICATE = -1
const KEYS_REMEMBERED = 4_096
const VALUES_REMEMBERED = 65_536
/** Owner of the keys in their memory. */
const ALL_KEYS = 0
const NONE = new Int32Array(0)
const GENERATIONS_MAX = 2 ** 30 - 1

export class TraitMatcher {
  readonly #tables: MatcherTables
  readonly #patterns: (Pattern | undefined)[]
  // Scratch of one call, valid where its stamp is the current generation. A call never waits, so no two overlap.
  #generation = 0
  readonly #outcome: Int32Array // 2 * generation + 1 when the predicate holds, 2 * generation when it does not
  readonly #ruleStamp: Int32Array
  readonly #keyStamp: Int32Array
  readonly #firstValue: Int32Array // of a key, then `#nextValue` until -1
  #values: FoldedValue[] = []
  #nextValue: number[] = []
  // What was found before of a key as it was sent, and of a value under it: most calls repeat both.
  readonly #keyMemo = new TextMemo(KEYS_REMEMBERED)
  /** The predicate `key == value` by value as it was sent, of each key. */
  readonly #predicateMemo = new TextMemo(VALUES_REMEMBERED)
  /** Keys that other operators look at: only their values are kept during a call. */
  readonly #isRead: Uint8Array

  readonly #hasPatterns: boolean
  #gauge: PatternGauge | undefined

  constructor(tables: MatcherTables) {
    this.#tables = tables
    this.#patterns = []
    this.#outcome = new Int32Array(tables.predicates.length)
    this.#ruleStamp = new Int32Array(tables.sids.length)
    this.#keyStamp = new Int32Array(tables.equals.length)
    this.#firstValue = new Int32Array(tables.equals.length)
    this.#isRead = new Uint8Array(tables.equals.length)
    this.#hasPatterns = tables.predicates.some(({ operator }) => operator === 'matchesregex')
    tables.predicates.forEach(({ operator }, predicate) => {
      if (operator !== '==') this.#isRead[tables.keyOf[predicate] as number] = 1
    })
  }

  get ruleCount(): number {
    return this.#tables.sids.length
  }

  /** Whether any rule has a regular expression. */
  get hasPatterns(): boolean {
    return this.#hasPatterns
  }

  /**
   * @param only of this data source alone; `null`: of none [COL-49], [COL-50]
   * @param gauge decides before each test of a regular expression whether it may run now, and keeps what it found
   * @returns ids of the traits whose rule holds, ascending, each once [AUD-138]
   * @throws what the gauge throws; the same call can be made again, and goes on from what was found
   */
  match(signals: ReadonlySignals, only: DataSourceId | null | undefined, gauge?: PatternGauge): Int32Array {
    this.#gauge = gauge
    if (only === null || this.#tables.sids.length === 0) return NONE
    this.#begin()
    const matched: number[] = []
    const holding = this.#findHolding(signals)
    const { filedStart, filed, sids, dataSourceIds } = this.#tables
    const generation = this.#generation
    for (const predicate of holding) {
      const end = filedStart[predicate + 1] as number
      for (let at = filedStart[predicate] as number; at < end; at++) {
        const rule = filed[at] as number
        if (this.#ruleStamp[rule] === generation) continue
        this.#ruleStamp[rule] = generation
        if (only !== undefined && dataSourceIds[rule] !== only) continue
        if (this.#run(rule)) matched.push(sids[rule] as number)
      }
    }
    return matched.length === 0 ? NONE : Int32Array.from(matched).sort()
  }

  #begin(): void {
    if (this.#generation === GENERATIONS_MAX) {
      this.#generation = 0
      this.#outcome.fill(0)
      this.#ruleStamp.fill(0)
      this.#keyStamp.fill(0)
    }
    this.#generation += 1
    this.#values.length = 0
    this.#nextValue.length = 0
  }

  /** Takes in the call. @returns the predicates that hold and have rules filed under them */
  #findHolding(signals: ReadonlySignals): number[] {
    const { keys, equals, filedStart, triedStart, substrings } = this.#tables
    const holds = 2 * this.#generation + 1
    const holding: number[] = []
    const present: number[] = []
    const { names, values } = signals
    for (let at = 0; at < names.length; at++) {
      const name = names[at] as string
      let key = this.#keyMemo.get(ALL_KEYS, name)
      if (key === NOT_REMEMBERED) {
        key = keys.get(name.toLowerCase()) ?? NO_KEY
        this.#keyMemo.set(ALL_KEYS, name, key)
      }
      if (key === NO_KEY) continue
      if (this.#keyStamp[key] !== this.#generation) {
        this.#keyStamp[key] = this.#generation
        this.#firstValue[key] = -1
        if (triedStart[key] !== triedStart[key + 1] || substrings[key] !== undefined) present.push(key)
      }
      const isRead = this.#isRead[key] === 1
      const raw = values[at] as string
      let predicate = this.#predicateMemo.get(key, raw)
      if (predicate === NOT_REMEMBERED || isRead) {
        const value = foldValue(raw)
        if (predicate === NOT_REMEMBERED) {
          predicate = equals[key]?.get(value.canonical) ?? NO_PREDICATE
          this.#predicateMemo.set(key, raw, predicate)
        }
        if (isRead) this.#keep(key, value)
      }
      if (predicate === NO_PREDICATE || this.#outcome[predicate] === holds) continue
      this.#outcome[predicate] = holds
      if (filedStart[predicate] !== filedStart[predicate + 1]) holding.push(predicate)
    }
    // Keys that others than `==` are filed under. Only now are all values of every key known, whatever the case its name came in.
    for (const key of present) this.#tryOthers(key, holding)
    return holding
  }

  #keep(key: number, value: FoldedValue): void {
    this.#nextValue.push(this.#firstValue[key] as number)
    this.#firstValue[key] = this.#values.push(value) - 1
  }

  #tryOthers(key: number, holding: number[]): void {
    const { triedStart, tried } = this.#tables
    const end = triedStart[key + 1] as number
    for (let at = triedStart[key] as number; at < end; at++) {
      const predicate = tried[at] as number
      if (this.#holds(predicate)) holding.push(predicate)
    }
    const substrings = this.#tables.substrings[key]
    if (substrings === undefined) return
    const known = 2 * this.#generation
    for (let value = this.#firstValue[key] as number; value >= 0; value = this.#nextValue[value] as number) {
      substrings.search(textOf(this.#values[value] as FoldedValue), (predicate) => {
        // Named before in this call: known, and taken in if it holds.
        if ((this.#outcome[predicate] as number) >= known) return
        if (this.#holds(predicate)) holding.push(predicate)
      })
    }
  }

  #run(rule: number): boolean {
    const { code, entry } = this.#tables
    let at = entry[rule] as number
    while (at >= 0) at = code[this.#holds(code[at] as number) ? at + 1 : at + 2] as number
    return at === ACCEPT
  }

  #holds(predicate: number): boolean {
    const outcome = (this.#outcome[predicate] as number) - 2 * this.#generation
    if (outcome >= 0) return outcome === 1
    const holds = this.#test(predicate)
    this.#outcome[predicate] = 2 * this.#generation + (holds ? 1 : 0)
    return holds
  }

  #test(predicate: number): boolean {
    const key = this.#tables.keyOf[predicate] as number
    if (this.#keyStamp[key] !== this.#generation) return false
    const { operator, operand } = this.#tables.predicates[predicate] as Predicate
    // Every `==` that holds was marked when the call was taken in.
    if (operator === '==') return false
    if (operator === 'matchesregex') return this.#testPattern(predicate, key, operand)
    for (let at = this.#firstValue[key] as number; at >= 0; at = this.#nextValue[at] as number)
      if (testValue(operator, operand, this.#values[at] as FoldedValue)) return true
    return false
  }

  #testPattern(predicate: number, key: number, source: string): boolean {
    const values: string[] = []
    for (let at = this.#firstValue[key] as number; at >= 0; at = this.#nextValue[at] as number) {
      const { raw } = this.#values[at] as FoldedValue
      if (raw !== '') values.push(raw)
    }
    if (this.#gauge === undefined) return values.some((value) => this.#patternOf(predicate, source).test(value))
    return this.#gauge.test(predicate, () => this.#patternOf(predicate, source), values)
  }

  /** Compiled on first use: few of many patterns are ever asked for, and they were checked when they were saved. */
  #patternOf(predicate: number, source: string): Pattern {
    let pattern = this.#patterns[predicate]
    if (pattern === undefined) {
      pattern = openPattern(source)
      this.#patterns[predicate] = pattern
    }
    return pattern
  }
}
