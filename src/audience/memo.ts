/** Longer texts are not remembered: they hardly repeat, and would hold memory. */
const CHARACTERS_MAX = 64

/** A bounded memory by text. When it is full it starts anew, which costs a call no more than one look-up in vain. */
export class Memo<Value> {
  readonly #known = new Map<string, Value>()
  readonly #entriesMax: number

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get(text: string): Value | undefined {
    return this.#known.get(text)
  }

  set(text: string, value: Value): void {
    if (text.length > CHARACTERS_MAX) return
    if (this.#known.size >= this.#entriesMax) this.#known.clear()
    this.#known.set(text, value)
  }
}
