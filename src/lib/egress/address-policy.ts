import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

export interface AddressPolicy {
  /** @returns the name of the rule that forbids connecting there, or undefined */
  denial(address: string, port: number): AddressDenial | undefined
}

export type AddressDenial = 'private_address' | 'reserved_address' | 'own_listener'

export interface AddressPolicyOptions {
  /** Development switch: loopback and private ranges may be reached [OPS-25]. */
  readonly allowPrivate: boolean
  /** CIDR ranges the operator opened, e.g. `10.20.0.0/16` [SEC-24]. */
  readonly allowedRanges?: readonly string[]
  /** Where this installation itself listens, and the hosts of its stores; denied always. May grow until it is ready. */
  readonly ownListeners: readonly Listener[]
}

export interface Listener {
  readonly host: string
  readonly port: number
}

/** Decides which addresses may be connected to: global unicast only, by default. Source: security.md SEC-24. */
export function addressPolicy({ allowPrivate, allowedRanges = [], ownListeners }: AddressPolicyOptions): AddressPolicy {
  const opened = blockList(allowedRanges)
  return {
    denial(address, port) {
      if (isOwn(address, port, ownListeners)) return 'own_listener'
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (opened.check(address, family)) return undefined
      if (insideNetworks.check(address, family)) return allowPrivate ? undefined : 'private_address'
      if (family === 'ipv4') return reservedV4.check(address) ? 'reserved_address' : undefined
      return globalV6.check(address, family) && !reservedV6.check(address, family) ? undefined : 'reserved_address'
    },
  }
}

/** Loopback, private and unique-local networks: what the development switch opens. */
const insideNetworks = blockList([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
])

// A `BlockList` with IPv4 rules also matches their IPv4-mapped IPv6 form; all other forms of an IPv4 address inside an
// IPv6 one lie outside 2000::/3 or are named below.
const reservedV4 = blockList([
  '0.0.0.0/8', // this network, unspecified
  '100.64.0.0/10', // carrier NAT
  '168.63.129.16/32', // platform services of a large cloud, reachable from every machine in it
  '169.254.0.0/16', // link-local, cloud metadata
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
])

const globalV6 = blockList(['2000::/3'])
const reservedV6 = blockList([
  '2001::/23', // protocol assignments: Teredo, benchmarking, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
])

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', prefix = ''] = range.split('/')
    const family = isIP(network)
    if (family === 0 || !/^\d{1,3}$/.test(prefix)) throw new TypeError(`not a CIDR range: ${range}`)
    list.addSubnet(network, Number(prefix), family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

const loopback = blockList(['127.0.0.0/8', '::1/128', '0.0.0.0/32', '::/128'])

function isOwn(address: string, port: number, listeners: readonly Listener[]): boolean {
  return listeners.some((own) => own.port === port && (own.host === address || isThisMachine(address)))
}

function isThisMachine(address: string): boolean {
  if (loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return true
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address))
}
