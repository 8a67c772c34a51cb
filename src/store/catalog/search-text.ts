/** As `lower` of every engine: the letters A to Z alone, so that what was searched and what is stored read the same. */
export function lowerLetters(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** A pattern for `like … escape '\'` that stands for exactly this text. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (special) => `\\${special}`)
}
