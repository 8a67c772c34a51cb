import { comparableCode } from '../lib/texts.ts'
import { parseWholeNumber } from '../lib/whole-number.ts'
import type { CallError, CollectedCall, OptOutCall } from '../model/collected-call.ts'
import type { DeclaredId, EventKind } from '../model/event.ts'
import { type DataSourceId, OBJECT_ID_MAX, type TraitId } from '../model/ids.ts'
import { Signals } from '../model/signals.ts'
import { admit } from './admission.ts'
import { type CallIds, readIds } from './call-ids.ts'
import { type Consent, decideConsent, unreadConsent } from './consent.ts'
import { NOT_A_TARGET } from './cookies.ts'
import { withoutDenied } from './denied-ids.ts'
import type { Edge } from './edge.ts'
import { type EdgeRequest, firstValue } from './edge-request.ts'
import { callError } from './error-codes.ts'
import { addServerSignals } from './header-signals.ts'
import { isUnderWay } from './opt-out-tools.ts'
import { withPageConsent } from './page-consent.ts'
import type { Parameters } from './parse-query.ts'

/** What a request turned out to be. Everything but `read` means: discard it. */
export type ReadCall =
  | { readonly status: 'read'; readonly call: CollectedCall; readonly consent: Consent }
  | { readonly status: 'opted_out' | 'stopped'; readonly errors: readonly CallError[]; readonly consent: Consent }
  /** Consent is withheld: the IDs are opted out, if there are any and a partner to opt out of [COL-245]. */
  | {
      readonly status: 'declined'
      readonly errors: readonly CallError[]
      readonly consent: Consent
      readonly optOut: OptOutCall | undefined
    }

/**
 * Reads an event, sync or ID call; only `denyList` counts something. Order: what the whole call may be refused for, the
 * browser's own opt-out, then consent, and only then the IDs [SEC-73].
 */
export function readCall(edge: Edge, request: EdgeRequest): ReadCall {
  const { parameters } = request
  const refusal = admit(edge, request)
  const unread = unreadConsent(parameters)
  if (refusal !== undefined) return { status: 'stopped', errors: [refusal], consent: unread }
  if (request.cookies.demdex === NOT_A_TARGET) {
    return { status: 'opted_out', errors: [callError(171, NOT_A_TARGET)], consent: unread }
  }
  if (isUnderWay(edge, request)) return { status: 'stopped', errors: [callError(173)], consent: unread }

  const errors: CallError[] = []
  const directory = edge.directory()
  const gpc = request.headers['sec-gpc'] as string | undefined
  const asked = decideConsent(parameters, gpc, directory, edge.config, request.receivedAtMs)
  const consent = withPageConsent(asked, request)
  for (const error of consent.errors) errors.push(error)
  if (consent.result === 'missing') return { status: 'stopped', errors, consent }

  if (request.unreadBody !== undefined) errors.push(callError(901, request.unreadBody))
  const ids = readIds(edge, request, errors)
  if (consent.result === 'declined') {
    return { status: 'declined', errors, consent, optOut: consentOptOut(edge, request, ids) }
  }
  // Nothing keeps a visitor from taking consent back: neither the host of the call, nor how often an ID was seen.
  const isWithdrawn = consent.result === 'withdrawn'
  if (!isWithdrawn && !hasPartner(edge, request, ids.declaredIds)) {
    errors.push(callError(1, request.host?.name ?? ''))
    return { status: 'stopped', errors, consent }
  }
  const onCallerOver = request.isOfCaller ? edge.onCallerOver : undefined
  const kept = isWithdrawn
    ? ids
    : withoutDenied(edge.denyList, directory, ids, request.receivedAtMs, errors, onCallerOver)
  if (kept === undefined) return { status: 'stopped', errors, consent }

  const kind = isWithdrawn ? 'event' : (request.route.name as EventKind)
  const isEvent = kind === 'event'
  const call: CollectedCall = {
    eventId: request.eventId,
    kind,
    receivedAtMs: request.receivedAtMs,
    deviceId: kept.deviceId,
    ecid: kept.ecid,
    organization: ids.organization,
    hasOrganization: ids.hasOrganization,
    cookieDeviceId: kept.cookieDeviceId,
    firstDeviceId: kept.firstDeviceId,
    declaredIds: kept.declaredIds,
    signals: isEvent ? addServerSignals(edge, request) : NO_SIGNALS,
    traitIds: isEvent ? readTraitIds(parameters) : NO_TRAITS,
    onlyDataSourceId: isEvent ? readOnlyDataSource(edge, parameters) : undefined,
    region: edge.config.region,
    consent: consent.decision,
    wantsMemberships: isEvent && edge.config.mayUseCts && isOneOrTwo(firstValue(request, 'd_cts')),
    errors,
  }
  return { status: 'read', call, consent }
}

