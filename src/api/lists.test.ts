import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, TEST_TOKEN, type TestAdmin } from '../testkit/start-test-admin.ts'

const COUNT = 1_203
let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin({ config: { requestsPerSecond: 10_000 } })
  const { dataSourceId } = await server.catalog.dataSources.get(1_000)
  for (let i = 0; i < COUNT; i++) {
    await server.catalog.traits.create(
      {
        traitId: undefined,
        // Names in an order that is not that of the ids, upper and lower case mixed.
        name: `${i % 2 === 0 ? 'Trait' : 'trait'} ${String((i * 7) % COUNT).padStart(4, '0')}`,
        description: undefined,
        comments: i === 5 ? '100%_sure' : undefined,
        integrationCode: undefined,
        dataSourceId,
        folderId: 0,
        traitType: 'ON_BOARDED_TRAIT',
        traitRule: undefined,
        ttlDays: i % 3,
        status: 'ACTIVE',
        eventTypeId: undefined,
        categoryId: undefined,
      },
      0,
    )
  }
})
afterAll(() => server[Symbol.asyncDispose]())

const list = async (query: string) => (await server.call('GET', `/v1/traits?${query}`)).body

test('without page and pageSize everything comes as a bare array, in the order of ids [API-24], [SEC-69]', async () => {
  const all = await list('')
  expect(all).toHaveLength(COUNT)
  expect(all[0].sid).toBe(100_000)
  expect(all.at(-1).sid).toBe(100_000 + COUNT - 1)
})

test('an unpaged list is streamed in pieces, not sent whole [API-24]', async () => {
  const chunks = await new Promise<number>((resolve, reject) => {
    let count = 0
    request(`${server.admin.url}/v1/traits`, { headers: { authorization: `Bearer ${TEST_TOKEN}` } }, (response) => {
      expect(response.headers['transfer-encoding']).toBe('chunked')
      response.on('data', () => count++)
      response.on('end', () => resolve(count))
    })
      .on('error', reject)
      .end()
  })
  expect(chunks).toBeGreaterThan(2)
})

test('pages are counted from 0 and hold 10 by default [API-15], [API-16], [API-24]', async () => {
  const first = await list('page=0')
  expect(first).toMatchObject({ total: COUNT, page: 0, pageSize: 10 })
  expect(first.list.map((trait: { sid: number }) => trait.sid)).toEqual(
    Array.from({ length: 10 }, (_, i) => 100_000 + i),
  )
  const second = await list('pageSize=5&page=1')
  expect(second.list.map((trait: { sid: number }) => trait.sid)).toEqual([100_005, 100_006, 100_007, 100_008, 100_009])
  expect((await list('page=100000')).list).toEqual([])
  expect((await list('pageSize=1000')).list).toHaveLength(1_000)
})

test.each(['', '&descending=true', '&descending=false'])(
  'sorted by name%s, a stream and its pages hold the same objects once each [API-17], [API-18]',
  async (order) => {
    const streamed = await list(`sortBy=name${order}`)
    const names = streamed.map((trait: { name: string }) => trait.name.toLowerCase())
    const expected = [...names].sort()
    expect(names).toEqual(order === '&descending=true' ? expected.reverse() : expected)
    const paged = []
    for (let page = 0; page < 3; page++)
      paged.push(...(await list(`sortBy=name${order}&pageSize=500&page=${page}`)).list)
    expect(paged).toEqual(streamed)
    expect(new Set(streamed.map((trait: { sid: number }) => trait.sid)).size).toBe(COUNT)
  },
)

test('a stream over many equal sort keys loses and repeats nothing [API-24]', async () => {
  const streamed = await list('sortBy=ttl&descending=true&includeDetails=true')
  expect(new Set(streamed.map((trait: { sid: number }) => trait.sid)).size).toBe(COUNT)
  expect(streamed.map((trait: { ttl: number }) => trait.ttl)).toEqual(
    streamed.map((trait: { ttl: number }) => trait.ttl).sort((a: number, b: number) => b - a),
  )
})

test('search finds part of any value, signs of patterns taken as they are [API-19]', async () => {
  expect((await list('search=TRAIT%200007')).map((trait: { name: string }) => trait.name)).toEqual(['trait 0007'])
  expect(await list('search=100%25_SURE')).toHaveLength(1)
  expect(await list('search=0%25_sure')).toHaveLength(1)
  expect(await list('search=%25')).toHaveLength(1)
  expect((await list('search=100005')).map((trait: { sid: number }) => trait.sid)).toEqual([100_005])
})

test.each([
  ['pageSize=1001', 'pageSize'],
  ['pageSize=0', 'pageSize'],
  ['page=-1', 'page'],
  ['page=x', 'page'],
  ['sortBy=data_source_id', 'sortBy'],
  ['descending=maybe', 'descending'],
  ['restrictType=ANY', 'restrictType.0'],
])('%s is refused naming %s [SEC-69]', async (query, field) => {
  const answer = await server.call('GET', `/v1/traits?${query}`)
  expect([answer.status, answer.body.details[0].field]).toEqual([400, field])
})

test('an unknown parameter is ignored on a compatible list [API-37]', async () => {
  expect((await list('pageSize=1&includePermissions=true&whatever=1')).list).toHaveLength(1)
})
