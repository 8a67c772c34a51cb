import { z } from 'zod'
import { parseTarget, type TargetRules, targetDenial } from '../../lib/egress/target.ts'
import { headerNameIssue, headerValueIssue } from '../../lib/header-rules.ts'
import { OBJECT_ID_MAX } from '../../model/ids.ts'
import { parseUrlTemplate } from '../url-template.ts'
import { savingIssues } from './s2s-saving.ts'

/**
 * Server-to-server destination: posts memberships to a partner's endpoint in the wire format of Adobe Audience Manager.
 * One schema validates, types and describes the `s2s` object. Source: operating.md OPS-42, OPS-50; outbound.md 3 to 5.
 */
const headerName = z.string().superRefine(issueOf(headerNameIssue))
const headerValue = z.string().superRefine(issueOf(headerValueIssue))
const secret = z.string().min(1).max(4096).meta({ secret: true })
const algorithm = z.enum(['md5', 'sha1', 'sha256'])

/** What a member without a fixed default has when it is left out, in words. */
const leftOut = (words: string) => ({ 'x-default': words })

/** Values that are known and refused, each with its reason, until they are built. */
export const notBuilt = {
  protocol: ['ftp', 'ftps', 'sftp', 's3'],
  delivery: ['batch', 'hybrid'],
  format: ['mapp', 'file'],
} as const
const refusedUntilBuilt = (member: keyof typeof notBuilt) =>
  `Refused until they are built: ${notBuilt[member].join(', ')}`

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

const auth = z.discriminatedUnion('type', [
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

const dataSourceId = z.int().min(1).max(OBJECT_ID_MAX)

const s2sSchema = z.strictObject({
  protocol: z
    .enum(['https', ...notBuilt.protocol])
    .default('https')
    .describe(refusedUntilBuilt('protocol')),
  delivery: z
    .enum(['realtime', ...notBuilt.delivery])
    .default('realtime')
    .describe(refusedUntilBuilt('delivery')),
  format: z
    .enum(['aam-json', ...notBuilt.format])
    .default('aam-json')
    .describe(refusedUntilBuilt('format')),
  mode: z
    .enum(['compat', 'durable'])
    .default('durable')
    .describe('compat behaves as AAM: one retry; durable loses nothing'),
  url: z.string().max(2048).describe('Address that receives the messages, https'),
  method: z.enum(['POST', 'GET']).default('POST').describe('GET tells of one user in its address'),
  urlTemplate: z
    .string()
    .max(2048)
    .optional()
    .describe(
      'Path and query of a GET destination, which needs it; macros: `<DP_UUID>`, `<UUID>`, `<ORDER_ID>`, `<DPID>`, `<SEGMENT_LIST;separator=",">`, `<REMOVED_SEGMENT_LIST;separator=",">`. What stands in `separator` comes between the IDs of a list; a bare `<SEGMENT_LIST>` puts nothing between them, 200002200003',
    ),
  successStatuses: z
    .array(z.int().min(200).max(299))
    .min(1)
    .max(20)
    .default([200])
    .describe('In compat: answers that count as success; in durable every answer from 200 to 299 does'),
  userDpid: z
    .union(
      [dataSourceId, z.array(dataSourceId).min(1).max(20)],
      'expected the id of a data source, or a list of 1 to 20',
    )
    .describe('Data sources whose IDs name the users'),
  clientId: z.string().max(255).default('').describe('Account in the partner platform'),
  usersPerMessage: z.int().min(1).max(10).default(10).describe('Users in one message at most; POST only'),
  batchMaxWaitMs: z.int().min(0).max(1000).default(50).describe('A message waits at most this long for more users'),
  timeoutMs: z
    .int()
    .min(1_000)
    .max(30_000)
    .optional()
    .describe('In durable: time of an attempt in milliseconds; compat waits 3,000')
    .meta(leftOut('15000 in durable')),
  concurrency: z.int().min(1).max(64).optional().describe('Requests at one time').meta(leftOut('16')),
  requestsPerSecond: z
    .number()
    .min(0.01)
    .max(10_000)
    .optional()
    .describe('Messages a second at most; what comes faster waits, nothing is dropped')
    .meta(leftOut('no limit')),
  auth: auth.default({ type: 'none' }).describe('How the partner knows who sends'),
  headers: z
    .record(headerName, headerValue)
    .optional()
    .describe(
      'Further headers of every request, by name; values of visible ASCII, at most 4096 bytes each, which are secrets',
    )
    .meta(leftOut('none')),
  userAgent: headerValue
    .min(1)
    .max(255)
    .optional()
    .describe('The header User-Agent; `aam` sends Adobe Audience Manager Iris')
    .meta(leftOut('product and version')),
  numbersAs: z
    .enum(['string', 'number'])
    .default('string')
    .describe('How whole numbers are written in a message: "1" or 1; POST only'),
  destinationIdKey: z
    .enum(['AAM_Destination_Id', 'AAM_Destination_ID'])
    .default('AAM_Destination_Id')
    .describe('How the key is spelt in a message; POST only'),
  includeRegions: z.boolean().default(true).describe('Sends AAM_Regions; POST only'),
  sendWithoutPartnerId: z.boolean().default(false).describe('Also users without an ID of the partner'),
  supportsUnsegment: z.boolean().default(true).describe('The partner takes Status 0; else none is sent'),
  unsegmentOnUnmap: z
    .boolean()
    .default(false)
    .describe('When a segment is unmapped, the next message about a member has it with Status 0'),
  onlyWhileSeen: z.boolean().default(false).describe('No messages for changes that happen without a visit'),
  schedule: z.unknown().optional().describe('Refused until batches are built'),
  file: z.unknown().optional().describe('Refused until files are built'),
  mapp: z.unknown().optional().describe('Refused until Mapp is built'),
})

export type S2sConfig = z.output<typeof s2sSchema>

export const s2sDestination = { type: 'S2S', title: 'Server to server', config: s2sSchema } as const

export interface ConfigIssue {
  /** Dotted, from the `s2s` object on: `auth.keys.0.key`. */
  readonly path: string
  readonly message: string
}

export type ParsedS2s =
  | { readonly ok: true; readonly config: S2sConfig }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] }

