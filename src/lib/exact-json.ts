/**
 * Reads JSON without losing digits: a whole number that a double cannot hold becomes the text of its digits, so an ID
 * beyond 2^53 stays the ID it is.
 * @returns undefined for what is no JSON
 */
export function exactJson(text: string): unknown {
  // A string is taken whole, so that digits inside of one stay what they are.
  const exact = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g, (token) =>
    /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
  )
  try {
    return JSON.parse(exact)
  } catch {
    return undefined
  }
}
