export type ComparisonOperator =
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'contains'
  | 'startswith'
  | 'endswith'
  | 'matcheswords'
  | 'matchesregex'

export interface Comparison {
  readonly op: 'comparison'
  /** Which comparison of the rule it is, from 0 in the order of the text. */
  readonly ordinal: number
  /** As written; keys match without case [AUD-81]. */
  readonly key: string
  readonly operator: ComparisonOperator
  readonly value: string
  readonly position: number
  /** Offset of the value, quotes included. */
  readonly valuePosition: number
}
