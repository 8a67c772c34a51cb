/**
 * Decimal numbers kept as text, so that a 38-digit ID or a long order number never meets its neighbour by rounding
 * [AUD-77]. A number is an optional sign, digits, and an optional fraction; anything else is text [AUD-348].
 *
 * The canonical form has no plus sign, no leading zeros before the last integer digit and no trailing zeros in the
 * fraction, so two texts mean the same number exactly when their canonical forms are equal: `+01.50` and `1.5`.
 */
const ZERO = 0x30
const NINE = 0x39
const DOT = 0x2e
const PLUS = 0x2b
const MINUS = 0x2d

/** Decimals with at most this many characters survive a trip through a double unchanged and in order. */
const DOUBLE_LENGTH_MAX = 15

/** @returns undefined when the text is not a number */
export function canonicalDecimal(text: string): string | undefined {
  const length = text.length
  if (length === 0) return undefined
  const first = text.charCodeAt(0)
  const signed = first === MINUS || first === PLUS
  const start = signed ? 1 : 0
  const integerEnd = endOfDigits(text, start)
  if (integerEnd === start) return undefined
  let fractionEnd = integerEnd
  if (integerEnd < length) {
    if (text.charCodeAt(integerEnd) !== DOT) return undefined
    fractionEnd = endOfDigits(text, integerEnd + 1)
    if (fractionEnd !== length || fractionEnd === integerEnd + 1) return undefined
  }
  let from = start
  while (from < integerEnd - 1 && text.charCodeAt(from) === ZERO) from++
  let to = fractionEnd
  if (to > integerEnd) {
    while (text.charCodeAt(to - 1) === ZERO) to--
    if (to === integerEnd + 1) to = integerEnd
  }
  if (!signed && from === 0 && to === length) return text
  const digits = text.slice(from, to)
  return first === MINUS && digits !== '0' ? `-${digits}` : digits
}

/** As JavaScript, JSON and most languages print very small and very large numbers: `1e-7`, `1.5E+21`. */
const SCIENTIFIC = /^([+-]?)([0-9]+)(?:\.([0-9]+))?[eE]([+-]?[0-9]{1,3})$/

/**
 * The number that an order reads in a text: a decimal, or one with an exponent of at most three digits, written out. Only
 * an order asks for a number; for `==` an exponent stays text, so that the product codes `12e5` and `1200000` are two.
 * @returns its canonical form; undefined when the text is not a number
 */
export function orderedDecimal(text: string): string | undefined {
  const decimal = canonicalDecimal(text)
  if (decimal !== undefined) return decimal
  const [, sign = '', integer = '', fraction = '', exponent = ''] = SCIENTIFIC.exec(text) ?? []
  if (exponent === '') return undefined
  const point = integer.length + Number(exponent)
  const digits = '0'.repeat(Math.max(0, 1 - point)) + integer + fraction
  const end = Math.max(1, point)
  const rest = digits.slice(end)
  return canonicalDecimal(`${sign}${digits.slice(0, end).padEnd(end, '0')}${rest === '' ? '' : `.${rest}`}`)
}

/** Orders two canonical decimals. @returns below, at or above zero */
export function compareDecimals(a: string, b: string): number {
  if (a.length <= DOUBLE_LENGTH_MAX && b.length <= DOUBLE_LENGTH_MAX) return Number(a) - Number(b)
  const aNegative = a.charCodeAt(0) === MINUS
  const bNegative = b.charCodeAt(0) === MINUS
  if (aNegative !== bNegative) return aNegative ? -1 : 1
  return aNegative ? compareMagnitudes(b.slice(1), a.slice(1)) : compareMagnitudes(a, b)
}

function compareMagnitudes(a: string, b: string): number {
  const aInteger = integerLength(a)
  const bInteger = integerLength(b)
  if (aInteger !== bInteger) return aInteger - bInteger
  // Integer parts of one length and fractions without trailing zeros order like text.
  return a < b ? -1 : a > b ? 1 : 0
}

function integerLength(decimal: string): number {
  const dot = decimal.indexOf('.')
  return dot < 0 ? decimal.length : dot
}

function endOfDigits(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code < ZERO || code > NINE) break
    at++
  }
  return at
}
