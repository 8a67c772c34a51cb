import { z } from 'zod'
import { parseTarget } from '../../lib/egress/target.ts'
import { codeIssue } from '../../lib/texts.ts'
import { parseProfileId } from '../../model/ids.ts'
import type { StoredDelivery } from '../../store/delivery-record.ts'
import { renderHead, renderMessage, type UserEntry } from '../message.ts'
import { parseUrlTemplate, renderUrlTemplate } from '../url-template.ts'
import { notBuiltValues, onlyIn } from './choices.ts'
import type { ConfigIssue } from './config-issue.ts'
import { defineDestination, type RealtimeBatch, type RenderedRequest } from './define-destination.ts'
import { dataSourcesOf, runnerFields, userDpid } from './runner-settings.ts'
import { edgeIssue } from './saving.ts'
import { algorithmOf } from './sign-in.ts'

/** Values that are known and refused, each with its reason, until they are built. */
export const notBuilt = {
  protocol: ['ftp', 'ftps', 'sftp', 's3'],
  delivery: ['batch', 'hybrid'],
  format: ['mapp', 'file'],
} as const
const refusedUntilBuilt = (member: keyof typeof notBuilt) =>
  `Refused until they are built: ${notBuilt[member].join(', ')}`

const config = z.strictObject({
  protocol: z
    .enum(['https', ...notBuilt.protocol])
    .default('https')
    .describe(refusedUntilBuilt('protocol'))
    .meta(notBuiltValues(notBuilt.protocol)),
  delivery: z
    .enum(['realtime', ...notBuilt.delivery])
    .default('realtime')
    .describe(refusedUntilBuilt('delivery'))
    .meta(notBuiltValues(notBuilt.delivery)),
  format: z
    .enum(['aam-json', ...notBuilt.format])
    .default('aam-json')
    .describe(refusedUntilBuilt('format'))
    .meta(notBuiltValues(notBuilt.format)),
  mode: runnerFields.mode,
  url: z.string().max(2048).describe('Address that receives the messages, https').meta({ title: 'Address' }),
  method: z.enum(['POST', 'GET']).default('POST').describe('GET tells of one user in its address'),
  urlTemplate: z
    .string()
    .max(2048)
    .optional()
    .describe(
      'Path and query of a GET destination, which needs it; macros: `<DP_UUID>`, `<UUID>`, `<ORDER_ID>`, `<DPID>`, `<SEGMENT_LIST;separator=",">`, `<REMOVED_SEGMENT_LIST;separator=",">`. What stands in `separator` comes between the IDs of a list; a bare `<SEGMENT_LIST>` puts nothing between them, 200002200003',
    )
    .meta(onlyIn('method', 'GET')),
  successStatuses: runnerFields.successStatuses.meta(
    onlyIn('mode', 'compat', { because: 'in durable every answer from 200 to 299 is a success' }),
  ),
  userDpid,
  clientId: z.string().max(255).default('').describe('Account in the partner platform'),
  usersPerMessage: runnerFields.usersPerMessage
    .describe('Users in one message at most; POST only')
    .meta(onlyIn('method', 'POST', { values: [1] })),
  batchMaxWaitMs: runnerFields.batchMaxWaitMs,
  timeoutMs: runnerFields.timeoutMs.meta(
    onlyIn('mode', 'durable', { because: 'compat waits 3,000 ms for an answer, as AAM does' }),
  ),
  concurrency: runnerFields.concurrency,
  requestsPerSecond: runnerFields.requestsPerSecond,
  auth: runnerFields.auth,
  headers: runnerFields.headers,
  userAgent: runnerFields.userAgent,
  numbersAs: z
    .enum(['string', 'number'])
    .default('string')
    .describe('How whole numbers are written in a message: "1" or 1; POST only')
    .meta(onlyIn('method', 'POST')),
  destinationIdKey: z
    .enum(['AAM_Destination_Id', 'AAM_Destination_ID'])
    .default('AAM_Destination_Id')
    .describe('How the key is spelt in a message; POST only')
    .meta(onlyIn('method', 'POST')),
  includeRegions: z.boolean().default(true).describe('Sends AAM_Regions; POST only').meta(onlyIn('method', 'POST')),
  sendWithoutPartnerId: runnerFields.sendWithoutPartnerId,
  supportsUnsegment: runnerFields.supportsUnsegment,
  unsegmentOnUnmap: runnerFields.unsegmentOnUnmap,
  onlyWhileSeen: runnerFields.onlyWhileSeen,
  schedule: z.unknown().optional().describe('Refused until batches are built'),
  file: z.unknown().optional().describe('Refused until files are built'),
  mapp: z.unknown().optional().describe('Refused until Mapp is built'),
})
export type S2sConfig = z.output<typeof config>

/**
 * Server-to-server destination: posts memberships to a partner's endpoint in the wire format of Adobe Audience Manager.
 * Source: operating.md OPS-42, OPS-50; outbound.md 3 to 5.
 */
