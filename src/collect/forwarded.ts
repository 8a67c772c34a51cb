/**
 * The `Forwarded` header (RFC 7239) and lists like it. Elements are joined by commas, which may also stand in quotes.
 * The text is cut from the right, because there stands what the nearest proxy has written: a quote that a client left
 * open reaches no further than its own words.
 */
export function splitElements(text: string): string[] {
  if (!text.includes('"')) return text.split(',')
  const elements: string[] = []
  let end = text.length
  let isQuoted = false
  for (let at = text.length - 1; at >= 0; at--) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22 && !isEscaped(text, at)) isQuoted = !isQuoted
    else if (unit === 0x2c && !isQuoted) {
      elements.push(text.slice(at + 1, end))
      end = at
    }
  }
  elements.push(text.slice(0, end))
  return elements.reverse()
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let from = at
  while (from > 0 && text.charCodeAt(from - 1) === 0x5c) from--
  return (at - from) % 2 === 1
}

const PAIR = /\s*(?:([!#$%&'*+.^_`|~0-9a-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*)?(?:;|$)/iy

/**
 * The value of one name in an element such as `for="[2001:db8::1]:4711";proto=https`.
 * @param name lower case
 * @returns undefined where the name is absent, stands there twice, or the element is not well-formed
 */
export function valueIn(element: string, name: string): string | undefined {
  let found: string | undefined
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < element.length) {
    const pair = PAIR.exec(element)
    if (pair === null) return undefined
    if (pair[1]?.toLowerCase() !== name) continue
    if (found !== undefined) return undefined
    found = unquoted(pair[2] as string)
  }
  return found
}

/** Spaces and quotes around it are cut. */
export function unquoted(text: string): string {
  const value = text.trim()
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value
  return value.slice(1, -1).replace(/\\(.)/g, '$1').trim()
}
