import { RuleError } from './rule-error.ts'

/** `word`: key, bare value, keyword, number or trait reference. `symbol`: operator or bracket. */
export type TokenKind = 'word' | 'string' | 'symbol' | 'end'

const twoCharacterSymbols = new Set(['==', '!=', '>=', '=>', '<='])
const oneCharacterSymbols = new Set(['=', '<', '>', '(', ')', '[', ']', ','])
const letter = /\p{L}/u
/** A number that a plus sign is part of, as `+3.5` and `1e+21`. */
const plusNumber = /\+[0-9.][0-9.]*(?:[eE][+-]?[0-9]+)?|-?[0-9.]+[eE]\+[0-9]+/y

/**
 * Reads one token after the other from a rule; both rule languages share it [AUD-71], [AUD-128]. It also collects the
 * few rewrites of the normal form, so that everything else stays as its author wrote it.
 */
export class TokenReader {
  readonly text: string
  kind: TokenKind = 'end'
  /** The token as meant: of a string its content, without quotes and escapes. */
  value = ''
  /** Where the token begins, and where it ends. */
  start = 0
  end = 0
  readonly #rewrites: { readonly start: number; readonly end: number; readonly text: string }[] = []

  constructor(text: string) {
    this.text = text
    this.advance()
  }

  advance(): void {
    const { text } = this
    let at = this.end
    while (at < text.length && isSpace(text.charCodeAt(at))) at++
    this.start = at
    const code = text.charCodeAt(at)
    if (at >= text.length) this.#take('end', '', at)
    else if (code === 0x22 || code === 0x27) this.#takeString(code)
    else this.#takeWordOrSymbol(at)
  }

  atEnd(): boolean {
    return this.kind === 'end'
  }

  isSymbol(symbol: string): boolean {
    return this.kind === 'symbol' && this.value === symbol
  }

  isKeyword(keyword: string): boolean {
    return this.kind === 'word' && this.value.length === keyword.length && this.value.toUpperCase() === keyword
  }

  /** Throws unless the token is this symbol, and steps over it. */
  expect(symbol: string, where: string): void {
    if (!this.isSymbol(symbol)) throw new RuleError(`expected ${symbol} ${where}, ${this.found()}`, this.start)
    this.advance()
  }

  /** What stands here, for messages. */
  found(): string {
    if (this.kind === 'end') return 'but the rule ends'
    const token = this.text.slice(this.start, Math.min(this.end, this.start + 40))
    return `but found ${token}`
  }

  /** The normal form has `text` in place of the current token. */
  rewrite(text: string): void {
    this.#rewrites.push({ start: this.start, end: this.end, text })
  }

  /** The normal form has `text` before the current token. */
  insert(text: string): void {
    this.#rewrites.push({ start: this.start, end: this.start, text })
  }

  normalized(): string {
    let result = ''
    let from = 0
    for (const { start, end, text } of this.#rewrites) {
      result += this.text.slice(from, start) + text
      from = end
    }
    return (result + this.text.slice(from)).trim()
  }

  #take(kind: TokenKind, value: string, end: number): void {
    this.kind = kind
    this.value = value
    this.end = end
  }

  #takeWordOrSymbol(at: number): void {
    const { text } = this
    const wordEnd = this.#endOfWord(at)
    const two = text.slice(at, at + 2)
    if (wordEnd > at) this.#take('word', text.slice(at, wordEnd), wordEnd)
    else if (twoCharacterSymbols.has(two)) this.#take('symbol', two, at + 2)
    else if (oneCharacterSymbols.has(two.charAt(0))) this.#take('symbol', two.charAt(0), at + 1)
    else throw new RuleError(`unexpected character ${printable(text, at)}`, at)
  }

  /** A backslash escapes a quote or a backslash; before any other character it stays [AUD-347]. */
  #takeString(quote: number): void {
    const { text, start } = this
    let value = ''
    let from = start + 1
    let at = from
    for (; at < text.length && text.charCodeAt(at) !== quote; at++) {
      if (text.charCodeAt(at) !== 0x5c || !isEscapable(text.charCodeAt(at + 1))) continue
      value += text.slice(from, at)
      from = at + 1
      at += 1
    }
    if (at >= text.length) throw new RuleError('this quote is never closed', start)
    this.#take('string', value + text.slice(from, at), at + 1)
  }

  #endOfWord(from: number): number {
    const { text } = this
    plusNumber.lastIndex = from
    let at = plusNumber.test(text) ? plusNumber.lastIndex : from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (isAsciiWord(code)) continue
      if (code < 0x80) break
      const point = text.codePointAt(at) as number
      if (!letter.test(String.fromCodePoint(point))) break
      if (point > 0xffff) at++
    }
    return at
  }
}

/** Quotes and the backslash itself. */
function isEscapable(code: number): boolean {
  return code === 0x22 || code === 0x27 || code === 0x5c
}

/** Letters, digits, and `_ - . : /`. */
function isAsciiWord(code: number): boolean {
  if (code >= 0x2d && code <= 0x3a) return true
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0 || code === 0xfeff
}

function printable(text: string, at: number): string {
  const point = text.codePointAt(at) as number
  return point > 0x20 && point !== 0x7f ? String.fromCodePoint(point) : `U+${point.toString(16).padStart(4, '0')}`
}
