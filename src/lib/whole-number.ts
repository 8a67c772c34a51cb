/**
 * A whole number written in digits alone, as texts from outside give IDs, counts and moments. `Number` would also take `''`
 * for 0, `0x7d2` for 2002 and `1e3` for 1,000, and so find an object that nobody named.
 * @returns undefined for anything else, and from 16 digits on
 */
export function parseWholeNumber(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}
