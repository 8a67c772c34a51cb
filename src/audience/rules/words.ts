const notAWord = /[^\p{L}\p{M}\p{N}]+/gu

/**
 * The words of a text, without case, joined by single spaces; what is not a letter or a digit separates [AUD-79].
 * `"Red  car!"` gives `red car`.
 */
export function wordsOf(text: string): string {
  return text.toLowerCase().replace(notAWord, ' ').trim()
}

/** Do the words of `operand` stand in `value` as a run of whole words? Both as `wordsOf` gives them. */
export function hasWords(value: string, operand: string): boolean {
  return ` ${value} `.includes(` ${operand} `)
}