/**
 * Validates an `s2s` object that is to be saved, its secrets in clear, and fills in its defaults. What this version would
 * not act on is refused.
 */
export function parseS2sConfig(input: unknown, rules: TargetRules): ParsedS2s {
  return parseWith(input, (config) => {
    const issues = [
      ...availabilityIssues(config),
      ...urlIssues(config, rules),
      ...authIssues(config),
      ...idleIssues(config),
    ]
    return issues.length > 0 ? issues : [...savingIssues(config)]
  })
}

/** Reads one that was saved, perhaps by an earlier version, which took more than it acted on. */
export function parseSavedS2sConfig(input: unknown): ParsedS2s {
  return parseWith(input, (config) => [...urlIssues(config, { allowPrivate: true }), ...authIssues(config)])
}

/** What is in force of a saved one: of `hybrid` the real-time half, no schedule, no file; the hash that signs. */
export function inForce(config: S2sConfig): S2sConfig {
  const { schedule: _schedule, file: _file, mapp: _mapp, auth: chosen, ...rest } = config
  const auth = chosen?.type === 'hmac' ? { ...chosen, algorithm: algorithmOf(chosen, config.mode) } : chosen
  return { ...rest, auth, delivery: config.delivery === 'hybrid' ? 'realtime' : config.delivery }
}

/** Name of the header that carries the signature of a key, by its place: that of the second is `<header>-Next` [OUT-73]. */
export function signatureHeader({ header, keys }: Extract<S2sConfig['auth'], { type: 'hmac' }>, at: number): string {
  return keys[at]?.header ?? (at === 0 ? header : `${header}-Next`)
}

/** Of `X-Signature`: unless one was named, that of AAM's example in compat [OUT-66]. */
export function algorithmOf(auth: Extract<S2sConfig['auth'], { type: 'hmac' }>, mode: S2sConfig['mode']) {
  return auth.algorithm ?? (mode === 'compat' ? 'sha1' : 'sha256')
}

function parseWith(input: unknown, check: (config: S2sConfig) => readonly ConfigIssue[]): ParsedS2s {
  const parsed = s2sSchema.safeParse(input)
  if (!parsed.success) {
    return { ok: false, issues: parsed.error.issues.map((found) => issue(found.path.join('.'), wordsOf(found))) }
  }
  const issues = check(parsed.data)
  return issues.length === 0 ? { ok: true, config: parsed.data } : { ok: false, issues }
}

/** Data sources of `userDpid`, in order, as a list. */
export function userDpidsOf(config: S2sConfig): readonly number[] {
  return typeof config.userDpid === 'number' ? [config.userDpid] : [...new Set(config.userDpid)]
}

