/**
 * What a text may hold so that it is stored, compared and shown as it was given. Each check answers with the first thing
 * that is wrong, in words that stand behind a name (`name holds the character U+0000`). Source: rest-api.md API-164.
 */

/** U+0000, where the engine of the catalogue ends a text, and half a surrogate pair, which UTF-8 cannot write. */
export function unstorableIssue(text: string): string | undefined {
  return holds(text, UNSTORABLE, (what, one) =>
    one === '\0' ? `holds the character ${what}` : `holds an unpaired surrogate (${what})`,
  )
}

/** In a name: nothing that breaks a line, and nothing unseen that makes two names look alike. */
export function nameIssue(text: string): string | undefined {
  return (
    unstorableIssue(text) ??
    holds(text, CONTROL, (what) => `holds the control character ${what}`) ??
    holds(text, UNSEEN, (what) => `holds the invisible character ${what}`)
  )
}

/** In a code, which is compared character by character with one that somebody else writes. */
export function codeIssue(text: string): string | undefined {
  return nameIssue(text) ?? holds(text, INVISIBLE, (what) => `holds the invisible character ${what}`)
}

/**
 * In a secret, which must be exactly what the other side has. White space at its ends and unseen characters come from copying
 * and make every signature and every sign-in wrong; they are named, because nobody can see them.
 */
export function secretIssue(text: string): string | undefined {
  const issue =
    unstorableIssue(text) ??
    holds(text, EDGE, (what, _one, at) => `${at === 0 ? 'begins' : 'ends'} with ${what}`) ??
    codeIssue(text) ??
    holds(text, ODD_SPACE, (what) => `holds ${what}`)
  return issue === undefined ? undefined : `${issue}; copy it again without that`
}

/** A code as it is compared: without white space around it, and with one spelling for each letter (NFC). */
export function comparableCode(text: string): string {
  return text.trim().normalize('NFC')
}

const UNSTORABLE = /[\0\p{Surrogate}]/u
const CONTROL = /[\p{Cc}\u2028\u2029]/u
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u
/** As above without what emoji, flags, Persian and the scripts of India are written with. */
const UNSEEN =
  /(?!\u200c|\u200d|[\ufe00-\ufe0f]|[\u{e0020}-\u{e007f}]|[\u{e0100}-\u{e01ef}])\p{Default_Ignorable_Code_Point}/u
const EDGE = /^[\s\p{Default_Ignorable_Code_Point}]|[\s\p{Default_Ignorable_Code_Point}]$/u
const ODD_SPACE = /(?! )\p{Zs}/u

function holds(
  text: string,
  pattern: RegExp,
  say: (what: string, character: string, at: number) => string,
): string | undefined {
  const found = pattern.exec(text)
  return found === null ? undefined : say(nameOf(found[0]), found[0], found.index)
}

const NAMES = new Map([
  [0x09, 'a tab'],
  [0x0a, 'a line break'],
  [0x0d, 'a line break'],
  [0x20, 'a blank'],
  [0xa0, 'a no-break space'],
  [0xad, 'a soft hyphen'],
  [0x200b, 'a zero-width space'],
  [0x202f, 'a narrow no-break space'],
  [0x2028, 'a line break'],
  [0x2060, 'a word joiner'],
  [0xfeff, 'a byte order mark'],
])

/** `U+200B (a zero-width space)` */
function nameOf(character: string): string {
  const point = character.codePointAt(0) ?? 0
  const code = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`
  const name = NAMES.get(point)
  return name === undefined ? code : `${code} (${name})`
}
