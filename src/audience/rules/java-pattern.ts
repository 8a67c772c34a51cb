import { RE2JS } from 're2js'
import { type PatternFault, translateJavaPattern } from './java-to-re2.ts'
import { searchInSteps } from './pattern-search.ts'

/**
 * Regular expressions of `matchesregex`: Java syntax as far as a linear-time engine can run it [AUD-80], [SEC-70]. A
 * pattern is found anywhere in the value; anchors make it match the whole.
 */
export const PATTERN_BYTES_MAX = 1024
/** Longer values never match. */
export const PATTERN_INPUT_BYTES_MAX = 4096
/** Instructions of the compiled program; a search costs at most this times the input. */
const PROGRAM_SIZE_MAX = 1200

/** Instructions times characters that the engine does in some 5 ms, in the worst of patterns. */
const QUICK_COST_MAX = 100_000
/** What the engine may keep of one pattern to be fast; what it has to find again then costs time alone. */
const ENGINE_BYTES_MAX = 256 * 1024

export interface Pattern {
  /** Without an end in sight where it is not quick: up to a quarter of a second. */
  test(value: string): boolean
  /** A few milliseconds at most. @param characters of all values that it is to be tested with */
  isQuick(characters: number): boolean
  /** The same answer in steps of a small part of a millisecond. */
  search(value: string): Generator<void, boolean>
}

const NEVER: Pattern = {
  test: () => false,
  isQuick: () => true,
  // biome-ignore lint/correctness/useYield: there is nothing to do
  *search() {
    return false
  },
}

type Compiled = { readonly ok: true; readonly pattern: Pattern } | ({ readonly ok: false } & PatternFault)

/** @returns why the pattern cannot be used, and where; undefined when it can */
export function checkPattern(source: string): PatternFault | undefined {
  const compiled = compile(source)
  return compiled.ok ? undefined : compiled
}

/** A pattern that was checked before; one that cannot be run matches nothing. */
export function openPattern(source: string): Pattern {
  const compiled = compile(source)
  return compiled.ok ? compiled.pattern : NEVER
}

function compile(source: string): Compiled {
  if (Buffer.byteLength(source) > PATTERN_BYTES_MAX) {
    return { ok: false, message: `it is longer than ${PATTERN_BYTES_MAX} bytes`, offset: 0 }
  }
  const translated = translateJavaPattern(source)
  if (!translated.ok) return translated
  try {
    const program = RE2JS.compile(translated.pattern)
    if (program.programSize() > PROGRAM_SIZE_MAX) {
      return { ok: false, message: 'it is too large once its repetitions are written out', offset: 0 }
    }
    return { ok: true, pattern: patternOf(program) }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { ok: false, ...describe(error, source) }
  }
}

function patternOf(program: RE2JS): Pattern {
  const size = program.programSize()
  let isBounded = false
  return {
    test(value) {
      if (!fits(value)) return false
      if (!isBounded) boundMemory(program)
      isBounded = true
      return program.test(value)
    },
    isQuick: (characters) => size * characters <= QUICK_COST_MAX,
    *search(value) {
      return fits(value) && (yield* searchInSteps(program, value))
    },
  }
}

/** The engine's own bound is 8 MiB for each pattern, which whoever sends values can fill. */
function boundMemory(program: RE2JS): void {
  const { dfa } = program.re2() as unknown as { readonly dfa: Record<'maxMem' | 'stateBudget' | 'memBudget', number> }
  dfa.maxMem = ENGINE_BYTES_MAX
  dfa.stateBudget = ENGINE_BYTES_MAX
  dfa.memBudget = ENGINE_BYTES_MAX
}

function fits(value: string): boolean {
  if (value.length * 3 <= PATTERN_INPUT_BYTES_MAX) return true
  return value.length <= PATTERN_INPUT_BYTES_MAX && Buffer.byteLength(value) <= PATTERN_INPUT_BYTES_MAX
}

/** The engine names the part it stumbled over, not its place. */
function describe(error: Error, source: string): PatternFault {
  const message = error.message.replace(/^error parsing regexp: /, '')
  const part = /`([^`]*)`$/.exec(error.message)?.[1] ?? ''
  return { message, offset: part === '' ? 0 : Math.max(0, source.indexOf(part)) }
}
