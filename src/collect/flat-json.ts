/** Keys and values of a body, decoded; or why there are none. */
export type BodyPairs =
  | { readonly ok: true; readonly pairs: readonly (readonly [key: string, value: string])[] }
  | { readonly ok: false; readonly problem: string }

/** A text, a bracket, a comma or colon, a number or word; of JSON that is known to be sound. */
const token = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g

/**
 * Reads one JSON object of texts, numbers, booleans and lists of them; `null` is no value. Read by hand once the engine
 * has found it sound, because its own objects keep one of two equal keys, which may be a refusal, and round long numbers,
 * which are IDs.
 */
export function flatJson(text: string): BodyPairs {
  try {
    JSON.parse(text)
  } catch {
    return { ok: false, problem: 'the JSON is broken' }
  }
  const [first, ...rest] = text.match(token) ?? []
  if (first !== '{') return { ok: false, problem: 'the JSON is no object' }
  const pairs: [string, string][] = []
  let key: string | undefined
  let isInList = false
  for (const part of rest) {
    if (part === ',' || part === ':' || part === '}') continue
    if (part === '{' || (part === '[' && isInList)) return { ok: false, problem: 'the JSON object is not flat' }
    if (part === '[') isInList = true
    else if (part === ']') isInList = false
    else if (key === undefined) {
      key = JSON.parse(part) as string
      continue
    } else if (part !== 'null') pairs.push([key, part.startsWith('"') ? (JSON.parse(part) as string) : part])
    if (!isInList) key = undefined
  }
  return { ok: true, pairs }
}
