/** Thrown inside the parsers only; `parseTraitRule` and `parseSegmentRule` turn it into a value. */
export class RuleError extends Error {
  /** Offset of the offending character, counted from 0 in UTF-16 units; the length of the text at its end. */
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.position = position
  }
}

export interface RuleRefused {
  readonly ok: false
  /** A sentence for the person who wrote the rule. */
  readonly message: string
  /** Offset of the first offending character, counted from 0; the length of the text when it ends too early. */
  readonly position: number
}

/** Runs a parser and turns a refusal into a value; other errors are ours and pass through. */
export function refusalAsValue<T>(parse: () => T): T | RuleRefused {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RuleError) return { ok: false, message: error.message, position: error.position }
    throw error
  }
}
