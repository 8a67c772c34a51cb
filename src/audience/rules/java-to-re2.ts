/**
 * Rewrites a regular expression in Java's syntax into RE2's, and refuses what RE2 cannot run or would quietly read
 * otherwise (an intersection of classes, an octal escape), with the place. What is left alone is checked by the engine.
 * Worked example: `\Qa.b\E\h+\p{Alpha}` becomes `a\.b[ \t...]+[a-zA-Z]`.
 *
 * Known small differences that remain: `.` excludes only the line feed, and `$` does not match before a final one.
 * Source: java.util.regex.Pattern; https://github.com/google/re2/wiki/Syntax.
 */
export interface PatternFault {
  readonly message: string
  /** Offset in the pattern, counted from 0. */
  readonly offset: number
}

type Translated = { readonly ok: true; readonly pattern: string } | ({ readonly ok: false } & PatternFault)

const horizontal = String.raw` \t\xa0\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`
const vertical = String.raw`\n\x0b\f\r\x85\x{2028}\x{2029}`
const space = String.raw`\t\n\x0b\f\r `

/** Bodies of classes that RE2 lacks or reads otherwise. */
const classEscapes: ReadonlyMap<string, string> = new Map([
  ['h', horizontal],
  ['v', vertical],
  ['s', space],
])
const asciiClasses: ReadonlyMap<string, string> = new Map([
  ['Lower', 'a-z'],
  ['Upper', 'A-Z'],
  ['ASCII', String.raw`\x00-\x7f`],
  ['Alpha', 'a-zA-Z'],
  ['Digit', '0-9'],
  ['Alnum', 'a-zA-Z0-9'],
  ['Punct', String.raw`!-/:-@\[-\x60{-~`],
  ['Graph', '!-~'],
  ['Print', ' -~'],
  ['Blank', String.raw` \t`],
  ['Cntrl', String.raw`\x00-\x1f\x7f`],
  ['XDigit', '0-9a-fA-F'],
  ['Space', space],
])
const plainEscapes = 'dDwWtnrfa'
const anchorEscapes = 'bBAz'
const refusedEscapes: ReadonlyMap<string, string> = new Map([
  ['k', 'back-references are not supported'],
  ['G', String.raw`\G is not supported`],
  ['X', String.raw`\X is not supported`],
  ['N', String.raw`\N is not supported`],
])

class Fault extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

export function translateJavaPattern(source: string): Translated {
  try {
    return { ok: true, pattern: new Translation(source).run() }
  } catch (error) {
    if (error instanceof Fault) return { ok: false, message: error.message, offset: error.offset }
    throw error
  }
}

class Translation {
  readonly #source: string
  #at = 0
  /** Where the groups that are still open begin. */
  readonly #open: number[] = []

  constructor(source: string) {
    this.#source = source
  }

  run(): string {
    const source = this.#source
    let result = ''
    while (this.#at < source.length) {
      const character = source.charAt(this.#at)
      if (character === '\\') result += this.#escape(false)
      else if (character === '[') result += this.#class()
      else if (character === '(') result += this.#group()
      else if (character === ')') result += this.#endGroup()
      else if (character === '*' || character === '+' || character === '?' || character === '{')
        result += this.#repeat()
      else result += this.#take(1)
    }
    const unclosed = this.#open.at(-1)
    if (unclosed !== undefined) throw new Fault('missing closing )', unclosed)
    return result
  }

  #endGroup(): string {
    if (this.#open.pop() === undefined) throw new Fault('unexpected )', this.#at)
    return this.#take(1)
  }

  #take(length: number): string {
    const taken = this.#source.slice(this.#at, this.#at + length)
    this.#at += length
    return taken
  }

