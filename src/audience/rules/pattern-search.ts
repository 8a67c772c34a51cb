import type { RE2JS } from 're2js'

/** The instructions of a compiled pattern, as the engine shows them. */
interface Instruction {
  readonly op: number
  readonly out: number
  readonly arg: number
  readonly runes: Int32Array
  matchRune(rune: number): boolean
}

const ALT = 1
const ALT_MATCH = 2
const CAPTURE = 3
const EMPTY_WIDTH = 4
const MATCH = 6
const NOP = 7
const RUNE = 8
const RUNE1 = 9
const RUNE_ANY = 10
const RUNE_ANY_NOT_NL = 11

const BEGIN_LINE = 1
const END_LINE = 2
const BEGIN_TEXT = 4
const END_TEXT = 8
const WORD_BOUNDARY = 16
const NO_WORD_BOUNDARY = 32

/** Instructions looked at between two yields: a small part of a millisecond. */
const STEP = 4_096

/**
 * Looks for a pattern anywhere in a value, in steps that can be interrupted: the engine itself takes up to a quarter of a
 * second for a large pattern and a long value, and cannot. It keeps the set of all places in the pattern that are possible
 * after each character, so that the cost is at most the size of the pattern times the length of the value.
 */
export function* searchInSteps(program: RE2JS, value: string): Generator<void, boolean> {
  const { inst, start } = program.re2().prog as { readonly inst: readonly Instruction[]; readonly start: number }
  let now = placeSet(inst.length)
  let next = placeSet(inst.length)
  let steps = 0
  let before = -1
  for (let at = 0; ; ) {
    const rune = at < value.length ? (value.codePointAt(at) as number) : -1
    // A match may begin at any place.
    if (follow(inst, now, start, contextOf(before, rune))) return true
    if (rune === -1) return false
    at += rune > 0xffff ? 2 : 1
    const context = contextOf(rune, at < value.length ? (value.codePointAt(at) as number) : -1)
    for (let i = 0; i < now.size; i++) {
      const one = inst[now.places[i] as number] as Instruction
      if (takes(one, rune) && follow(inst, next, one.out, context)) return true
    }
    steps += now.size + 1
    if (steps >= STEP) {
      steps = 0
      yield
    }
    before = rune
    ;[now, next] = [next, now]
    next.size = 0
  }
}

/** Places in a pattern, each once, in memory that is made once: the members are those that both arrays agree on. */
interface PlaceSet {
  readonly places: Int32Array
  readonly at: Int32Array
  size: number
}

function placeSet(length: number): PlaceSet {
  return { places: new Int32Array(length), at: new Int32Array(length), size: 0 }
}

/** Adds a place and all that follow it without a character. @returns whether the pattern is found */
function follow(inst: readonly Instruction[], set: PlaceSet, from: number, context: number): boolean {
  const at = set.at[from] as number
  if (at < set.size && set.places[at] === from) return false
  set.at[from] = set.size
  set.places[set.size++] = from
  const { op, out, arg } = inst[from] as Instruction
  switch (op) {
    case MATCH:
      return true
    case ALT:
    case ALT_MATCH:
      return follow(inst, set, out, context) || follow(inst, set, arg, context)
    case CAPTURE:
    case NOP:
      return follow(inst, set, out, context)
    case EMPTY_WIDTH:
      return (arg & ~context) === 0 && follow(inst, set, out, context)
    default:
      return false
  }
}

function takes(instruction: Instruction, rune: number): boolean {
  switch (instruction.op) {
    case RUNE:
      return instruction.matchRune(rune)
    case RUNE1:
      return instruction.runes[0] === rune
    case RUNE_ANY:
      return true
    case RUNE_ANY_NOT_NL:
      return rune !== 0x0a
    default:
      return false
  }
}

/** What holds between two characters; -1 is the end of the value. */
function contextOf(before: number, after: number): number {
  let context = isWord(before) === isWord(after) ? NO_WORD_BOUNDARY : WORD_BOUNDARY
  if (before === -1) context |= BEGIN_TEXT
  if (after === -1) context |= END_TEXT
  if (before === -1 || before === 0x0a) context |= BEGIN_LINE
  if (after === -1 || after === 0x0a) context |= END_LINE
  return context
}

function isWord(rune: number): boolean {
  return (
    (rune >= 0x30 && rune <= 0x39) || (rune >= 0x41 && rune <= 0x5a) || rune === 0x5f || (rune >= 0x61 && rune <= 0x7a)
  )
}
