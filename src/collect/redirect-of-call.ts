import { comparableCode } from '../lib/texts.ts'
import { parseWholeNumber } from '../lib/whole-number.ts'
import type { DataSourceId } from '../model/ids.ts'
import { type Answer, pixelAnswer, redirectAnswer } from './answers.ts'
import type { CallResult } from './call-result.ts'
import { readSyncHops, syncHopsCookie } from './cookies.ts'
import { readDeclaredIds } from './declared-ids.ts'
import type { Edge } from './edge.ts'
import { cookieScope, type EdgeRequest, firstValue, isCoppa } from './edge-request.ts'
import { fillDollarMacros, fillKeyMacros, type MacroValues, randomNumber } from './macros.ts'
import { decodeTolerantly } from './percent.ts'
import { planRedirect, type RedirectPlan } from './redirect.ts'

/**
 * The redirect an ID sync or a click asks for. A refused one becomes the pixel, and is counted; the call itself is
 * processed all the same [SEC-17].
 * @returns undefined when the call asks for none
 */
export function redirectOf(edge: Edge, request: EdgeRequest, result: CallResult): Answer | undefined {
  const { withheld, malformed } = request.parameters
  const isSync = request.route.name === 'sync'
  // A sync with broken parameters is disregarded; a click takes the visitor on, if its target can be read [COL-189].
  const target = isSync ? (malformed ? undefined : withheld.get('redir')) : clickTarget(request)
  if (target === undefined || target === '') return undefined
  const plan = isSync ? planSync(edge, request, result, target) : planClick(edge, request, result, target)
  if (!plan.ok) return blockedAnswer(edge, plan.reason, result)
  if (!isSync || !mayCount(request, result)) return redirectAnswer(plan.location, result.errors, result.cookies)

  const nowMs = request.receivedAtMs
  const { count, startedMs } = readSyncHops(request.headers.cookie, nowMs)
  if (count >= HOPS_MAX) return blockedAnswer(edge, 'hops', result)
  const hops = { count: count + 1, startedMs: count === 0 ? nowMs : startedMs }
  const cookies = [...result.cookies, syncHopsCookie(hops, cookieScope(edge, request))]
  return redirectAnswer(plan.location, result.errors, cookies)
}

/** Redirects within one chain of ID syncs, from partner to us and on [SEC-16]. */
const HOPS_MAX = 8

/**
 * Hops are counted in a cookie, since nothing else comes back with every hop of one browser and of no other. Where none
 * may be set, or the browser keeps none, its own limit of redirects (20 in most) ends a loop.
 */
function mayCount(request: EdgeRequest, { outcome, consent }: CallResult): boolean {
  return outcome?.status === 'processed' && consent.decision.cookie && !isCoppa(request)
}

function blockedAnswer(edge: Edge, reason: string, { errors, cookies }: CallResult): Answer {
  edge.events.onRedirectBlocked?.(reason)
  return pixelAnswer(errors, cookies)
}

function clickTarget(request: EdgeRequest): string | undefined {
  if (request.route.name !== 'event' || firstValue(request, 'd_event') !== 'click') return undefined
  const target = (request.parameters.withheld.get('d_rd') ?? '').trim()
  return /^https?:\/\//i.test(target) ? target : decodeTolerantly(target)
}

function planSync(edge: Edge, request: EdgeRequest, result: CallResult, target: string): RedirectPlan {
  const values = valuesOf(edge, request, result)
  return planRedirect(
    target,
    { hosts: syncHosts(edge, request), anyHost: edge.config.redirectAnyHost, own: request.host },
    (rest) => fillDollarMacros(rest, values),
  )
}

/** Hosts of the data sources the call names, beside those of the installation. */
function syncHosts(edge: Edge, request: EdgeRequest): readonly string[] {
  const directory = edge.directory()
  const { ids } = readDeclaredIds(request.parameters.declared, directory, edge.denyList.dataSourceIds, [])
  const hosts = ids.flatMap(({ dataSourceId }) => directory.dataSources.get(dataSourceId)?.redirectHosts ?? [])
  return [...edge.config.redirectHosts, ...hosts]
}

function planClick(edge: Edge, request: EdgeRequest, result: CallResult, target: string): RedirectPlan {
  const values = valuesOf(edge, request, result)
  const { dataSources, byIntegrationCode } = edge.directory()
  const source = firstValue(request, 'd_src') ?? ''
  const dataSource =
    dataSources.get(parseWholeNumber(source) as DataSourceId) ?? byIntegrationCode.get(comparableCode(source))
  const hosts = [...edge.config.redirectHosts, ...(dataSource?.redirectHosts ?? [])]
  return planRedirect(target, { hosts, anyHost: edge.config.redirectAnyHost, own: request.host }, (rest) =>
    fillDollarMacros(
      fillKeyMacros(rest, (key) => clickValue(request, values, key)),
      values,
    ),
  )
}

/** Keys that have a meaning on clicks even when the call does not carry them [COL-186]. */
const clickKeys = new Set([
  'd_src',
  'd_creative',
  'd_campaign',
  'd_bu',
  'd_site',
  'd_adgroup',
  'd_placement',
  'd_dpuuid',
])

function clickValue(request: EdgeRequest, values: MacroValues, key: string): string | undefined {
  const { withheld, signals, declared } = request.parameters
  const name = key.toLowerCase()
  switch (name) {
    case 'd_id':
      return signals.first('d_dpid') ?? ''
    case 'd_dpuuid':
      return decodeTolerantly(declared.find((part) => part.key === 'd_dpuuid')?.raw ?? '')
    case 'd_region':
      return String(values.region)
    case 'r_rand':
      return withheld.get('r_rand') ?? randomNumber()
    case 'd_uuid':
      return withheld.get('d_uuid') ?? values.deviceId
    case 'd_mid':
      return withheld.get('d_mid') ?? values.ecid
    default:
      // Private pairs never leave the call [COL-21].
      if (name.startsWith('p_')) return undefined
      return signals.first(key) ?? signals.first(name) ?? (clickKeys.has(name) ? '' : undefined)
  }
}

function valuesOf(edge: Edge, request: EdgeRequest, { outcome, consent }: CallResult): MacroValues {
  // Where the visitor is opted out, or may not be shared, the partner learns no ID [COL-162].
  const isTold = outcome?.status === 'processed' && !consent.decision.syncDenied
  return {
    deviceId: isTold ? outcome.deviceId : '',
    ecid: isTold ? outcome.ecid : '',
    region: edge.config.region,
    secure: request.secure,
    nowMs: request.receivedAtMs,
    consent,
  }
}
