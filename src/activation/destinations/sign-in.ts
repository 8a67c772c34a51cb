import { z } from 'zod'
import { headerNameIssue, headerValueIssue } from '../../lib/header-rules.ts'
import { type ConfigIssue, issueOf, leftOut } from './config-issue.ts'

/**
 * How the partner knows who sends: the one member `auth` of every type that signs in. Signatures, tokens and keys that are
 * generated or changed are the runner's; a type only offers them. Source: operating.md OPS-54; outbound.md 4 and 5.
 */
export const headerName = z.string().superRefine(issueOf(headerNameIssue))
export const headerValue = z.string().superRefine(issueOf(headerValueIssue))
const secret = z.string().min(1).max(4096).meta({ secret: true })
const algorithm = z.enum(['md5', 'sha1', 'sha256'])

const signer = z.strictObject({
  key: z
    .string()
    .min(16)
    .max(1024)
    .meta({ secret: true, ...leftOut('one is generated and shown once') })
    .describe(
      'Signing key, without white space around it; `whsec_` and Base64 as Standard Webhooks writes keys, or any text',
    ),
  from: z.iso.datetime().optional().describe('For people: since when the partner knows it. Each key signs once saved'),
  createdAt: z.iso.datetime().optional().describe('For people: when the key was made'),
  algorithm: algorithm.optional().describe('Of this key alone').meta(leftOut('that of `auth`')),
  header: headerName
    .optional()
    .describe('Header of this signature')
    .meta(leftOut('that of `auth`; of the second key that with `-Next` behind it')),
})

export const signIn = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }).describe('Nothing shows who sends'),
  z
    .strictObject({
      type: z.literal('hmac'),
      header: headerName.default('X-Signature').describe('Header that carries the signature'),
      algorithm: algorithm
        .optional()
        .describe('Hash of the signature in `header`; that of `webhook-signature` is always SHA-256')
        .meta(leftOut('sha1 in compat, sha256 in durable')),
      keys: z
        .array(signer, 'expected the keys: those that stay as an answer shows them, and {} for one that is generated')
        .min(1, 'a signature has one key, or two during a rotation')
        .max(2)
        .describe('One key, or two during a rotation, the old one first')
        .meta(leftOut('one is generated and shown once, when the signature begins')),
      rotationHeader: headerName
        .nullish()
        .describe('Second name for the one signature, until the rotation is ended with null')
        .meta(leftOut('the second name of a rotation whose old key goes with this change')),
      webhook: z
        .boolean()
        .optional()
        .describe('Also sends webhook-id, webhook-timestamp, webhook-signature')
        .meta(leftOut('true in durable, false in compat')),
      ed25519Key: z
        .string()
        .max(200)
        .meta({ secret: true, ...leftOut('none') })
        .optional()
        .describe('Private key for a v1a signature beside the others, whsk_ and Base64'),
    })
    .describe('Each request is signed with a key that both sides know'),
  z
    .strictObject({
      type: z.literal('oauth2'),
      tokenUrl: z.string().max(2048).describe('Address that issues tokens for client credentials, https'),
      clientId: z
        .string()
        .min(1)
        .max(1024)
        .optional()
        .describe('Needed together with `clientSecret`, or `credentials`'),
      clientSecret: secret.optional().describe('Secret of the client'),
      rawCredentials: z
        .boolean()
        .optional()
        .describe('Sends id and secret without form-encoding them, for servers that do not decode them')
        .meta(leftOut('false')),
      credentials: secret
        .optional()
        .describe('Basic credentials exactly as the partner gave them, in place of `clientId` and `clientSecret`'),
    })
    .describe('OAuth 2.0 client credentials: each request carries a token'),
  z
    .strictObject({
      type: z.literal('basic'),
      username: z.string().min(1).max(1024).describe('Holds no colon'),
      password: secret.describe('Goes with `username`'),
    })
    .describe('User name and password'),
])

export type SignIn = z.output<typeof signIn>
type Hmac = Extract<SignIn, { type: 'hmac' }>

/** Of `X-Signature`: unless one was named, that of AAM's example in compat [OUT-66]. */
export function algorithmOf(auth: Hmac, mode: 'compat' | 'durable') {
  return auth.algorithm ?? (mode === 'compat' ? 'sha1' : 'sha256')
}

/** Name of the header that carries the signature of a key, by its place: that of the second is `<header>-Next` [OUT-73]. */
export function signatureHeader({ header, keys }: Hmac, at: number): string {
  return keys[at]?.header ?? (at === 0 ? header : `${header}-Next`)
}

/** What must hold of every one that is used, also of one that was stored long ago. */
export function* signInIssues(chosen: SignIn): Generator<ConfigIssue> {
  if (chosen.type !== 'oauth2') return
  const hasPair = chosen.clientId !== undefined && chosen.clientSecret !== undefined
  if (chosen.credentials === undefined && !hasPair)
    yield { path: 'auth.credentials', message: 'give credentials, or clientId and clientSecret' }
  const text = chosen.credentials === undefined ? undefined : headerValueIssue(chosen.credentials)
  if (text !== undefined) yield { path: 'auth.credentials', message: text }
}
