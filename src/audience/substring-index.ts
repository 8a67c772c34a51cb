/** Units of text that file an operand. */
const GRAM = 3

/**
 * Finds which of many texts may stand in a value: each is filed under the three characters of it that the fewest others
 * are filed under, and a value is searched three characters at a time. Thousands of rules such as
 * `h_referer contains "/shoes/"` then cost what the value's length costs. A text that is named may still not be in the
 * value; one that is not named is not.
 */
export class SubstringIndex {
  readonly #filed = new Map<number, number[]>()

  /** Long enough to be filed? */
  static fits(text: string): boolean {
    return text.length >= GRAM
  }

  /** @param number what stands for the text */
  add(number: number, text: string): void {
    let best = gramAt(text, 0)
    let fewest = this.#filed.get(best)?.length ?? 0
    for (let at = 1; at + GRAM <= text.length && fewest > 0; at++) {
      const gram = gramAt(text, at)
      const others = this.#filed.get(gram)?.length ?? 0
      if (others >= fewest) continue
      best = gram
      fewest = others
    }
    const under = this.#filed.get(best)
    if (under === undefined) this.#filed.set(best, [number])
    else under.push(number)
  }

  /** Names every text that may stand in `value`, some more than once. */
  search(value: string, name: (number: number) => void): void {
    for (let at = 0; at + GRAM <= value.length; at++) {
      const under = this.#filed.get(gramAt(value, at))
      if (under !== undefined) for (const number of under) name(number)
    }
  }
}

/** Different characters may give the same number; that only names a text too many. */
function gramAt(text: string, at: number): number {
  const mixed = (text.charCodeAt(at) * 1021 + text.charCodeAt(at + 1)) * 1021 + text.charCodeAt(at + 2)
  return mixed & 0x3fffffff
}
