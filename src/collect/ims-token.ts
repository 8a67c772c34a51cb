import { type KeyObject, verify } from 'node:crypto'

/** Whose tokens an edge accepts; without any key, tokens are not looked at. */
export interface ImsTokenRules {
  /** RSA public keys of the identity service. */
  readonly keys: readonly KeyObject[]
  /** Clients that may call; empty: every client the service knows. */
  readonly clientIds: readonly string[]
}

/**
 * Whether a call carries a token of the Target integration that is malformed, expired or unauthorised (111) [COL-118]. A
 * call without one is not concerned. The token is a JSON Web Token (RFC 7519), signed with RS256, in `Authorization:
 * Bearer` (RFC 6750). IMS writes its life as `created_at` and `expires_in`, in milliseconds; others as `exp`, in seconds.
 */
export function hasInvalidImsToken(rules: ImsTokenRules, authorization: string | undefined, nowMs: number): boolean {
  const token = authorization === undefined ? null : /^Bearer(?:\s+(.*))?$/i.exec(authorization.trim())
  return token !== null && !isValid(rules, token[1] ?? '', nowMs)
}

function isValid(rules: ImsTokenRules, token: string, nowMs: number): boolean {
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token)
  const header = parseObject(parts?.[1])
  const claims = parseObject(parts?.[2])
  // The algorithm is ours to choose, never the token's.
  if (parts === null || claims === undefined || header?.['alg'] !== 'RS256') return false
  const isAuthorised =
    (claims['type'] === undefined || claims['type'] === 'access_token') &&
    (rules.clientIds.length === 0 || rules.clientIds.includes(String(claims['client_id'])))
  if (!isAuthorised || nowMs >= endOf(claims)) return false
  const signed = Buffer.from(`${parts[1]}.${parts[2]}`)
  const signature = Buffer.from(parts[3] as string, 'base64url')
  return rules.keys.some((key) => verify('RSA-SHA256', signed, key, signature))
}

/** A token that does not say when it ends is taken for ended. */
function endOf(claims: Readonly<Record<string, unknown>>): number {
  const exp = numberOf(claims['exp'])
  const endMs =
    exp === undefined ? (numberOf(claims['created_at']) ?? 0) + (numberOf(claims['expires_in']) ?? 0) : 1000 * exp
  return Number.isFinite(endMs) ? endMs : 0
}

/** IMS writes numbers as texts. */
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' || (typeof value === 'string' && /^[0-9]{1,15}$/.test(value))
    ? Number(value)
    : undefined
}

function parseObject(base64url: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (base64url === undefined) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