export const s2s = defineDestination({
  type: 'S2S',
  member: 's2s',
  title: 'Server to server',
  description: 'Tells memberships to an address of the partner while visitors are there, in the format of AAM',
  config,
  example: { url: 'https://in.halden.example/aam', userDpid: 77052, auth: { type: 'hmac' } },
  dataSources: (chosen) => dataSourcesOf(chosen.userDpid),
  addresses: ({ protocol, url }) => (protocol === 'https' ? [['url', url]] : []),
  checks: { available: availabilityIssues, always: templateIssues, saved: accountIssues },
  inForce,

  realtime: {
    isWanted: ({ delivery }) => delivery !== 'batch',
    usersInRequest: ({ method, usersPerMessage }) => (method === 'GET' ? 1 : usersPerMessage),

    render(batch, chosen) {
      const { users, dataSourceId, destinationId, nowMs } = batch
      const [first] = users
      const target = first && renderTarget(chosen, batch, first)
      if (target !== undefined) return { method: 'GET', url: new URL(chosen.url).origin + target, body: '' }
      const head = { processTimeSeconds: Math.floor(nowMs / 1000), userDpid: dataSourceId, destinationId }
      return { method: 'POST', url: chosen.url, body: renderMessage(chosen, head, users) }
    },

    // Of a GET, path and query are the message.
    address: ({ method, url }: RenderedRequest, chosen) =>
      method === 'POST' ? chosen.url : new URL(chosen.url).origin + (parseTarget(url)?.requestTarget ?? '/'),

    isAsToday,
  },
})

/** What is in force of a saved one: of `hybrid` the real-time half, no schedule, no file; the hash that signs. */
export function inForce(saved: S2sConfig): S2sConfig {
  const { schedule: _schedule, file: _file, mapp: _mapp, auth: chosen, ...rest } = saved
  const auth = chosen?.type === 'hmac' ? { ...chosen, algorithm: algorithmOf(chosen, saved.mode) } : chosen
  return { ...rest, auth, delivery: saved.delivery === 'hybrid' ? 'realtime' : saved.delivery }
}

function* availabilityIssues(chosen: S2sConfig): Generator<ConfigIssue> {
  const { protocol, delivery, format, schedule, file, mapp } = chosen
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

function* templateIssues({ protocol, method, urlTemplate }: S2sConfig): Generator<ConfigIssue> {
  if (protocol !== 'https') return
  if (method === 'POST') {
    if (urlTemplate !== undefined) yield issue('urlTemplate', 'is for method GET only')
  } else if (urlTemplate === undefined) yield issue('urlTemplate', 'is required for method GET')
  else {
    const template = parseUrlTemplate(urlTemplate)
    if (!template.ok) yield issue('urlTemplate', template.message)
  }
}

function* accountIssues({ clientId }: S2sConfig): Generator<ConfigIssue> {
  const message = codeIssue(clientId) ?? edgeIssue(clientId)
  if (message !== undefined) yield issue('clientId', message)
}

/** Path and query that tell a GET destination of one user. */
function renderTarget(
  { method, urlTemplate }: S2sConfig,
  { destinationId, dataSourceId }: Pick<RealtimeBatch, 'destinationId' | 'dataSourceId'>,
  {
    partnerId,
    deviceId,
    segments,
  }: Pick<UserEntry, 'partnerId' | 'deviceId'> & {
    readonly segments: readonly Pick<UserEntry['segments'][number], 'value' | 'active'>[]
  },
): string | undefined {
  const parsed = method === 'GET' && urlTemplate !== undefined ? parseUrlTemplate(urlTemplate) : undefined
  if (parsed?.ok !== true) return undefined
  return renderUrlTemplate(parsed.template, {
    DP_UUID: partnerId,
    UUID: deviceId,
    ORDER_ID: String(destinationId),
    DPID: String(dataSourceId),
    SEGMENT_LIST: segments.filter((one) => one.active).map((one) => one.value),
    REMOVED_SEGMENT_LIST: segments.filter((one) => !one.active).map((one) => one.value),
  })
}

/** The account, the form and the address of a stored message are those of today. */
function isAsToday(stored: StoredDelivery, chosen: S2sConfig): boolean {
  const { method, url, body, users, destinationId, createdAtMs, written = [] } = stored
  const [row, user] = [written[0], users[0]]
  if (method !== chosen.method || row === undefined || user === undefined) return false
  const { dataSourceId, partnerId, segments } = row
  if (method === 'POST') {
    const head = { processTimeSeconds: Math.floor(createdAtMs / 1000), userDpid: dataSourceId, destinationId }
    // No text inside of a string looks like the name of a member: its quotes are escaped.
    const hasRegions = body.includes(',"AAM_Regions":[')
    return body.startsWith(renderHead(chosen, head, users.length)) && hasRegions === chosen.includeRegions
  }
  const device = parseProfileId(user.profileId)
  const deviceId = device?.kind === 'device' ? device.deviceId : ''
  const named = segments.map(([, value, status]) => ({ value, active: status === 1 }))
  const target = renderTarget(chosen, { destinationId, dataSourceId }, { deviceId, partnerId, segments: named })
  return target !== undefined && parseTarget(url)?.requestTarget === target
}

function issue(path: string, message: string): ConfigIssue {
  return { path, message }
}
