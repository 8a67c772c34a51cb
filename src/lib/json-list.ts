/** Characters of a list that are parsed at once: about a millisecond. */
const GROUP_CHARS = 64 * 1024

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/**
 * Parses the text of a JSON array some items at a time, with a yield after each group, because 16 MiB take a tenth of a
 * second as a whole; anything else as it is. That each group is a list by itself is checked by `parse`, so that whatever is
 * wrong with the text is found by it.
 * @param parse as `JSON.parse` @throws what it throws
 */
export function* parseListInSlices(
  text: string,
  parse: (text: string) => unknown,
  groupChars = GROUP_CHARS,
): Generator<void, unknown> {
  const opening = /^[ \t\n\r]*\[/.exec(text)?.[0].length
  if (opening === undefined || text.length <= groupChars) return parse(text)
  const items: unknown[] = []
  let groupStart = opening
  const take = (end: number) => {
    const group = parse(`[${text.slice(groupStart, end)}]`) as unknown[]
    // A comma stands before or behind nothing.
    if (group.length === 0 && !(groupStart === opening && text[end] === ']')) parse('[,]')
    for (const item of group) items.push(item)
    groupStart = end + 1
  }
  let depth = 1
  for (let at = opening; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at)
    else if (OPENING.has(char)) depth++
    else if (CLOSING.has(char)) {
      depth--
      if (depth > 0) continue
      take(at)
      // It ends with a bracket; blanks may follow, and nothing else.
      parse(`[${text.slice(at)}`)
      return items
    } else if (char === COMMA && depth === 1 && at - groupStart >= groupChars) {
      take(at)
      yield
    }
  }
  return parse('[')
}

/** Where a text in quotes ends; the end of everything when it does not. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) return at
    if (char === BACKSLASH) at++
  }
  return text.length
}
