/** Items that are sorted or merged between two yields. */
const STEP = 1_000

/** The items in order, those that compare equal in the order they came in, as `Array.sort` has it; for `runInSlices`. */
export function* sortInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  step = STEP,
): Generator<void, T[]> {
  let runs: T[][] = []
  for (let at = 0; at < items.length; at += step) {
    runs.push(items.slice(at, at + step).sort(compare))
    yield
  }
  while (runs.length > 1) {
    const longer: T[][] = []
    for (let at = 0; at < runs.length; at += 2)
      longer.push(yield* merged(runs[at] as T[], runs[at + 1] ?? [], compare, step))
    runs = longer
  }
  return runs[0] ?? []
}

function* merged<T>(
  first: readonly T[],
  second: readonly T[],
  compare: (a: T, b: T) => number,
  step: number,
): Generator<void, T[]> {
  const all: T[] = []
  for (let i = 0, j = 0; i < first.length || j < second.length; ) {
    const isFirst = j >= second.length || (i < first.length && compare(first[i] as T, second[j] as T) <= 0)
    all.push((isFirst ? first[i++] : second[j++]) as T)
    if (all.length % step === 0) yield
  }
  return all
}
