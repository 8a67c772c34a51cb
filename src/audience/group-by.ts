/** Items of group `g`: `items[start[g]] .. items[start[g + 1] - 1]`, in their first order. */
export interface Grouped {
  readonly start: Int32Array
  readonly items: Int32Array
}

/** Sorts items by group. @param groups the group of each item, 0 to `groupCount - 1` */
export function* groupBy(groups: Int32Array, items: Int32Array, groupCount: number): Generator<void, Grouped> {
  const count = items.length
  const start = new Int32Array(groupCount + 1)
  for (let i = 0; i < count; i++) start[(groups[i] as number) + 1] = (start[(groups[i] as number) + 1] as number) + 1
  yield
  for (let group = 0; group < groupCount; group++)
    start[group + 1] = (start[group + 1] as number) + (start[group] as number)
  yield
  const next = start.slice()
  const grouped = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const group = groups[i] as number
    const at = next[group] as number
    grouped[at] = items[i] as number
    next[group] = at + 1
    if (i % 100_000 === 99_999) yield
  }
  return { start, items: grouped }
}
