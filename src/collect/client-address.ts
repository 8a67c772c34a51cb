import { isIPv4, isIPv6 } from 'node:net'
import { groupsOf, Networks, plainAddress } from '../lib/networks.ts'
import { splitElements, unquoted, valueIn } from './forwarded.ts'

/** Networks whose forwarding header is believed [SEC-09], [SEC-98]. */
export class TrustedProxies extends Networks {}

/**
 * The address of the visitor [COL-141]: the peer, unless it is a trusted proxy. Then the hops are walked from right to
 * left; the first that is not a trusted proxy is the client, because entries left of it are written by the client.
 * @param forwarded value of the configured header, lines joined by commas
 */
export function clientAddress(peer: string, forwarded: string | undefined, trusted: TrustedProxies): string {
  const direct = plainAddress(peer) ?? peer
  if (forwarded === undefined || !trusted.includes(direct)) return direct
  let last = direct
  const hops = splitElements(forwarded)
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
  const hops = splitElements(forwarded)
  let seen: string | undefined = plainAddress(peer) ?? peer
  while (seen !== undefined && trusted.includes(seen)) seen = hopAddress(hops.pop() ?? '')
  const handedOver = hops.pop()
  return seen === undefined || handedOver === undefined ? undefined : hopAddress(handedOver)
}

/** `ip`, `ip:port`, `[ipv6]:port`, or the `for=` of an element of the `Forwarded` header. */
function hopAddress(entry: string): string | undefined {
  const text = entry.includes('=') ? valueIn(entry, 'for') : unquoted(entry)
  if (text === undefined) return undefined
  const bracketed = /^\[([^\]]+)\](?::[0-9]{1,5})?$/.exec(text)?.[1]
  if (bracketed !== undefined) return bracketed.includes(':') ? plainAddress(bracketed) : undefined
  const colon = text.indexOf(':')
  if (colon > 0 && isIPv4(text.slice(0, colon)))
    return /^[0-9]{1,5}$/.test(text.slice(colon + 1)) ? text.slice(0, colon) : undefined
  return plainAddress(text)
}

/** Drops the last octet of an IPv4 address, the last 80 bits of an IPv6 address [COL-219], [COL-211], [SEC-83]. */
export function obfuscated(address: string): string {
  const dot = address.lastIndexOf('.')
  if (dot > 0 && !address.includes(':')) return `${address.slice(0, dot)}.0`
  if (!isIPv6(address)) return ''
  const network = groupsOf(address).slice(0, 3)
  return `${network.map((group) => group.toString(16)).join(':')}::`
}
