import { randomToken } from '../lib/random-ids.ts'
import type { CallError, CallOutcome } from '../model/collected-call.ts'
import { safeJson } from './answers.ts'
import type { CallResult } from './call-result.ts'
import { NOT_A_TARGET } from './cookies.ts'
import type { Edge } from './edge.ts'
import { type EdgeRequest, firstValue } from './edge-request.ts'
import type { IdSync } from './id-syncs.ts'

/** Bodies of JSON answers, joined by hand: digits and Base64 need no escaping. Source: spec/collection.md 6.2, 13. */
type Processed = Extract<CallOutcome, { status: 'processed' }>

/** Seconds until the client syncs, and asks for opt-outs, again [COL-173]. */
const ID_SYNC_TTL_SECONDS = 604_800
export const OPT_OUT_TTL_SECONDS = 7200

/** A processed event: `stuff` always, `dests` on request, `ibs` when syncs are due [COL-102]. */
export function eventJson(
  edge: Edge,
  request: EdgeRequest,
  outcome: Processed,
  errors: readonly CallError[],
  syncs: readonly IdSync[],
): string {
  const isEvent = request.route.name === 'event'
  const dests = isEvent && firstValue(request, 'd_dst') === '1' ? '"dests":[],' : ''
  const u = firstValue(request, 'd_jsonv') === '0' ? `"u":"${outcome.deviceId}",` : ''
  const cts = firstValue(request, 'd_cts')
  const memberships =
    isEvent && edge.config.mayUseCts && (cts === '1' || cts === '2')
      ? `,"traits":[${outcome.traits.join(',')}],"segments":[${outcome.segments.join(',')}]`
      : ''
  const ibs = syncs.length > 0 ? `,"ibs":${safeJson(syncs)}` : ''
  return `{"stuff":[],${dests}"uuid":"${outcome.deviceId}",${u}"dcs_region":${edge.config.region},"tid":"${request.eventId}"${memberships}${ibs}${errorsMember(errors)}}`
}

/** A call that was not processed; the members page and mobile clients read stay [COL-234]. */
export function stoppedJson(edge: Edge, request: EdgeRequest, result: Pick<CallResult, 'outcome' | 'errors'>): string {
  // `/id` tells page libraries what went wrong under this name [COL-265].
  const message = request.route.name === 'id' ? `,"error_msg":${safeJson(firstMessage(result.errors))}` : ''
  return `{"stuff":[]${errorsMember(result.errors)},"tid":"${request.eventId}","dcs_region":${edge.config.region}${message}}`
}

/** The answer of the ID service, always an object [COL-173], [CLI-3]. */
export function idJson(edge: Edge, request: EdgeRequest, result: CallResult, syncs: readonly IdSync[]): string {
  const { outcome, errors } = result
  const rest =
    `"id_sync_ttl":${ID_SYNC_TTL_SECONDS},"dcs_region":${edge.config.region},"d_ottl":${OPT_OUT_TTL_SECONDS},` +
    `"ibs":${safeJson(syncs)},"subdomain":${safeJson(request.host?.subdomain ?? '')},"tid":"${request.eventId}"` +
    errorsMember(errors)
  if (outcome?.status === 'processed') {
    return `{"d_mid":"${outcome.ecid}","d_blob":"${blobOf(request)}",${rest}}`
  }
  // Clients know one word for an opt-out, whatever its level, and no ID is invented [COL-178].
  if (outcome?.status === 'opted_out' || request.cookies.demdex === NOT_A_TARGET) {
    return `{"d_optout":["global"],${rest}}`
  }
  return `{"error_msg":${safeJson(firstMessage(errors))},${rest}}`
}

/** Echoes the caller's blob, or makes one: 22 URL-safe characters. */
function blobOf(request: EdgeRequest): string {
  const blob = request.parameters.withheld.get('d_blob')
  return blob !== undefined && /^[A-Za-z0-9_=-]{1,512}$/.test(blob) ? blob : randomToken().slice(0, 22)
}

function errorsMember(errors: readonly CallError[]): string {
  return errors.length === 0 ? '' : `,"errors":${safeJson(errors)}`
}

function firstMessage(errors: readonly CallError[]): string {
  return errors[0]?.msg ?? 'The call was not processed'
}
