import { expect, test } from 'vitest'
import { DeviceKeys, deviceSignals } from './device-keys.ts'
import { sendCall, startTestEdge } from './test-edge.conformance.ts'

const SAMPLE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 5_0 like Mac OS X) AppleWebKit/534.46 (KHTML, like Gecko) Version/5.1 Mobile/9A334 Safari/7534.48.3'
const claims = (userAgent: string, more: object = {}) => ({
  ...{ userAgent, platform: '', platformVersion: '', model: '', mobile: '' },
  ...more,
})
const keysOf = (userAgent: string, more: object = {}) =>
  Object.fromEntries(
    deviceSignals(claims(userAgent, more)).map(([key, value]) => [key.replace('d_device_', ''), value]),
  )

test('the documented sample gives exactly the documented values [COL-212], [COL-216], [AUD-18]', () => {
  expect(deviceSignals(claims(SAMPLE))).toEqual([
    ['d_device_vendor', 'apple'],
    ['d_device_hardware_type', 'mobile phone'],
    ['d_device_os_version', '5_0'],
    ['d_device_os_name', 'ios'],
    ['d_device_model', 'iphone'],
    ['d_device_marketing_name', 'iphone'],
    ['d_device_manufacturer', 'apple'],
  ])
})

test.each([
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    'windows 10',
    '10.0',
    'desktop',
  ],
  ['Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko', 'windows 7', '6.1', 'desktop'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
    'os x',
    '10_15_7',
    'desktop',
  ],
  [
    'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0',
    'linux - ubuntu',
    undefined,
    'desktop',
  ],
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    'linux',
    undefined,
    'desktop',
  ],
  [
    'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    'chrome os',
    '14541.0.0',
    'desktop',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1',
    'ios',
    '12_5_7',
    'tablet',
  ],
  [
    'Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/6.0 TV Safari/537.36',
    'tizen',
    '6.0',
    'tv',
  ],
  [
    'Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko)',
    'other',
    undefined,
    'games console',
  ],
  ['Mozilla/5.0 (Mobile; rv:48.0) Gecko/48.0 Firefox/48.0', 'firefox os', undefined, 'mobile phone'],
  [
    'Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.0.9.2372 Mobile Safari/537.10+',
    'rim',
    '10.0.9.2372',
    'mobile phone',
  ],
  [
    'Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0 Mobile Safari/537.36 Edge/15',
    'windows phone',
    '10.0',
    'mobile phone',
  ],
  ['curl/8.5.0', 'other', undefined, undefined],
])('%s: %s, %s, %s [COL-214~], [COL-215~], [COL-216]', (userAgent, name, version, hardware) => {
  expect(keysOf(userAgent)).toMatchObject({ os_name: name })
  const { os_version, hardware_type } = keysOf(userAgent)
  expect([os_version, hardware_type]).toEqual([version, hardware])
})

const android = (parts: string, rest = 'Mobile Safari/537.36') =>
  `Mozilla/5.0 (Linux; Android ${parts}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 ${rest}`

test.each([
  ['9; SM-G960F', { vendor: 'samsung', manufacturer: 'samsung', model: 'sm-g960f', hardware_type: 'mobile phone' }],
  ['7.0; SAMSUNG SM-G950F Build/NRD90M', { vendor: 'samsung', model: 'sm-g950f', os_version: '7.0' }],
  ['14; Pixel 8 Pro', { vendor: 'google', model: 'pixel 8 pro', marketing_name: 'pixel 8 pro' }],
  ['4.4.2; de-de; LG-D855 Build/KVT49L', { vendor: 'lg', model: 'lg-d855' }],
  ['10; moto g(7) plus', { vendor: 'motorola' }],
  ['11; Redmi Note 8', { vendor: 'xiaomi', marketing_name: 'redmi note 8' }],
])('Android %s: %j [COL-212]', (parts, expected) => {
  expect(keysOf(android(parts))).toMatchObject({ os_name: 'android', ...expected })
})

test('a tablet is an Android that does not say Mobile; a reduced text names no model [COL-213], [COL-214~], [AUD-18]', () => {
  expect(keysOf(android('13; SM-X700', 'Safari/537.36'))).toMatchObject({ hardware_type: 'tablet', vendor: 'samsung' })
  expect(keysOf(android('10; K'))).toEqual({ hardware_type: 'mobile phone', os_version: '10', os_name: 'android' })
})

test('client hints know better than a reduced text [COL-217], [AUD-19]', () => {
  const pixel = { platform: 'Android', platformVersion: '15.0.0', model: 'Pixel 9', mobile: '?1' }
  expect(keysOf(android('10; K'), pixel)).toEqual({
    ...{ vendor: 'google', manufacturer: 'google', model: 'pixel 9', marketing_name: 'pixel 9' },
    ...{ hardware_type: 'mobile phone', os_name: 'android', os_version: '15.0.0' },
  })
  const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36'
  const version = (platformVersion: string) => keysOf(windows, { platform: 'Windows', platformVersion }).os_name
  expect([version('10.0.0'), version('15.0.0')]).toEqual(['windows 10', 'windows'])
  expect(keysOf('', { platform: 'macOS', mobile: '?0' })).toEqual({ os_name: 'os x', hardware_type: 'desktop' })
})

test('the edge adds them to every event, over what the page says under these keys, and to nothing else [COL-212]', async () => {
  await using edge = await startTestEdge()
  const headers = { 'user-agent': SAMPLE, 'sec-ch-ua-model': '"iPhone"', host: 'yourcompany.demdex.net' }
  await sendCall(edge.port, '/event?d_device_vendor=mine&c_a=1', { headers })
  expect(edge.calls[0]?.signals.all('d_device_vendor')).toEqual(['apple'])
  expect(edge.calls[0]?.signals.first('d_device_os_version')).toBe('5_0')
  await sendCall(edge.port, '/event?d_device_vendor=mine', { headers: { host: 'yourcompany.demdex.net' } })
  expect(edge.calls[1]?.signals.all('d_device_vendor')).toEqual(['mine'])
  await sendCall(edge.port, '/ibs:dpid=2&dpuuid=x', { headers })
  expect(edge.calls[2]?.signals.names).toEqual([])
})

test('2,000 browsers are remembered, of long texts the first 512 characters are read', () => {
  const keys = new DeviceKeys()
  for (let i = 0; i < 2_010; i++) keys.of({ 'user-agent': `browser ${i}` })
  expect(keys.size).toBe(2_000)
  const first = keys.of({ 'user-agent': SAMPLE })
  expect(keys.of({ 'user-agent': SAMPLE })).toBe(first)
  const long = (length: number) => Object.fromEntries(keys.of({ 'user-agent': `${'x'.repeat(length)}iPhone` }))
  expect(long(506)).toMatchObject({ d_device_os_name: 'ios' })
  expect(long(507)).toEqual({ d_device_os_name: 'other' })
  expect(keys.of({})).toEqual([])
})
