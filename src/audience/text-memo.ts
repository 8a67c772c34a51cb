/** Longer texts are not remembered: they hardly repeat, and would hold memory. */
const CHARACTERS_MAX = 64
/** From this length on, a part of a text keeps the whole text alive in V8. */
const SHARED_CHARACTERS_MIN = 13

export const NOT_REMEMBERED = -2_147_483_648

/**
 * A bounded memory of numbers by a text and the number of its owner. Each pair has one slot, and the latest pair takes it:
 * no chains, no growth, nothing to evict. Cheaper than a `Map` for texts cut from a request, which a map has to hash out
 * of line first (about 3 µs an event, measured).
 */
export class TextMemo {
  readonly #mask: number
  readonly #texts: string[]
  readonly #owners: Int32Array
  readonly #numbers: Int32Array

  /** @param slots a power of two; about 20 bytes each, and the texts */
  constructor(slots: number) {
    this.#mask = slots - 1
    this.#texts = new Array<string>(slots).fill('')
    this.#owners = new Int32Array(slots).fill(NOT_REMEMBERED)
    this.#numbers = new Int32Array(slots)
  }

  /** @returns `NOT_REMEMBERED` for what was never set, or lost its slot */
  get(owner: number, text: string): number {
    const slot = this.#slotOf(owner, text)
    if (this.#owners[slot] !== owner || this.#texts[slot] !== text) return NOT_REMEMBERED
    return this.#numbers[slot] as number
  }

  set(owner: number, text: string, number: number): void {
    if (text.length > CHARACTERS_MAX) return
    const slot = this.#slotOf(owner, text)
    this.#owners[slot] = owner
    this.#texts[slot] = text.length < SHARED_CHARACTERS_MIN ? text : Buffer.from(text, 'utf16le').toString('utf16le')
    this.#numbers[slot] = number
  }

  /** The length and the last characters tell most apart; one slot for two is no error. */
  #slotOf(owner: number, text: string): number {
    const { length } = text
    let hash = Math.imul(owner + length, 0x9e3779b1)
    for (let i = length > 16 ? length - 16 : 0; i < length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    return (hash ^ (hash >>> 15)) & this.#mask
  }
}
