import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../config.ts'
import { silentLog } from '../lib/log.ts'
import { makeMmdb } from '../testkit/make-mmdb.ts'
import { openPlaces } from './places.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-places-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const open = (geoFile?: string) => openPlaces({ geoFile }, silentLog)
const written = (bytes: Buffer | string) => {
  const path = join(folder, 'places.mmdb')
  writeFileSync(path, bytes)
  return path
}

test('the bundled table knows the countries of IPv4 and IPv6 addresses whose end was dropped [COL-203~], [COL-211]', async () => {
  const places = await open()
  const countryOf = (address: string) => places.of(address)?.country
  expect(['175.45.176.0', '151.232.0.0', '8.8.8.0', '81.2.69.0'].map(countryOf)).toEqual(['KP', 'IR', 'US', 'GB'])
  expect(countryOf('2a00:1450:4001::')).toMatch(/^[A-Z]{2}$/)
  for (const address of ['127.0.0.1', '10.0.0.0', '', 'nonsense']) expect(places.of(address)).toBe(undefined)
})

test('a country comes in lower case, and the United Kingdom as uk and gb [COL-204], [COL-205]', async () => {
  const places = await open()
  expect(places.of('175.45.176.0')?.signals).toEqual([['d_country', 'kp']])
  expect(places.of('81.2.69.0')?.signals).toEqual([
    ['d_country', 'gb'],
    ['d_country', 'uk'],
  ])
})

test.each([24, 28, 32] as const)(
  'a city table of the operator (records of %i bits) gives the geo keys in their order [COL-203~], [COL-208], [AUD-15~]',
  async (recordSize) => {
    const record = {
      city: { names: { de: 'Mailand', en: 'New York' } },
      country: { iso_code: 'US' },
      location: { latitude: 40.7500001, longitude: -73.98, metro_code: 501 },
      postal: { code: '10022' },
      subdivisions: [{ iso_code: 'NY' }],
      isp: 'Example Net',
    }
    const places = await open(written(makeMmdb({ '203.0.113.0/24': record }, recordSize)))
    expect(places.of('203.0.113.0')).toEqual({
      country: 'US',
      signals: [
        ['d_country', 'us'],
        ['d_city', 'New York'],
        ['d_region', 'ny'],
        ['d_state', 'ny'],
        ['d_dma_code', '501'],
        ['d_postal_code', '10022'],
        ['d_lat', '40.75'],
        ['d_long', '-73.98'],
        ['d_isp', 'Example Net'],
      ],
    })
    expect(places.of('203.0.114.0')).toBe(undefined)
  },
)

test('a flat record is read as well, and what is missing is left out [COL-203~]', async () => {
  const flat = { country_code: 'DE', city: 'Bonn', postcode: '53111', latitude: '50.73', longitude: '7.1' }
  const places = await open(written(makeMmdb({ '198.51.100.0/24': flat, '203.0.113.0/25': { country_code: 'CW' } })))
  expect(places.of('198.51.100.7')?.signals).toEqual([
    ['d_country', 'de'],
    ['d_city', 'Bonn'],
    ['d_postal_code', '53111'],
    ['d_lat', '50.73'],
    ['d_long', '7.1'],
  ])
  expect(places.of('203.0.113.1')).toEqual({ country: 'CW', signals: [['d_country', 'cw']] })
})

test('a file that is missing, no table, damaged or without countries stops the start with the name of the setting', async () => {
  const sound = makeMmdb({ '203.0.113.0/24': { country_code: 'DE' } })
  const broken = Buffer.from(sound)
  // The first node of the tree leads to a record behind the end of the file.
  broken.writeUIntBE(0xfffffe, 0, 3)
  const unreadable = Buffer.from(sound)
  // The type of the record becomes one that does not exist.
  unreadable[unreadable.indexOf('country_code') - 2] = 0
  const paths: [string, string][] = [
    [join(folder, 'none.mmdb'), 'cannot be read: ENOENT'],
    [folder, 'cannot be read: EISDIR'],
  ]
  for (const [path, reason] of paths) await expectRefused(path, reason)
  await expectRefused(written(''), 'is no MaxMind DB file, or not a whole one')
  await expectRefused(written('GeoIP,US\n'), 'is no MaxMind DB file, or not a whole one')
  await expectRefused(written(sound.subarray(0, sound.length - 40)), 'is no MaxMind DB file, or not a whole one')
  await expectRefused(written(sound.subarray(200)), 'is damaged')
  await expectRefused(written(broken), 'is damaged')
  await expectRefused(written(unreadable), 'is damaged: a record cannot be read')
  await expectRefused(written(makeMmdb({ '203.0.113.0/24': { isp: 'Example Net' } })), 'names no countries')
})

async function expectRefused(path: string, reason: string): Promise<void> {
  const refused = open(path)
  await expect(refused).rejects.toThrow(ConfigError)
  await expect(refused).rejects.toThrow(`edge.geoFile (USHER_EDGE_GEO_FILE): ${path} ${reason}`)
}

test('countries that do not exist are refused, UK is the United Kingdom [AUD-17~], [COL-122]', () => {
  const load = (list: string) => loadConfig({ env: { USHER_EDGE_BLOCKED_COUNTRIES: list } })
  expect(load('UK,DE').edge.blockedCountries).toEqual(['UK', 'DE'])
  for (const code of ['XX', 'EU', 'AN', 'de']) expect(() => load(code)).toThrow('edge.blockedCountries')
  expect(() => load('XX')).toThrow('"XX", is no country of ISO 3166-1')
})
