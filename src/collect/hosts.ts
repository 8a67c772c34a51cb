import { isIP } from 'node:net'
import { registrableDomain } from '../lib/public-suffix.ts'
import type { EdgeConfig } from './edge-config.ts'

/** What the `Host` header of a call says. Source: spec/collection.md section 1. */
export interface HostFacts {
  /** Lower case, without port. */
  readonly name: string
  /** Left-most label; the empty string for an IP address. */
  readonly label: string
  /** Value of the `Domain` attribute of our cookies, or the empty string where browsers would drop it [COL-124]. */
  readonly cookieDomain: string
  /** Domain that alias and system hosts share; the whole name where there is no such thing. */
  readonly baseDomain: string
  /** `dpm`, `www`, regional hosts: they name no partner [COL-05], [COL-07]. */
  readonly isSystem: boolean
  /** Served at all: an alias that is listed, a system host, or any host while none is listed [COL-03]. */
  readonly isKnown: boolean
  /** The alias in answers, from which page libraries build the address of the sync iframe [COL-173]. */
  readonly subdomain: string
}

/** Hosts remembered; a client can send any number of names. */
const HOSTS_MAX = 1000

/** @returns a function that reads a `Host` header; it answers undefined where there is no usable one (100) [COL-04] */
export function hostReader(config: EdgeConfig): (header: string | undefined) => HostFacts | undefined {
  const aliases = new Set(config.aliases.map((alias) => alias.toLowerCase()))
  const systemHosts = new Set(config.systemHosts.map((host) => host.toLowerCase()))
  const known = new Map<string, HostFacts>()

  return (header) => {
    if (header === undefined) return undefined
    const found = known.get(header)
    if (found !== undefined) return found
    const name = hostName(header)
    if (name === undefined) return undefined
    const facts = factsOf(name, aliases, systemHosts, config)
    if (known.size >= HOSTS_MAX) known.clear()
    known.set(header, facts)
    return facts
  }
}

function factsOf(
  name: string,
  aliases: ReadonlySet<string>,
  systemHosts: ReadonlySet<string>,
  config: EdgeConfig,
): HostFacts {
  const isAddress = isIP(name.replace(/[[\]]/g, '')) !== 0
  const dot = name.indexOf('.')
  const label = isAddress ? '' : dot < 0 ? name : name.slice(0, dot)
  const isSystem = systemHosts.has(label)
  const baseDomain = isAddress ? name : baseDomainOf(name, config.collectionDomain?.toLowerCase())
  return {
    name,
    label,
    baseDomain,
    cookieDomain: isAddress || !mayShareCookies(baseDomain) ? '' : `.${baseDomain}`,
    isSystem,
    isKnown: isSystem || aliases.size === 0 || aliases.has(label),
    subdomain: label !== '' && !isSystem && dot > 0 ? label : (config.aliases[0] ?? ''),
  }
}

function baseDomainOf(name: string, configured: string | undefined): string {
  if (configured !== undefined && (name === configured || name.endsWith(`.${configured}`))) return configured
  const parent = name.slice(name.indexOf('.') + 1)
  const registrable = registrableDomain(name)
  // Without its first label only a public suffix may be left, which belongs to nobody: then the name stands alone.
  return registrable !== undefined && parent.length >= registrable.length ? parent : name
}

/** Browsers drop a cookie with a `Domain` that is a public suffix, has one label, or ends in a dot: each call a new visitor. */
function mayShareCookies(domain: string): boolean {
  return /^[^.]+(?:\.[^.]+)+$/.test(domain) && registrableDomain(domain) !== undefined
}

/** Letters, digits, `-`, `.`, `_` [COL-18], or an IPv6 address in brackets; a port is cut off. */
function hostName(header: string): string | undefined {
  const match = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?$/.exec(header)
  const name = match?.[1]?.toLowerCase()
  return name === undefined || name.startsWith('.') ? undefined : name
}
