import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { parseWholeNumber } from '../lib/whole-number.ts'

/** Networks whose forwarding header is believed [SEC-09]. */
export class TrustedProxies {
  readonly isEmpty: boolean
  private readonly networks = new BlockList()

  /** @throws RangeError for what is neither an address nor a network in CIDR form */
  constructor(cidrs: readonly string[]) {
    this.isEmpty = cidrs.length === 0
    for (const cidr of cidrs) this.add(cidr)
  }

  includes(address: string): boolean {
    if (this.isEmpty) return false
    const version = isIP(address)
    return version !== 0 && this.networks.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }

  private add(cidr: string): void {
    const slash = cidr.indexOf('/')
    const address = slash < 0 ? cidr : cidr.slice(0, slash)
    const version = isIP(address)
    const bits = slash < 0 ? (version === 4 ? 32 : 128) : (parseWholeNumber(cidr.slice(slash + 1)) ?? -1)
    if (version === 0 || bits < 0 || bits > (version === 4 ? 32 : 128)) {
      throw new RangeError(`not a network: ${cidr}`)
    }
    this.networks.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/**
 * The address of the visitor [COL-141]: the peer, unless it is a trusted proxy. Then the hops are walked from right to
 * left; the first that is not a trusted proxy is the client, because entries left of it are written by the client.
 * @param forwarded value of the configured header, lines joined by commas
 */
export function clientAddress(peer: string, forwarded: string | undefined, trusted: TrustedProxies): string {
  const direct = unmapped(peer)
  if (forwarded === undefined || !trusted.includes(direct)) return direct
  let last = direct
  const hops = forwarded.split(',')
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = hopAddress(hops[i] as string)
    if (hop === undefined) return last
    last = hop
    if (!trusted.includes(hop)) return hop
  }
  return last
}

/**
 * The address that the client itself handed over: the entry left of the one it was seen under, behind any trusted
 * proxies. Believed of listed callers only [COL-264].
 * @returns undefined where it handed over none, or something that is no address
 */
export function handedOverAddress(
  peer: string,
  forwarded: string | undefined,
  trusted: TrustedProxies,
): string | undefined {
  if (forwarded === undefined) return undefined
  const hops = forwarded.split(',')
  let seen: string | undefined = unmapped(peer)
  while (seen !== undefined && trusted.includes(seen)) seen = hopAddress(hops.pop() ?? '')
  const handedOver = hops.pop()
  return seen === undefined || handedOver === undefined ? undefined : hopAddress(handedOver)
}

/** `ip`, `ip:port`, `[ipv6]:port`, or the `for=` element of the `Forwarded` header. */
function hopAddress(entry: string): string | undefined {
  let text = entry.trim()
  const element = /(?:^|;)\s*for=([^;]*)/i.exec(text)
  if (element !== null) text = (element[1] as string).trim()
  if (text.startsWith('"') && text.endsWith('"')) text = text.slice(1, -1)
  if (text.startsWith('[')) {
    const end = text.indexOf(']')
    const address = text.slice(1, end)
    return end > 0 && /^(?::[0-9]{1,5})?$/.test(text.slice(end + 1)) && isIPv6(address) ? unmapped(address) : undefined
  }
  const colon = text.indexOf(':')
  if (colon > 0 && isIPv4(text.slice(0, colon)) && /^[0-9]{1,5}$/.test(text.slice(colon + 1)))
    return text.slice(0, colon)
  return isIP(text) === 0 ? undefined : unmapped(text)
}

/** `::ffff:192.0.2.1` is an IPv4 address to everyone behind us. */
function unmapped(address: string): string {
  if (address.length > 7 && address.slice(0, 7).toLowerCase() === '::ffff:' && isIPv4(address.slice(7))) {
    return address.slice(7)
  }
  return address
}

/** Drops the last octet of an IPv4 address, the last 80 bits of an IPv6 address [COL-219], [COL-211], [SEC-83]. */
export function obfuscated(address: string): string {
  const dot = address.lastIndexOf('.')
  if (dot > 0 && !address.includes(':')) return `${address.slice(0, dot)}.0`
  if (!isIPv6(address)) return ''
  return `${firstGroups(address, 3).join(':')}::`
}

/** The first groups of an IPv6 address, with `::` filled up. */
function firstGroups(address: string, count: number): string[] {
  const withoutZone = address.split('%')[0] as string
  const gap = withoutZone.indexOf('::')
  const left = (gap < 0 ? withoutZone : withoutZone.slice(0, gap)).split(':').filter((group) => group !== '')
  const right =
    gap < 0
      ? []
      : withoutZone
          .slice(gap + 2)
          .split(':')
          .filter((group) => group !== '')
  // An IPv4 tail stands for two groups.
  const length = left.length + right.length + (withoutZone.includes('.') ? 1 : 0)
  const zeros = gap < 0 ? [] : new Array<string>(8 - length).fill('0')
  return [...left, ...zeros, ...right].slice(0, count).map((group) => Number.parseInt(group, 16).toString(16))
}
