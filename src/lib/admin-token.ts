/** What a bearer token with full rights has to be, wherever it stands. Source: spec/operating.md [OPS-22]. */
export const ADMIN_TOKEN_CHARACTERS_MIN = 24
/** Anything else could be sent by nobody. */
export const ADMIN_TOKEN_CHARACTERS = /^[!-~]*$/
export const ADMIN_TOKEN_TOO_SHORT = `has fewer than ${ADMIN_TOKEN_CHARACTERS_MIN} characters`
export const ADMIN_TOKEN_NOT_SENDABLE = 'holds what no header can carry'
export const ADMIN_TOKEN_ALLOWED = `at least ${ADMIN_TOKEN_CHARACTERS_MIN} characters, visible ASCII without blanks`

/** @returns what is wrong with it, if anything; never the token itself */
export function adminTokenIssue(token: string): string | undefined {
  if (!ADMIN_TOKEN_CHARACTERS.test(token)) return ADMIN_TOKEN_NOT_SENDABLE
  return token.length < ADMIN_TOKEN_CHARACTERS_MIN ? ADMIN_TOKEN_TOO_SHORT : undefined
}
