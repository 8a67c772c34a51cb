import { BitReader, BrokenBitsError } from './bit-reader.ts'

/** Sections of a GPP string by their id, still encoded: `7` is US national, `8` to `27` are US states. */
export type GppSections = ReadonlyMap<number, string>

const HEADER_TYPE = 3
const HEADER_VERSION = 1
/** The IAB has given out 27 ids; a longer list is broken or hostile. */
const SECTIONS_MAX = 64
const FIBONACCI_BITS_MAX = 24

/**
 * Takes a GPP string apart: a header that names the sections, then the sections in that order, joined by `~`. Source:
 * IAB "Global Privacy Platform String", version 1. Worked example: `DBABTA~1YYN` has the header `DBABTA` (type 3,
 * version 1, one single id, the Fibonacci code 10011 for 6) and so one section, 6, a US privacy string.
 * @returns undefined when the string cannot be decoded
 */
export function parseGpp(text: string): GppSections | undefined {
  const [header, ...sections] = text.split('~')
  try {
    const ids = readSectionIds(new BitReader(header as string))
    if (ids.length !== sections.length) return undefined
    return new Map(ids.map((id, at) => [id, sections[at] as string]))
  } catch (error) {
    if (error instanceof BrokenBitsError) return undefined
    throw error
  }
}

/** Ids ascend and are told by their distance from the one before: singly, or as the first and last of a range. */
function readSectionIds(reader: BitReader): readonly number[] {
  if (reader.uint(6) !== HEADER_TYPE || reader.uint(6) !== HEADER_VERSION) throw new BrokenBitsError()
  const ids: number[] = []
  let last = 0
  for (let left = reader.uint(12); left > 0; left--) {
    const isRange = reader.flag()
    const first = last + readFibonacci(reader)
    last = isRange ? first + readFibonacci(reader) : first
    if (ids.length + last - first >= SECTIONS_MAX) throw new BrokenBitsError()
    for (let id = first; id <= last; id++) ids.push(id)
  }
  return ids
}

/** A sum of Fibonacci numbers, 1, 2, 3, 5 and so on; it ends with the first pair of ones. */
function readFibonacci(reader: BitReader): number {
  let value = 0
  let [weight, next] = [1, 2]
  let wasOne = false
  for (let bits = 0; bits < FIBONACCI_BITS_MAX; bits++) {
    const isOne = reader.flag()
    if (isOne && wasOne) return value
    if (isOne) value += weight
    wasOne = isOne
    ;[weight, next] = [next, weight + next]
  }
  throw new BrokenBitsError()
}
