import { runInSlices } from '../lib/slices.ts'
import type { DataSourceId } from '../model/ids.ts'
import type { ReadonlySignals } from '../model/signals.ts'
import type { Pattern } from './rules/java-pattern.ts'
import type { PatternGauge, TraitMatcher } from './trait-matcher.ts'

/** Time for the regular expressions of all calls between two turns of the event loop. */
const TURN_MS = 5

/**
 * Matches a call without ever holding the thread: regular expressions are compiled and tested while the turn of the event
 * loop has time for them. What is left goes into a queue that has a slice in each turn, whatever the number of calls in it;
 * tests that are long by themselves run in steps. The result is the same; only such a call waits longer for it.
 * @returns at once where the rules of the call are quick, as nearly all are
 */
export function matchBounded(
  matcher: TraitMatcher,
  signals: ReadonlySignals,
  only: DataSourceId | null | undefined,
): Int32Array | Promise<Int32Array> {
  if (!matcher.hasPatterns) return matcher.match(signals, only)
  const gauge = new Gauge()
  const found = attempt(matcher, signals, only, gauge)
  if (found !== undefined) return found
  const turn = queue.then(() => finish(matcher, signals, only, gauge))
  queue = turn.catch(() => {})
  return turn
}

/** Calls that go on later, one after another. */
let queue: Promise<unknown> = Promise.resolve()

async function finish(
  matcher: TraitMatcher,
  signals: ReadonlySignals,
  only: DataSourceId | null | undefined,
  gauge: Gauge,
): Promise<Int32Array> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve))
    await gauge.workOff()
    const found = attempt(matcher, signals, only, gauge)
    if (found !== undefined) return found
  }
}

function attempt(
  matcher: TraitMatcher,
  signals: ReadonlySignals,
  only: DataSourceId | null | undefined,
  gauge: Gauge,
): Int32Array | undefined {
  try {
    return matcher.match(signals, only, gauge)
  } catch (reason) {
    if (reason !== NOT_NOW) throw reason
    return undefined
  }
}

/** Thrown through the matcher, which can begin again at any time. */
const NOT_NOW = new Error('the time of this turn is used up')

interface Pending {
  readonly predicate: number
  readonly open: () => Pattern
  readonly values: readonly string[]
}

/** What is known of the regular expressions of one call. */
class Gauge implements PatternGauge {
  readonly #outcomes = new Map<number, boolean>()
  #pending: Pending | undefined

  test(predicate: number, open: () => Pattern, values: readonly string[]): boolean {
    const known = this.#outcomes.get(predicate)
    if (known !== undefined) return known
    const startedMs = performance.now()
    if (turn.hasTime()) {
      const pattern = open()
      if (pattern.isQuick(values.reduce((sum, value) => sum + value.length, 0))) {
        const outcome = values.some((value) => pattern.test(value))
        this.#outcomes.set(predicate, outcome)
        turn.spend(performance.now() - startedMs)
        return outcome
      }
      turn.spend(performance.now() - startedMs)
    }
    this.#pending = { predicate, open, values }
    throw NOT_NOW
  }

  /** Finds out what the last attempt was stopped at, so that each attempt comes further. */
  async workOff(): Promise<void> {
    if (this.#pending === undefined) return
    const { predicate, open, values } = this.#pending
    this.#pending = undefined
    this.#outcomes.set(predicate, await runInSlices(searchAll(open, values)))
  }
}

function* searchAll(open: () => Pattern, values: readonly string[]): Generator<void, boolean> {
  const pattern = open()
  yield
  for (const value of values) {
    // One by one a short value may be quick, and the engine remembers what it has seen.
    if (pattern.isQuick(value.length) ? pattern.test(value) : yield* pattern.search(value)) return true
    yield
  }
  return false
}

/** The time of the current turn of the event loop. */
class Turn {
  #spentMs = 0

  hasTime(): boolean {
    return this.#spentMs < TURN_MS
  }

  spend(ms: number): void {
    if (this.#spentMs === 0) setImmediate(() => this.#end())
    this.#spentMs += ms
  }

  #end(): void {
    this.#spentMs = 0
  }
}

const turn = new Turn()
