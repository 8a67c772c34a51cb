/** Runs a generator to its end at once. */
export function runThrough<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}