  #repeat(): string {
    const counted = /^\{\d+(,\d*)?\}/.exec(this.#source.slice(this.#at, this.#at + 32))
    const quantifier = this.#take(counted?.[0].length ?? 1)
    if (this.#source.charAt(this.#at) === '+' && quantifier !== '{') {
      throw new Fault('possessive quantifiers are not supported', this.#at)
    }
    // A following `?` makes it reluctant, and is no quantifier of its own.
    return this.#source.charAt(this.#at) === '?' && quantifier !== '{' ? quantifier + this.#take(1) : quantifier
  }

  #group(): string {
    const start = this.#at
    const head = this.#source.slice(start, start + 4)
    if (/^\(\?(=|!|<=|<!)/.test(head)) throw new Fault('look-around is not supported', start)
    if (head.startsWith('(?>')) throw new Fault('atomic groups are not supported', start)
    const flags = /^\(\?([a-zA-Z]*(?:-[a-zA-Z]*)?)[:)]/.exec(this.#source.slice(start, start + 24))
    if (!flags?.[0].endsWith(')')) this.#open.push(start)
    if (flags === null || flags[1] === '') return this.#take(1)
    const whole = flags[0]
    const unknown = (flags[1] as string).search(/[^imsdu-]/)
    if (unknown >= 0) throw new Fault(`the flag ${whole.charAt(2 + unknown)} is not supported`, start + 2 + unknown)
    this.#at += whole.length
    // RE2 folds case by Unicode rules and ends lines with a line feed as it is.
    const kept = whole.replace(/[du]/g, '')
    return kept === '(?)' || kept === '(?-)' ? '' : kept.replace(/-(?=[:)])/, '')
  }

  #class(): string {
    const source = this.#source
    let result = this.#take(source.charAt(this.#at + 1) === '^' ? 2 : 1)
    if (source.charAt(this.#at) === ']') result += `\\${this.#take(1)}`
    while (this.#at < source.length) {
      const character = source.charAt(this.#at)
      if (character === ']') return result + this.#take(1)
      if (character === '[') throw new Fault('a character class inside another is not supported', this.#at)
      if (source.startsWith('&&', this.#at)) throw new Fault('intersections of classes are not supported', this.#at)
      result += character === '\\' ? this.#escape(true) : this.#take(1)
    }
    throw new Fault('missing closing ]', this.#at)
  }

  /** @param inClass inside square brackets, where a set stands without brackets of its own */
  #escape(inClass: boolean): string {
    const start = this.#at
    const letter = this.#source.charAt(start + 1)
    if (letter === '') throw new Fault('trailing backslash', start)
    const refused = refusedEscapes.get(letter)
    if (refused !== undefined) throw new Fault(refused, start)
    if (/[1-9]/.test(letter)) throw new Fault('back-references are not supported', start)
    if (letter === 'Q') return this.#quoted()
    if (letter === 'p' || letter === 'P') return this.#property(inClass)
    if (/[0xuce]/.test(letter)) return this.#codePoint()
    this.#at += 2
    if (/[^A-Za-z]/.test(letter)) return quote(letter)
    if (plainEscapes.includes(letter)) return `\\${letter}`
    const body = classEscapes.get(letter.toLowerCase())
    if (body !== undefined) return set(body, letter !== letter.toLowerCase(), inClass, start)
    if (!inClass && anchorEscapes.includes(letter) && !this.#source.startsWith('{', this.#at)) return `\\${letter}`
    if (!inClass && letter === 'Z') return String.raw`(?:\r\n|[\n\r\x85\x{2028}\x{2029}])?\z`
    if (!inClass && letter === 'R') return `(?:\\r\\n|[${vertical}])`
    throw new Fault(`\\${letter} is not supported${inClass ? ' in a class' : ''}`, start)
  }

  #quoted(): string {
    const from = this.#at + 2
    const end = this.#source.indexOf('\\E', from)
    const to = end < 0 ? this.#source.length : end
    this.#at = end < 0 ? to : to + 2
    return [...this.#source.slice(from, to)].map(quote).join('')
  }

  #codePoint(): string {
    const rest = this.#source.slice(this.#at, this.#at + 12)
    const hexadecimal = /^\\(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(rest)
    const octal = /^\\0([0-3][0-7]{2}|[0-7]{1,2})/.exec(rest)
    const control = /^\\c([@-_a-z])/.exec(rest)
    const found = hexadecimal ?? octal ?? control
    if (found === null && !rest.startsWith('\\e')) throw new Fault('invalid escape sequence', this.#at)
    this.#at += found?.[0].length ?? 2
    if (hexadecimal) return `\\x{${hexadecimal[1] ?? hexadecimal[2] ?? hexadecimal[3]}}`
    if (octal) return `\\x{${Number.parseInt(octal[1] as string, 8).toString(16)}}`
    if (control) return `\\x{${((control[1] as string).charCodeAt(0) ^ 0x40).toString(16)}}`
    return '\\x{1b}'
  }

  #property(inClass: boolean): string {
    const start = this.#at
    const found = /^\\([pP])(?:\{([^}]*)\}|([A-Z]))/.exec(this.#source.slice(start, start + 64))
    if (found === null) throw new Fault('invalid character property', start)
    this.#at += found[0].length
    const name = found[2] ?? (found[3] as string)
    const body = asciiClasses.get(name)
    if (body !== undefined) return set(body, found[1] === 'P', inClass, start)
    const unicode = name.replace(/^(Is|gc=|general_category=|sc=|script=)/, '')
    return `\\${found[1]}{${unicode}}`
  }
}

function set(body: string, negated: boolean, inClass: boolean, offset: number): string {
  if (!inClass) return `[${negated ? '^' : ''}${body}]`
  if (negated) throw new Fault('this negation inside a class is not supported', offset)
  return body
}

function quote(character: string): string {
  return /[!-/:-@[-`{-~]/.test(character) ? `\\${character}` : character
}
