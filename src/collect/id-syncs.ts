import { parseWholeNumber } from '../lib/whole-number.ts'
import type { DataSource } from '../model/definitions.ts'
import type { Consent } from './consent.ts'
import { parseSyncTimes } from './cookies.ts'
import type { Edge } from './edge.ts'
import { type EdgeRequest, firstValue, isCoppa } from './edge-request.ts'
import { fillSyncTemplate, type MacroValues } from './macros.ts'

/** One element of the `ibs` array, as page libraries read it [COL-171], [CLI-5]. */
export interface IdSync {
  readonly id: string
  /** Minutes until the next sync. */
  readonly ttl: number
  readonly tag: 'img' | 'iframe'
  readonly fireURLSync: 0 | 1
  readonly syncOnPage: 0 | 1
  readonly url: readonly string[]
}

/** The outbound ID syncs that are due for this visitor. Source: spec/collection.md 12.2, 12.3; spec/outbound.md 2. */
export function dueIdSyncs(
  edge: Edge,
  request: EdgeRequest,
  consent: Consent,
  ids: { readonly deviceId: string; readonly ecid: string },
): readonly IdSync[] {
  const { syncs } = edge.directory()
  if (syncs.length === 0 || consent.decision.syncDenied) return NONE
  if (isCoppa(request) || firstValue(request, 'd_jsonv') === '0') return NONE

  // What is no number names a container that no sync is in.
  const container = parseWholeNumber(firstValue(request, 'd_nsid') ?? '0')
  const lastMs = parseSyncTimes(request.cookies.dextp)
  const nowMs = request.receivedAtMs
  const values: MacroValues = { ...ids, region: edge.config.region, secure: request.secure, nowMs, consent }
  const due: IdSync[] = []
  for (const { dataSourceId, sync, status } of syncs) {
    if (sync === undefined || status === 'INACTIVE' || !isInContainer(sync, container)) continue
    const syncedAtMs = lastMs.get(dataSourceId)
    // A time in the future was written while the clock was ahead: as if there were none.
    const sinceMs = syncedAtMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - syncedAtMs
    if (sinceMs >= 0 && sinceMs < sync.intervalMinutes * 60_000) continue
    due.push({
      id: String(dataSourceId),
      ttl: sync.intervalMinutes,
      tag: sync.tag,
      fireURLSync: 1,
      syncOnPage: sync.syncOnPage ? 1 : 0,
      url: [withPrivacyParameters(fillSyncTemplate(sync.url, values), sync.url, request, consent)],
    })
  }
  return due
}

const NONE: readonly IdSync[] = []

/** A sync without containers belongs to the default one [COL-52]. */
function isInContainer(sync: NonNullable<DataSource['sync']>, container: number | undefined): boolean {
  return sync.containerIds.length === 0 ? container === 0 : sync.containerIds.includes(container ?? -1)
}

/** What the page said about privacy travels on, where the template does not place it itself [SEC-77], [COL-169]. */
function withPrivacyParameters(url: string, template: string, request: EdgeRequest, consent: Consent): string {
  const { privacy } = request.parameters
  const extra: string[] = []
  if (consent.result === 'granted' && !/\$\{GDPR|[?&]gdpr=/i.test(template)) {
    extra.push('gdpr=1', `gdpr_consent=${encodeURIComponent(consent.consentMacro)}`)
  }
  for (const key of ['gpp', 'gpp_sid', 'us_privacy'] as const) {
    if (template.includes(`${key}=`)) continue
    for (const value of privacy.given(key)) extra.push(`${key}=${encodeURIComponent(value)}`)
  }
  if (extra.length === 0) return url
  const hash = url.indexOf('#')
  const head = hash < 0 ? url : url.slice(0, hash)
  return head + (head.includes('?') ? '&' : '?') + extra.join('&') + (hash < 0 ? '' : url.slice(hash))
}
