import type { HostFacts } from './hosts.ts'

/**
 * Where a caller-given URL may send a browser. Left open this would be an open redirect. Source: spec/security.md 2.1,
 * spec/collection.md [COL-159].
 */
export type RedirectPlan =
  | { readonly ok: true; readonly location: string }
  /** A short reason for the counter; the caller answers a pixel instead [SEC-17]. */
  | { readonly ok: false; readonly reason: string }

export interface RedirectRules {
  /** `host`, `*.domain`, with `http://` in front where that scheme is allowed, and `:port` behind. */
  readonly hosts: readonly string[]
  readonly anyHost: boolean
  /** The host of this call: a hop back to our own sync path is a loop [SEC-16]. */
  readonly own: HostFacts | undefined
}

const TARGET_BYTES_MAX = 4096

/**
 * Parses the target once and writes the answer from the parsed URL. Macros are filled in afterwards, behind the host.
 * @param text decoded text from the call
 * @param fill replaces the macros in path, query and fragment
 */
export function planRedirect(text: string, rules: RedirectRules, fill: (rest: string) => string): RedirectPlan {
  if (text.length > TARGET_BYTES_MAX) return blocked('too_long')
  // Templates leave blanks and line ends around an address.
  const target = text.trim()
  if (hasUnsafeCharacter(target)) return blocked('characters')
  if (!/^https?:\/\//i.test(target)) return blocked('scheme')
  // Ad servers fill keywords into it: the blanks between them are written as %20 by the parser.
  const url = parseUrl(target)
  if (url === undefined) return blocked('malformed')
  if (url.username !== '' || url.password !== '') return blocked('user_info')
  if (/[${}%]/.test(url.host)) return blocked('macro_in_host')
  if (isOwnSyncPath(url, rules.own)) return blocked('loop')
  if (!isAllowed(url, rules)) return blocked('host')

  const location = url.origin + fill(url.href.slice(url.origin.length))
  return location.length > 2 * TARGET_BYTES_MAX ? blocked('too_long') : { ok: true, location }
}

function blocked(reason: string): RedirectPlan {
  return { ok: false, reason }
}

function parseUrl(target: string): URL | undefined {
  try {
    return new URL(target)
  } catch {
    return undefined
  }
}

/** Backslash and controls: URL parsers disagree about them, so they are refused before parsing [SEC-14]. */
function hasUnsafeCharacter(target: string): boolean {
  for (let i = 0; i < target.length; i++) {
    const unit = target.charCodeAt(i)
    if (unit < 0x20 || unit === 0x5c || (unit >= 0x7f && unit < 0xa0)) return true
  }
  return false
}

function isOwnSyncPath(url: URL, own: HostFacts | undefined): boolean {
  if (own === undefined) return false
  const isOwnHost =
    url.hostname === own.name || url.hostname === own.baseDomain || url.hostname.endsWith(`.${own.baseDomain}`)
  return isOwnHost && /^\/ibs(?:[:?/]|%3a|$)/i.test(url.pathname)
}

function isAllowed(url: URL, rules: RedirectRules): boolean {
  return rules.anyHost || rules.hosts.some((entry) => matches(url, entry.toLowerCase()))
}

function matches(url: URL, entry: string): boolean {
  const isHttpListed = entry.startsWith('http://')
  if (url.protocol === 'http:' && !isHttpListed) return false
  const place = entry.replace(/^https?:\/\//, '')
  const colon = place.lastIndexOf(':')
  const host = colon < 0 ? place : place.slice(0, colon)
  const port = colon < 0 ? '' : place.slice(colon + 1)
  if (url.port !== port) return false
  if (!host.startsWith('*.')) return url.hostname === host
  // `*.example.com` needs a domain behind it, not a bare suffix such as `*.com`.
  return host.indexOf('.', 2) > 0 && url.hostname.endsWith(host.slice(1))
}