const NO_SIGNALS = new Signals()
const NO_TRAITS: readonly TraitId[] = []
const TRAIT_IDS_MAX = 1000

/** While aliases are listed, a system host names nobody: then the organization or a data source must [COL-138]. */
function hasPartner(edge: Edge, request: EdgeRequest, declaredIds: readonly DeclaredId[]): boolean {
  if (request.route.name !== 'event' || edge.config.aliases.length === 0 || request.host?.isSystem !== true) return true
  return (firstValue(request, 'd_orgid') ?? '') !== '' || declaredIds.length > 0
}

function consentOptOut(edge: Edge, request: EdgeRequest, ids: CallIds): OptOutCall | undefined {
  const isShared = request.host?.label === 'dpm' || (edge.config.aliases.length > 0 && request.host?.isSystem === true)
  if (isShared && !ids.hasOrganization) return undefined
  const isNamed = ids.deviceId ?? ids.ecid ?? ids.cookieDeviceId ?? ids.declaredIds[0]
  if (isNamed === undefined) return undefined
  return {
    eventId: request.eventId,
    receivedAtMs: request.receivedAtMs,
    level: 'partner',
    reason: 'consent',
    deviceId: ids.deviceId,
    ecid: ids.ecid,
    organization: ids.organization,
    cookieDeviceId: ids.cookieDeviceId,
    declaredIds: ids.declaredIds,
    deprecatedPair: undefined,
  }
}

/** `d_sid=1234,5678`; what is no number is left out without error [COL-194], [COL-195]. */
function readTraitIds(parameters: Parameters): readonly TraitId[] {
  if (!parameters.signals.has('d_sid')) return NO_TRAITS
  const traitIds = new Set<TraitId>()
  // Also where the commas of a list came encoded, or in JSON: a number has none.
  for (const value of parameters.signals.all('d_sid').flatMap((values) => values.split(','))) {
    const sid = /^\s*[0-9]{1,10}\s*$/.test(value) ? Number(value) : 0
    if (sid > 0 && sid <= OBJECT_ID_MAX && traitIds.size < TRAIT_IDS_MAX) traitIds.add(sid as TraitId)
  }
  return [...traitIds]
}

/** `d_tdpid` or `d_tdpid_ic`; `null` when it names nothing we know, so that no trait is realized [COL-50]. */
function readOnlyDataSource(edge: Edge, { signals }: Parameters): DataSourceId | null | undefined {
  const id = signals.first('d_tdpid')
  const code = signals.first('d_tdpid_ic')
  if (id === undefined && code === undefined) return undefined
  const { dataSources, byIntegrationCode } = edge.directory()
  const found =
    id !== undefined
      ? dataSources.get(parseWholeNumber(id.trim()) as DataSourceId)
      : byIntegrationCode.get(comparableCode(code ?? ''))
  return found?.dataSourceId ?? null
}

function isOneOrTwo(value: string | undefined): boolean {
  return value === '1' || value === '2'
}
