/** Members that are turned into text at once: some tenths of a millisecond. */
const SIZE_MAX = 1_000
/** Characters of a text that count as one member. */
const CHARS = 64

/**
 * The text of `JSON.stringify` in pieces, with a yield after each, because an answer of some megabytes takes tens of
 * milliseconds as a whole. What is small is left to `JSON.stringify`; what is not is taken apart, member by member.
 * @param value something that has a text: not `undefined`, not a function
 */
export function* jsonInSlices(value: unknown, sizeMax = SIZE_MAX): Generator<void, string[]> {
  const pieces: string[] = []
  let piece = ''
  let size = 0
  function* write(part: unknown): Generator<void, void> {
    const partSize = sizeUpTo(part, sizeMax)
    size += partSize
    if (partSize <= sizeMax || !isTakenApart(part)) piece += JSON.stringify(part) ?? 'null'
    else if (Array.isArray(part)) yield* writeArray(part)
    else yield* writeObject(part)
    if (size < sizeMax) return
    pieces.push(piece)
    piece = ''
    size = 0
    yield
  }
  function* writeArray(items: readonly unknown[]): Generator<void, void> {
    let separator = '['
    for (const item of items) {
      piece += separator
      separator = ','
      yield* write(item)
    }
    piece += ']'
  }
  function* writeObject(part: Readonly<Record<string, unknown>>): Generator<void, void> {
    let separator = '{'
    for (const name of Object.keys(part)) {
      if (!hasText(part[name])) continue
      piece += `${separator}${JSON.stringify(name)}:`
      separator = ','
      yield* write(part[name])
    }
    piece += separator === '{' ? '{}' : '}'
  }
  yield* write(value)
  pieces.push(piece)
  return pieces
}

/** Members of a value in all its depth, counted no further than `max`. */
function sizeUpTo(value: unknown, max: number): number {
  if (typeof value === 'string') return 1 + Math.floor(value.length / CHARS)
  if (!isTakenApart(value)) return 1
  let size = 1
  for (const name in value) {
    size += sizeUpTo(value[name], max - size)
    if (size > max) break
  }
  return size
}

function isTakenApart(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !('toJSON' in value)
}

const hasText = (value: unknown) => value !== undefined && typeof value !== 'function' && typeof value !== 'symbol'
