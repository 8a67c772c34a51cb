/** What an address table says of an address. */
export interface Place {
  /** ISO 3166-1 alpha-2, upper case; undefined: unknown. */
  readonly country: string | undefined
  /** The geo keys of the platform in their documented order, with their values [COL-203]. */
  readonly signals: readonly (readonly [key: string, value: string])[]
}
