import { TURNS, type Turns } from './turns.ts'

/** Resolves after everything that waits for the event loop now has had its turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Runs a generator to its end in slices, so that long work on the main thread does not hold up requests. A slice ends at the
 * first `yield` after its share of the turn; a generator must therefore yield every few milliseconds at most.
 * @throws whatever the generator throws
 */
export async function runInSlices<T>(work: Generator<void, T>, turns: Turns = TURNS): Promise<T> {
  for (;;) {
    const turn = turns.take()
    const endMs = typeof turn === 'number' ? turn : await turn
    do {
      const step = work.next()
      if (step.done) return step.value
    } while (turns.now() < endMs)
  }
}

/** What is made of each, with a yield after each; for `runInSlices`. */
export function* eachInSlices<From, To>(
  list: readonly From[],
  make: (one: From, at: number) => To,
): Generator<void, To[]> {
  const made: To[] = []
  for (const [at, one] of list.entries()) {
    made.push(make(one, at))
    yield
  }
  return made
}
