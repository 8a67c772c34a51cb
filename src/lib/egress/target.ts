export interface Target {
  /** `https://host:port`, default ports left out. */
  readonly origin: string
  readonly protocol: 'http:' | 'https:'
  /** Lower case; an IPv6 address without its brackets. */
  readonly hostname: string
  readonly port: number
  /** Path and query exactly as written, never normalised: it is what a GET signature covers [OUT-69]. */
  readonly requestTarget: string
}

/** Of URLs that were split lately: a destination has one, and is asked for it with each message. */
const known = new Map<string, Target>()
const KNOWN_MAX = 1_000

/**
 * Splits an absolute http(s) URL of visible ASCII.
 * @returns undefined when it is not one, or holds a user name or password
 */
export function parseTarget(url: string): Target | undefined {
  const found = known.get(url)
  if (found !== undefined) return found
  const target = split(url)
  if (known.size >= KNOWN_MAX) known.clear()
  if (target !== undefined) known.set(url, target)
  return target
}

function split(url: string): Target | undefined {
  // A backslash or a control character would be read as another URL by the standard parser than it looks like.
  if (!/^https?:\/\/[!-[\]-~]+$/i.test(url)) return undefined
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.username !== '' || parsed.password !== '') return undefined
  const protocol = parsed.protocol === 'https:' ? 'https:' : 'http:'
  const hostname = parsed.hostname.startsWith('[') ? parsed.hostname.slice(1, -1) : parsed.hostname
  const port = parsed.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(parsed.port)
  return { origin: parsed.origin, protocol, hostname, port, requestTarget: rawTarget(url) }
}

function rawTarget(url: string): string {
  const rest = url.slice(url.indexOf('//') + 2)
  const start = rest.search(/[/?#]/)
  if (start < 0) return '/'
  const target = rest.slice(start).split('#', 1)[0] as string
  return target.startsWith('/') ? target : `/${target}`
}

export interface TargetRules {
  /** Development switch: any port, and `http:` [OPS-25]. */
  readonly allowPrivate: boolean
  /** Exact `host:port` exceptions to scheme, port and address rules: the demo's own sandbox [OPS-25]. */
  readonly allowedTargets?: readonly string[]
  /** Ports beside 443, 80 and 8443 that an operator opened [SEC-25]. */
  readonly allowedPorts?: readonly number[]
}

export type TargetDenial = 'url_invalid' | 'scheme_not_allowed' | 'port_not_allowed'

/** What a URL alone shows to be forbidden, before a name is asked. Source: security.md SEC-25. */
export function targetDenial(target: Target | undefined, rules: TargetRules): TargetDenial | undefined {
  if (target === undefined) return 'url_invalid'
  if (rules.allowPrivate || isExempt(target, rules)) return undefined
  if (target.protocol !== 'https:') return 'scheme_not_allowed'
  const isUsual = target.port === 443 || target.port === 80 || target.port === 8443
  return isUsual || rules.allowedPorts?.includes(target.port) === true ? undefined : 'port_not_allowed'
}

export function isExempt({ hostname, port }: Target, { allowedTargets }: TargetRules): boolean {
  return allowedTargets?.includes(`${hostname}:${port}`) === true
}
