/** How it is shown that a member is not taken and then ignored. */
export type Check =
  /** What is seen from outside, with one value and with another: it must differ. */
  | { readonly kind: 'acts'; readonly see: () => Promise<readonly [unknown, unknown]> }
  /** Refused with 400 at the member itself, because nothing would act on it. */
  | { readonly kind: 'refused'; readonly value: unknown }
  /** Nothing is meant to act on it. */
  | { readonly kind: 'forPeople'; readonly why: string }
  /** A test that takes too much to be repeated here; the file must hold its title and name the member. */
  | { readonly kind: 'shown'; readonly file: string; readonly title: string }

export const acts = (see: () => Promise<readonly [unknown, unknown]>): Check => ({ kind: 'acts', see })
export const refused = (value: unknown): Check => ({ kind: 'refused', value })
export const forPeople = (why: string): Check => ({ kind: 'forPeople', why })
export const shown = (file: string, title: string): Check => ({ kind: 'shown', file, title })

/** The same observation under two values. */
export async function pair<Value>(
  values: readonly [Value, Value],
  observe: (value: Value) => Promise<unknown> | unknown,
): Promise<readonly [unknown, unknown]> {
  return [await observe(values[0]), await observe(values[1])]
}
