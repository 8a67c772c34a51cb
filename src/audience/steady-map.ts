const SPLIT_ABOVE = 4096
const PARTS = 64

/**
 * A map from text to number that grows in small steps. A large built-in `Map` copies itself whole when it is full, which
 * would hold up the event loop for tens of milliseconds; above a few thousand entries this one is split by a cheap hash.
 */
export class SteadyMap {
  #whole: Map<string, number> | undefined = new Map()
  #parts: Map<string, number>[] = []

  get(text: string): number | undefined {
    if (this.#whole !== undefined) return this.#whole.get(text)
    return (this.#parts[partOf(text)] as Map<string, number>).get(text)
  }

  set(text: string, value: number): void {
    if (this.#whole !== undefined) {
      this.#whole.set(text, value)
      if (this.#whole.size > SPLIT_ABOVE) this.#split(this.#whole)
    } else {
      ;(this.#parts[partOf(text)] as Map<string, number>).set(text, value)
    }
  }

  #split(whole: Map<string, number>): void {
    this.#parts = Array.from({ length: PARTS }, () => new Map<string, number>())
    this.#whole = undefined
    for (const [text, value] of whole) this.set(text, value)
  }
}

/** Length and the last four characters: what differs between ids and values that begin alike. */
function partOf(text: string): number {
  const { length } = text
  let hash = length
  for (let i = Math.max(0, length - 4); i < length; i++) hash = Math.imul(hash, 31) + text.charCodeAt(i)
  hash ^= hash >>> 6
  return hash & (PARTS - 1)
}
