import { parseWholeNumber } from '../lib/whole-number.ts'
import type { DataSourceId, DeviceId } from '../model/ids.ts'

/** Cookies of the edge. Source: spec/collection.md section 8. */
export interface VisitorCookies {
  readonly demdex: string | undefined
  readonly dextp: string | undefined
}

/** Value of both cookies after a global opt-out [COL-226]. */
export const NOT_A_TARGET = 'NOTARGET'

const VISITOR_SECONDS = 15_552_000 // 180 days
const OPT_OUT_SECONDS = 315_360_000 // 10 years
const DEXTP_BYTES_MAX = 4000

const NONE: VisitorCookies = { demdex: undefined, dextp: undefined }

/** Picks our two cookies out of a `Cookie` header; of repeated ones the first counts. */
export function readCookies(header: string | undefined): VisitorCookies {
  if (header === undefined) return NONE
  const demdex = cookieValue(header, 'demdex=')
  const dextp = cookieValue(header, 'dextp=')
  return demdex === undefined && dextp === undefined ? NONE : { demdex, dextp }
}

function cookieValue(header: string, prefix: string): string | undefined {
  let from = 0
  for (;;) {
    const at = header.indexOf(prefix, from)
    if (at < 0) return undefined
    const before = at === 0 ? 0x3b : header.charCodeAt(at - 1)
    if (before === 0x3b || before === 0x20) {
      const end = header.indexOf(';', at)
      return header.slice(at + prefix.length, end < 0 ? header.length : end).trim()
    }
    from = at + prefix.length
  }
}

/** How cookies of one answer are written. */
export interface CookieScope {
  /** `Domain` attribute, or empty for none. */
  readonly domain: string
  /** The call came over TLS: over plain http browsers keep neither `Secure` nor `SameSite=None` cookies [COL-124]. */
  readonly secure: boolean
  readonly partitioned: boolean
}

/** `Set-Cookie` value of the visitor cookie: 180 days, counted anew with each call [COL-124], [SEC-18]. */
export function visitorCookie(deviceId: DeviceId, scope: CookieScope): string {
  return `demdex=${deviceId}${attributes(VISITOR_SECONDS, scope)}`
}

export function syncTimesCookie(value: string, scope: CookieScope): string {
  return `dextp=${value}${attributes(VISITOR_SECONDS, scope)}`
}

/** How many redirects of the browser's ID syncs we have made lately [SEC-16]; a number, and no word about the visitor. */
export interface SyncHops {
  readonly count: number
  /** Of the first one. */
  readonly startedMs: number
}

/** The longest a chain of redirects takes; what comes later begins a new one. */
const HOPS_SECONDS = 10
const NO_HOPS: SyncHops = { count: 0, startedMs: 0 }

/** Reads `dexhop=<count>-<ms of the first>`; a chain that is over, or a value that is not ours, is none. */
export function readSyncHops(header: string | undefined, nowMs: number): SyncHops {
  const value = header === undefined ? undefined : cookieValue(header, 'dexhop=')
  const found = value === undefined ? null : /^([0-9]{1,2})-([0-9]{1,15})$/.exec(value)
  if (found === null) return NO_HOPS
  const startedMs = Number(found[2])
  return startedMs <= nowMs && nowMs - startedMs < HOPS_SECONDS * 1000
    ? { count: Number(found[1]), startedMs }
    : NO_HOPS
}

export function syncHopsCookie({ count, startedMs }: SyncHops, scope: CookieScope): string {
  return `dexhop=${count}-${startedMs}${attributes(HOPS_SECONDS, scope)}`
}

/** The longest an opt-out through a tool is under way; one that is left off halfway ends then. */
const OPTING_OUT_SECONDS = 300

/** Set between the token endpoint and the global opt-out; its value is the tool's token [COL-235]. */
export function optingOutCookie(token: string, scope: CookieScope): string {
  return `dexoptout=${token}${attributes(OPTING_OUT_SECONDS, scope)}`
}

/** Ends it: the opt-out has arrived. */
export function optedOutCookie(scope: CookieScope): string {
  return `dexoptout=${attributes(0, scope)}`
}

export function isOptingOut(header: string | undefined): boolean {
  const token = header === undefined ? undefined : cookieValue(header, 'dexoptout=')
  return token !== undefined && /^[\w-]{43}$/.test(token)
}

/** Both cookies of a global opt-out [COL-226]. */
export function optOutCookies(scope: CookieScope): readonly string[] {
  const rest = attributes(OPT_OUT_SECONDS, scope)
  return [`demdex=${NOT_A_TARGET}${rest}`, `dextp=${NOT_A_TARGET}${rest}`]
}

/** Takes both cookies out of the browser: consent was withdrawn. */
export function droppedCookies(scope: CookieScope): readonly string[] {
  const rest = attributes(0, scope)
  return [`demdex=${rest}`, `dextp=${rest}`]
}

function attributes(seconds: number, scope: CookieScope): string {
  const domain = scope.domain === '' ? '' : `; Domain=${scope.domain}`
  const secure = scope.secure ? '; Secure; SameSite=None' : ''
  return `${domain}; Path=/; Max-Age=${seconds}${secure}; HttpOnly${scope.secure && scope.partitioned ? '; Partitioned' : ''}`
}

/** Time of the last ID sync with each data source, oldest first. */
export type SyncTimes = ReadonlyMap<number, number>

/**
 * Reads `dpid-type-timestamp` and the old `name-timestamp`, joined by pipes [COL-125]. What cannot be read is left out
 * [COL-127].
 */
export function parseSyncTimes(value: string | undefined): SyncTimes {
  const times = new Map<number, number>()
  if (value === undefined || value.length > 2 * DEXTP_BYTES_MAX) return times
  for (const entry of value.split('|')) {
    const parts = entry.split('-')
    const dataSourceId = parseWholeNumber(parts[0] ?? '') ?? 0
    const timeMs = parseWholeNumber(parts.at(-1) ?? '') ?? 0
    const isKnownForm = parts.length === 2 || (parts.length === 3 && parts[1] === '1')
    if (!isKnownForm || dataSourceId <= 0 || timeMs <= 0) continue
    if (timeMs > (times.get(dataSourceId) ?? 0)) times.set(dataSourceId, timeMs)
  }
  return times
}

/** Writes the new form with one entry for each data source, newest last; the oldest go when it grows too long [COL-126]. */
export function renderSyncTimes(times: SyncTimes, synced: readonly DataSourceId[], nowMs: number): string {
  const merged = new Map(times)
  for (const dataSourceId of synced) {
    merged.delete(dataSourceId)
    merged.set(dataSourceId, nowMs)
  }
  const entries = [...merged].sort((a, b) => a[1] - b[1]).map(([id, timeMs]) => `${id}-1-${timeMs}|`)
  let bytes = entries.reduce((sum, entry) => sum + entry.length, 0)
  let first = 0
  while (bytes > DEXTP_BYTES_MAX) bytes -= (entries[first++] as string).length
  return entries.slice(first).join('')
}
