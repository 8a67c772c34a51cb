import { z } from 'zod'
import { parseTarget, type TargetRules, targetDenial } from '../../lib/egress/target.ts'
import { headerNameIssue, headerValueIssue } from '../header-rules.ts'
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

const signer = z.strictObject({
  key: z
    .string()
    .min(16)
    .max(1024)
    .meta({ secret: true })
    .describe('Signing key, at least 16 characters; left out, one is generated and shown once'),
  from: z.iso.datetime().optional().describe('Since when the key signs'),
  createdAt: z.iso.datetime().optional(),
  algorithm: algorithm.optional(),
  header: headerName.optional(),
})

const auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('hmac'),
    header: headerName.default('X-Signature').describe('Header that carries the signature'),
    algorithm: algorithm.optional().describe('sha1 in compat, sha256 in durable, unless named'),
    keys: z.array(signer).min(1).max(2).describe('One key, or two during a rotation, the old one first'),
    rotationHeader: headerName
      .nullish()
      .describe('Second name for the one signature, until the rotation is ended with null'),
    webhook: z
      .boolean()
      .optional()
      .describe('Also sends webhook-id, webhook-timestamp, webhook-signature; on in durable, off in compat'),
    ed25519Key: z
      .string()
      .max(200)
      .meta({ secret: true })
      .optional()
      .describe('Private key for a v1a signature beside the others, whsk_ and Base64'),
  }),
  z.strictObject({
    type: z.literal('oauth2'),
    tokenUrl: z.string().max(2048),
    clientId: z.string().min(1).max(1024).optional(),
    clientSecret: secret.optional(),
    rawCredentials: z
      .boolean()
      .optional()
      .describe('Sends id and secret without form-encoding them, for servers that do not decode them'),
    credentials: secret.optional().describe('Basic credentials exactly as the partner gave them'),
  }),
  z.strictObject({ type: z.literal('basic'), username: z.string().min(1).max(1024), password: secret }),
])

const dataSourceId = z.int().min(1).max(0xffff_ffff)

const s2sSchema = z.strictObject({
  protocol: z.enum(['https', 'ftp', 'ftps', 'sftp', 's3']).default('https'),
  delivery: z
    .enum(['realtime', 'batch', 'hybrid'])
    .default('hybrid')
    .describe('hybrid has the best timing and completeness'),
  format: z.enum(['aam-json', 'mapp', 'file']).default('aam-json'),
  mode: z
    .enum(['compat', 'durable'])
    .default('durable')
    .describe('compat behaves as AAM: one retry; durable loses nothing'),
  url: z.string().max(2048).describe('Address that receives the messages, https'),
  method: z.enum(['POST', 'GET']).default('POST'),
  urlTemplate: z.string().max(2048).optional().describe('Path and query of a GET destination'),
  successStatuses: z
    .array(z.int().min(200).max(299))
    .min(1)
    .max(20)
    .default([200])
    .describe('In compat: answers that count as success'),
  userDpid: z
    .union(
      [dataSourceId, z.array(dataSourceId).min(1).max(20)],
      'expected the id of a data source, or a list of 1 to 20',
    )
    .describe('Data sources whose IDs name the users'),
  clientId: z.string().max(255).default('').describe('Account in the partner platform'),
  usersPerMessage: z.int().min(1).max(10).default(10),
  batchMaxWaitMs: z.int().min(0).max(1000).default(50).describe('A message waits at most this long for more users'),
  timeoutMs: z
    .int()
    .min(1_000)
    .max(30_000)
    .optional()
    .describe('In durable: time of an attempt in milliseconds; 15,000 when not given'),
  concurrency: z.int().min(1).max(64).optional().describe('Requests at one time; 16 when not given'),
  requestsPerSecond: z
    .number()
    .min(0.01)
    .max(10_000)
    .optional()
    .describe('Messages a second at most; what comes faster waits, nothing is dropped'),
  auth: auth.default({ type: 'none' }),
  headers: z.record(headerName, headerValue).optional().describe('Further headers of every request'),
  userAgent: headerValue
    .min(1)
    .max(255)
    .optional()
    .describe('Default: product and version. aam: Adobe Audience Manager Iris'),
  numbersAs: z.enum(['string', 'number']).default('string'),
  destinationIdKey: z.enum(['AAM_Destination_Id', 'AAM_Destination_ID']).default('AAM_Destination_Id'),
  includeRegions: z.boolean().default(true),
  sendWithoutPartnerId: z.boolean().default(false).describe('Also users without an ID of the partner'),
  supportsUnsegment: z.boolean().default(true),
  unsegmentOnUnmap: z.boolean().default(false),
  onlyWhileSeen: z.boolean().default(false).describe('No messages for changes that happen without a visit'),
  schedule: z
    .strictObject({
      every: z.enum(['12h', '24h', '7d', '30d']).default('24h'),
      mode: z.enum(['full', 'incremental']).default('incremental'),
    })
    .optional(),
  file: z.record(z.string(), z.unknown()).optional(),
  mapp: z.record(z.string(), z.unknown()).optional(),
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

/** Validates an `s2s` object that is to be saved, its secrets in clear, and fills in its defaults. */
export function parseS2sConfig(input: unknown, rules: TargetRules): ParsedS2s {
  const parsed = parseStoredS2s(input, rules)
  if (!parsed.ok) return parsed
  const issues = [...savingIssues(parsed.config)]
  return issues.length === 0 ? parsed : { ok: false, issues }
}

/** The same of one that was saved earlier, perhaps by rules that were not as strict as those of today. */
export function parseStoredS2s(input: unknown, rules: TargetRules): ParsedS2s {
  const parsed = s2sSchema.safeParse(input)
  if (!parsed.success) {
    return { ok: false, issues: parsed.error.issues.map((found) => issue(found.path.join('.'), wordsOf(found))) }
  }
  const issues = [
    ...availabilityIssues(parsed.data),
    ...urlIssues(parsed.data, rules),
    ...authIssues(parsed.data),
    ...timeoutIssues(parsed.data),
  ]
  return issues.length === 0 ? { ok: true, config: parsed.data } : { ok: false, issues }
}

/** Data sources of `userDpid`, in order, as a list. */
export function userDpidsOf(config: S2sConfig): readonly number[] {
  return typeof config.userDpid === 'number' ? [config.userDpid] : [...new Set(config.userDpid)]
}

function* availabilityIssues({ protocol, delivery, format }: S2sConfig): Generator<ConfigIssue> {
  if (protocol !== 'https') {
    if (delivery !== 'batch')
      yield issue('delivery', `${delivery} needs protocol https; ${protocol} delivers in batches only`)
    yield issue('protocol', `${protocol} is not available yet; use https`)
  }
  if (format !== 'aam-json') yield issue('format', `${format} is not available yet; use aam-json`)
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

function* timeoutIssues({ mode, timeoutMs }: S2sConfig): Generator<ConfigIssue> {
  if (mode === 'compat' && timeoutMs !== undefined)
    yield issue('timeoutMs', 'is for mode durable only; compat waits 3,000 ms for an answer, as AAM does')
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
