import { RE2JS } from 're2js'
import { type PatternFault, translateJavaPattern } from './java-to-re2.ts'

/**
 * Regular expressions of `matchesregex`: Java syntax as far as a linear-time engine can run it [AUD-80], [SEC-70]. A
 * pattern is found anywhere in the value; anchors make it match the whole.
 */
export const PATTERN_BYTES_MAX = 1024
/** Longer values never match. */
export const PATTERN_INPUT_BYTES_MAX = 4096
/** Instructions of the compiled program; a search costs at most this times the input. */
const PROGRAM_SIZE_MAX = 1200

export interface Pattern {
  test(value: string): boolean
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
  return compiled.ok ? compiled.pattern : { test: () => false }
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
    return { ok: true, pattern: { test: (value) => fits(value) && program.test(value) } }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { ok: false, ...describe(error, source) }
  }
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
