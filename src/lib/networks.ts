import { BlockList, isIP, isIPv4 } from 'node:net'

/**
 * IP addresses and networks as an operator lists them: `10.0.0.5`, `10.0.0.0/8`, `2001:db8::/32`. IPv6 is compared as a
 * number, so any spelling fits; an IPv4-mapped address (`::ffff:10.0.0.5`) is the IPv4 address it holds, as entry and as
 * what is looked up; host bits that are set are taken as zero; a zone (`%eth0`) is cut off. Source: security.md SEC-98.
 */
export class Networks {
  readonly isEmpty: boolean
  // One list each: a list of Node's with IPv6 networks also answers for the IPv4 addresses that lie in them when mapped.
  private readonly v4 = new BlockList()
  private readonly v6 = new BlockList()

  /** @throws RangeError for what is neither an address nor a network, with the entry */
  constructor(entries: readonly string[]) {
    this.isEmpty = entries.length === 0
    for (const entry of entries) {
      const network = parseNetwork(entry)
      if (network === undefined) throw new RangeError(`not an address or network: ${entry}`)
      if (isIPv4(network.address)) this.v4.addSubnet(network.address, network.bits, 'ipv4')
      else this.v6.addSubnet(network.address, network.bits, 'ipv6')
    }
  }

  /** @param text an address in any spelling; what is none lies in no network */
  includes(text: string): boolean {
    if (this.isEmpty) return false
    const address = plainAddress(text)
    if (address === undefined) return false
    return isIPv4(address) ? this.v4.check(address, 'ipv4') : this.v6.check(address, 'ipv6')
  }
}

export interface Network {
  readonly address: string
  /** Leading bits that count. */
  readonly bits: number
}

const MAPPED_BITS = 96

/** An address, or one with the number of leading bits behind a slash; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/')
  const given = slash < 0 ? text : text.slice(0, slash)
  const address = plainAddress(given)
  if (address === undefined) return undefined
  const bitsMax = isIPv4(withoutZone(given)) ? 32 : 128
  const prefix = slash < 0 ? String(bitsMax) : text.slice(slash + 1)
  const bits = /^(?:0|[1-9][0-9]{0,2})$/.test(prefix) ? Number(prefix) : Number.POSITIVE_INFINITY
  if (bits > bitsMax) return undefined
  if (bitsMax === 32 || !isIPv4(address)) return { address, bits }
  // A shorter prefix than that of all mapped addresses is a network of IPv6.
  return bits >= MAPPED_BITS ? { address, bits: bits - MAPPED_BITS } : { address: withoutZone(given), bits }
}

/** The address without a zone, and as IPv4 where it is one mapped into IPv6; undefined for what is no address. */
export function plainAddress(text: string): string | undefined {
  const address = withoutZone(text)
  const version = isIP(address)
  if (version !== 6) return version === 0 ? undefined : address
  const groups = groupsOf(address)
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) return address
  const [high = 0, low = 0] = groups.slice(6)
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
}

function withoutZone(text: string): string {
  const zone = text.indexOf('%')
  return zone > 0 && text.includes(':') ? text.slice(0, zone) : text
}

/** The eight groups of an IPv6 address; an IPv4 tail stands for the last two. */
export function groupsOf(address: string): number[] {
  const [left = '', right] = withoutZone(address).split('::')
  const before = splitGroups(left)
  const after = splitGroups(right ?? '')
  return [...before, ...new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after]
}

function splitGroups(text: string): number[] {
  return text
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (!group.includes('.')) return [Number.parseInt(group, 16)]
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
      return [(a << 8) | b, (c << 8) | d]
    })
}
