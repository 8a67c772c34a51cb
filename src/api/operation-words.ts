/** What an operation says of itself in the OpenAPI document; every route spreads it into its schema [OPS-40]. */
export interface OperationWords {
  readonly tags: string[]
  /** A few words that name it in a list. */
  readonly summary: string
  /** What it does and answers beyond that, in plain sentences. */
  readonly description: string
}

/** Of the operations under one heading. */
export function operationsOf(tag: string) {
  return (summary: string, description: string): OperationWords => ({ tags: [tag], summary, description })
}
