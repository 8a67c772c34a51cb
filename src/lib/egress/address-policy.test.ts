import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { addressPolicy, type Listener } from './address-policy.ts'

const byDefault = addressPolicy({ allowPrivate: false, ownListeners: [] })
const inDevelopment = addressPolicy({ allowPrivate: true, ownListeners: [] })

const inside = [
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '::1',
  'fc00::1',
  'fd12:3456::1',
  '::ffff:127.0.0.1',
  '::ffff:10.1.2.3',
  '::ffff:a01:203',
]

const reserved = [
  '0.0.0.0',
  '0.1.2.3',
  '100.64.0.1',
  '100.127.255.255',
  '168.63.129.16',
  '169.254.169.254',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::ffff:169.254.169.254',
  '::ffff:224.0.0.1',
  '::7f00:1', // IPv4-compatible
  '64:ff9b::7f00:1', // NAT64
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1', // discard
  '2001::1', // Teredo
  '2001:2::1', // benchmarking
  '2001:10::1', // ORCHID
  '2001:db8::1',
  '2002:7f00:1::1', // 6to4
  '3fff::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '4000::1',
]

const global = [
  '1.1.1.1',
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '192.0.1.1',
  '198.20.0.1',
  '2606:4700::1111',
  '2a00:1450::1',
]

test.each(inside)('%s is inside: denied, unless the development switch is on [SEC-24] [OPS-25]', (address) => {
  expect(byDefault.denial(address, 443)).toBe('private_address')
  expect(inDevelopment.denial(address, 443)).toBeUndefined()
})

test.each(reserved)('%s is reserved: denied always [SEC-24]', (address) => {
  expect(byDefault.denial(address, 443)).toBe('reserved_address')
  expect(inDevelopment.denial(address, 443)).toBe('reserved_address')
})

test.each(global)('%s is global unicast: allowed [SEC-24]', (address) => {
  expect(byDefault.denial(address, 443)).toBeUndefined()
})

test('an operator opens a range by CIDR, and only that range [SEC-24]', () => {
  const policy = addressPolicy({
    allowPrivate: false,
    allowedRanges: ['10.20.0.0/16', 'fd00:1::/32'],
    ownListeners: [],
  })
  expect(policy.denial('10.20.255.1', 443)).toBeUndefined()
  expect(policy.denial('10.21.0.1', 443)).toBe('private_address')
  expect(policy.denial('fd00:1::5', 443)).toBeUndefined()
  expect(policy.denial('fd00:2::5', 443)).toBe('private_address')
  expect(() => addressPolicy({ allowPrivate: false, allowedRanges: ['10.20.0.0'], ownListeners: [] })).toThrow(
    TypeError,
  )
})

test('our own listeners and stores are denied on every address of this machine, also in development [SEC-24]', () => {
  const policy = addressPolicy({
    allowPrivate: true,
    ownListeners: [
      { host: '0.0.0.0', port: 8081 },
      { host: '10.9.8.7', port: 6379 },
    ],
  })
  const ours = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address))
  for (const address of ['127.0.0.1', '127.0.0.2', '::1', ...ours])
    expect(policy.denial(address, 8081)).toBe('own_listener')
  expect(policy.denial('127.0.0.1', 9000)).toBeUndefined()
  expect(policy.denial('10.9.8.7', 6379)).toBe('own_listener')
  expect(policy.denial('10.9.8.6', 6379)).toBeUndefined()
})

test('a listener that opens later, on a port the system picked, is denied from then on [SEC-24]', () => {
  const ownListeners: Listener[] = []
  const policy = addressPolicy({ allowPrivate: true, ownListeners })
  expect(policy.denial('127.0.0.1', 21_000)).toBeUndefined()
  ownListeners.push({ host: '127.0.0.1', port: 21_000 })
  expect(policy.denial('127.0.0.1', 21_000)).toBe('own_listener')
})
