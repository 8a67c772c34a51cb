/** What a bearer token with full rights has to be, wherever it stands. Source: spec/operating.md [OPS-22]. */
export const ADMIN_TOKEN = {
  charactersMin: 24,
  tooShort: 'has fewer than 24 characters',
  /** Anything else could be sent by nobody. */
  characters: /^[!-~]*$/,
  notSendable: 'holds what no header can carry',
  allowed: 'at least 24 characters, visible ASCII without blanks',
} as const

/** @returns what is wrong with it, if anything; never the token itself */
export function adminTokenIssue(token: string): string | undefined {
  if (!ADMIN_TOKEN.characters.test(token)) return ADMIN_TOKEN.notSendable
  return token.length < ADMIN_TOKEN.charactersMin ? ADMIN_TOKEN.tooShort : undefined
}
