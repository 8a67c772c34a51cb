import { expect, test } from 'vitest'
import { Networks } from './networks.ts'

test.each([
  ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['11.0.0.0', '9.255.255.255', '::10.0.0.1']],
  ['10.1.2.3/8', ['10.9.9.9'], ['11.0.0.1']], // Host bits are taken as zero.
  ['192.0.2.7', ['192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:192.0.2.7'], ['192.0.2.8', '64:ff9b::c000:207']],
  ['192.0.2.7/32', ['192.0.2.7'], ['192.0.2.6']],
  ['0.0.0.0/0', ['1.2.3.4', '::ffff:1.2.3.4'], ['::1', '2001:db8::1']],
  ['::ffff:10.0.0.5', ['10.0.0.5', '::ffff:a00:5'], ['10.0.0.6']],
  ['::ffff:10.0.0.0/104', ['10.200.0.1', '::ffff:10.200.0.1'], ['11.0.0.1', '2001:db8::1']],
  ['::ffff:0:0/96', ['1.2.3.4'], ['::1']],
  ['2001:DB8::/32', ['2001:db8:0:0:0:0:0:1', '2001:0db8:ffff::1'], ['2001:db9::1', '32.1.13.184']],
  ['2001:db8:1::5/33', ['2001:db8:7fff::1'], ['2001:db8:8000::1']],
  ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
  ['fe80::1%eth0', ['fe80::1', 'fe80::1%lo'], ['fe80::2']],
  ['::1', ['0:0:0:0:0:0:0:1'], ['127.0.0.1', '::2']],
  ['::/0', ['2001:db8::1', '::1'], ['10.0.0.1', '::ffff:10.0.0.1']],
])('%s holds %j, and not %j [SEC-98]', (network, inside, outside) => {
  const networks = new Networks([network])
  expect(inside.filter((address) => !networks.includes(address))).toEqual([])
  expect(outside.filter((address) => networks.includes(address))).toEqual([])
})

test('no entry holds nothing, several hold what any holds, and what is no address lies in none [SEC-98]', () => {
  expect(new Networks([]).includes('10.0.0.1')).toBe(false)
  const several = new Networks(['10.0.0.0/8', '::1'])
  expect(
    ['10.1.1.1', '::1', '11.0.0.1', '', 'text', '10.0.0.1:80', '10.0.0'].map((one) => several.includes(one)),
  ).toEqual([true, true, false, false, false, false, false])
})

test.each([
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0.0/08',
  '10.0.0.0/0x8',
  '10.0.0.0/1e1',
  '10.0.0.0/ 8',
  '10.0.0.0/255.0.0.0',
  '10.0.0.0/x',
  '10.0.0.',
  '010.0.0.1',
  '10.0.0.1%eth0',
  '::1/129',
  '::ffff:10.0.0.0/129',
  '[::1]',
  '[2001:db8::]/32',
  'proxy.example',
  ' 10.0.0.1',
  '10.0.0.1:80',
  '*',
  '',
])('%j is no network [SEC-98]', (entry) => {
  expect(() => new Networks(['10.0.0.0/8', entry])).toThrow(`not an address or network: ${entry}`)
})
