import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeMmdb } from '../testkit/make-mmdb.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server behind a proxy on this machine, which hands over the visitor's address. */
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-countries-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const start = (env: Record<string, string> = {}) =>
  startWholeServer(mkdtempSync(join(folder, 'data-')), { env: { USHER_EDGE_TRUSTED_PROXIES: '127.0.0.1', ...env } })
type Server = Awaited<ReturnType<typeof start>>
type EventAnswer = { uuid?: string; stuff: unknown[]; errors?: { code: number }[] }

async function call(usher: Server, address: string, query = 'a=1'): Promise<EventAnswer> {
  const headers: Record<string, string> = address === '' ? {} : { 'x-forwarded-for': address }
  const response = await fetch(`${usher.edgeUrl}/event?d_rtbd=json&${query}`, { headers })
  return (await response.json()) as EventAnswer
}
const codes = async (usher: Server, address: string) =>
  (await call(usher, address)).errors?.map((error) => error.code) ?? []

test('a fresh server refuses the countries of the list with 199, and nobody else [COL-121], [COL-112]', async () => {
  await using usher = await start()
  for (const address of ['175.45.176.1', '151.232.0.9', '::ffff:175.45.176.1']) {
    expect(await codes(usher, address)).toEqual([199])
  }
  for (const address of ['8.8.8.8', '81.2.69.142', '']) expect(await codes(usher, address)).toEqual([])
})

test('blocked countries give 198, and where only some are allowed all others do [COL-122]', async () => {
  await using usher = await start({ USHER_EDGE_BLOCKED_COUNTRIES: 'UK', USHER_EDGE_FORBIDDEN_COUNTRIES: '' })
  expect(await codes(usher, '81.2.69.142')).toEqual([198])
  expect(await codes(usher, '175.45.176.1')).toEqual([])
  await using only = await start({ USHER_EDGE_ONLY_COUNTRIES: 'US' })
  expect(await codes(only, '81.2.69.142')).toEqual([198])
  expect(await codes(only, '8.8.8.8')).toEqual([])
})

test("rules see where a visitor is, by the operator's own table, whatever the page says [COL-203~], [COL-209], [AUD-15~]", async () => {
  const geoFile = join(folder, 'own.mmdb')
  const bonn = { country: { iso_code: 'DE' }, city: { names: { en: 'Bonn' } } }
  writeFileSync(geoFile, makeMmdb({ '203.0.113.0/24': bonn, '198.51.100.0/24': { country: { iso_code: 'KP' } } }))
  await using usher = await start({ USHER_EDGE_GEO_FILE: geoFile })
  const source = await usher.api<{ dataSourceId: number }>('POST', '/v1/datasources', { name: 'rules' })
  const trait = (traitRule: string) =>
    usher.api<{ sid: number }>('POST', '/v1/traits', {
      ...{ name: traitRule, traitRule, traitType: 'RULE_BASED_TRAIT', folderId: 0 },
      dataSourceId: source.dataSourceId,
    })
  const german = await trait('d_country == "DE" AND d_city = bonn')
  const claimed = await trait('d_city == Paris')

  // A new rule is in force a moment later.
  const traitsOf = async (address: string, query: string) => {
    for (let tries = 0; tries < 200; tries++) {
      const { uuid } = await call(usher, address, query)
      const { traits } = await usher.api<{ traits: { sid: number }[] }>('GET', `/v1/profiles/${uuid}`)
      if (traits.length > 0) return traits.map(({ sid }) => sid)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return []
  }
  expect(await traitsOf('203.0.113.7', 'd_city=Paris')).toEqual([german.sid])
  expect(await traitsOf('192.0.2.7', 'd_city=Paris')).toEqual([claimed.sid])
  expect(await codes(usher, '198.51.100.3')).toEqual([199])
  // The bundled table is not asked any more.
  expect(await codes(usher, '175.45.176.1')).toEqual([])
})

test('a table that cannot be used stops the start with the name of the setting', async () => {
  const none = join(folder, 'none.mmdb')
  await expect(start({ USHER_EDGE_GEO_FILE: none })).rejects.toThrow(`edge.geoFile (USHER_EDGE_GEO_FILE): ${none}`)
})