function* availabilityIssues(config: S2sConfig): Generator<ConfigIssue> {
  const { protocol, delivery, format, schedule, file, mapp } = config
  if (delivery === 'hybrid') yield issue('delivery', 'hybrid is not available yet, since batches are not; use realtime')
  else if (delivery === 'batch') yield issue('delivery', 'batch is not available yet; use realtime')
  else if (protocol !== 'https')
    yield issue('delivery', `${delivery} needs protocol https; ${protocol} delivers in batches only`)
  if (protocol !== 'https') yield issue('protocol', `${protocol} is not available yet; use https`)
  if (format !== 'aam-json') yield issue('format', `${format} is not available yet; use aam-json`)
  if (schedule !== undefined && schedule !== null)
    yield issue('schedule', 'is of batches, which are not available yet; leave it out')
  if (file !== undefined && file !== null) yield issue('file', 'files are not available yet; leave it out')
  if (mapp !== undefined && mapp !== null) yield issue('mapp', 'Mapp is not available yet; leave it out')
}

function* urlIssues(config: S2sConfig, rules: TargetRules): Generator<ConfigIssue> {
  if (config.protocol !== 'https') return
  yield* targetIssues('url', config.url, rules)
  if (config.auth.type === 'oauth2') yield* targetIssues('auth.tokenUrl', config.auth.tokenUrl, rules)
  if (config.method === 'POST') {
    if (config.urlTemplate !== undefined) yield issue('urlTemplate', 'is for method GET only')
    return
  }
  if (config.urlTemplate === undefined) yield issue('urlTemplate', 'is required for method GET')
  else {
    const template = parseUrlTemplate(config.urlTemplate)
    if (!template.ok) yield issue('urlTemplate', template.message)
  }
}

function* targetIssues(path: string, url: string, rules: TargetRules): Generator<ConfigIssue> {
  const denial = targetDenial(parseTarget(url), rules)
  if (denial !== undefined) yield issue(path, `${denialTexts[denial]} (${denial})`)
}

const denialTexts = {
  url_invalid: 'is not an absolute https URL of visible ASCII without user name and password',
  scheme_not_allowed: 'must begin with https:; http: needs the operator switch USHER_ALLOW_PRIVATE_DESTINATIONS',
  port_not_allowed: 'may use port 443, 80 or 8443, or one the operator opened',
}

function* authIssues({ auth: { ...chosen } }: S2sConfig): Generator<ConfigIssue> {
  if (chosen.type !== 'oauth2') return
  const hasPair = chosen.clientId !== undefined && chosen.clientSecret !== undefined
  if (chosen.credentials === undefined && !hasPair)
    yield issue('auth.credentials', 'give credentials, or clientId and clientSecret')
  const text = chosen.credentials === undefined ? undefined : headerValueIssue(chosen.credentials)
  if (text !== undefined) yield issue('auth.credentials', text)
}

/** What the chosen mode or method has no use for. */
function* idleIssues(config: S2sConfig): Generator<ConfigIssue> {
  const { mode, timeoutMs, successStatuses, method } = config
  if (mode === 'compat' && timeoutMs !== undefined)
    yield issue('timeoutMs', 'is for mode durable only; compat waits 3,000 ms for an answer, as AAM does')
  if (mode === 'durable' && successStatuses.some((status) => status !== 200))
    yield issue('successStatuses', 'is for mode compat only; in durable every answer from 200 to 299 is a success')
  if (method === 'POST') return
  // A GET has no body, and one user.
  const ofBody = {
    usersPerMessage: [1, 10],
    numbersAs: ['string'],
    destinationIdKey: ['AAM_Destination_Id'],
    includeRegions: [true],
  }
  for (const [path, idle] of Object.entries(ofBody))
    if (!(idle as readonly unknown[]).includes(config[path as keyof typeof ofBody]))
      yield issue(path, 'is for method POST only')
}

/** Of a name that is refused, `zod` says why one level deeper. */
function wordsOf(found: z.core.$ZodIssue): string {
  return (found.code === 'invalid_key' && found.issues[0]?.message) || found.message
}

function issue(path: string, message: string): ConfigIssue {
  return { path, message }
}

function issueOf(check: (text: string) => string | undefined) {
  return (text: string, context: z.RefinementCtx) => {
    const message = check(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  }
}
