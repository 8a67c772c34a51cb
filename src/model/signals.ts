/** What may be asked of the signals of a call. */
export interface ReadonlySignals {
  /** Keys in order, one for each value: a key with two values stands twice. */
  readonly names: readonly string[]
  /** Same length and order as `names`. */
  readonly values: readonly string[]
  first(name: string): string | undefined
  all(name: string): readonly string[]
  has(name: string): boolean
}

/**
 * Keys and values of one call as received (decoded); a key may have several values [COL-28]. Rules compare without case
 * [AUD-81]. Flat lists instead of a map: a call is read once and hardly repeats a key, and a map of it grows three times
 * while it is built. No key can reach a prototype [SEC-06].
 */
export class Signals implements ReadonlySignals {
  readonly names: string[] = []
  readonly values: string[] = []
  // Keys of the platform itself once more, apart: they are asked for by name, twenty times a call, and there are few.
  readonly #platformNames: string[] = []
  readonly #platformValues: string[] = []

  static of(entries: Iterable<readonly [string, string | readonly string[]]>): Signals {
    const signals = new Signals()
    for (const [name, values] of entries) {
      for (const value of typeof values === 'string' ? [values] : values) signals.add(name, value)
    }
    return signals
  }

  add(name: string, value: string): void {
    this.names.push(name)
    this.values.push(value)
    if (!isOfPlatform(name)) return
    this.#platformNames.push(name)
    this.#platformValues.push(value)
  }

  first(name: string): string | undefined {
    return isOfPlatform(name)
      ? this.#platformValues[this.#platformNames.indexOf(name)]
      : this.values[this.names.indexOf(name)]
  }

  all(name: string): readonly string[] {
    return this.values.filter((_, at) => this.names[at] === name)
  }

  has(name: string): boolean {
    return (isOfPlatform(name) ? this.#platformNames : this.names).includes(name)
  }

  /** Takes out every value of a key. */
  delete(name: string): void {
    remove(name, this.names, this.values)
    remove(name, this.#platformNames, this.#platformValues)
  }
}

function remove(name: string, names: string[], values: string[]): void {
  for (let at = names.indexOf(name); at >= 0; at = names.indexOf(name)) {
    names.splice(at, 1)
    values.splice(at, 1)
  }
}

/** `d_` keys and `gdpr`. */
function isOfPlatform(name: string): boolean {
  const first = name.charCodeAt(0)
  return (first === 0x64 && name.charCodeAt(1) === 0x5f) || (first === 0x67 && name === 'gdpr')
}
