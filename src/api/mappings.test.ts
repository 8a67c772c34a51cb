import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, TEST_NOW_MS, type TestAdmin } from '../testkit/start-test-admin.ts'

let server: TestAdmin
let dataSourceId: number
let trait: number
beforeAll(async () => {
  server = await startTestAdmin()
  dataSourceId = (await server.call('POST', '/v1/datasources', { name: 'shop' })).body.dataSourceId
  trait = (
    await server.call('POST', '/v1/traits', { folderId: 0, dataSourceId, traitType: 'ON_BOARDED_TRAIT', name: 'a' })
  ).body.sid
})
afterAll(() => server[Symbol.asyncDispose]())

const createSegment = async (over: object = {}): Promise<number> =>
  (
    await server.call('POST', '/v1/segments', {
      name: 'Intenders',
      segmentRule: `${trait}T`,
      folderId: 0,
      dataSourceId,
      ...over,
    })
  ).body.sid
const createDestination = async (): Promise<number> => {
  const s2s = { url: 'https://in.halden.example/aam', delivery: 'realtime', userDpid: dataSourceId }
  return (await server.call('POST', '/v1/destinations', { name: 'd', destinationType: 'S2S', s2s })).body.destinationId
}

test('a segment is mapped, by default under its own id from today on without end [API-93~], [API-90], [API-98], [OUT-06], [OUT-48], [API-92]', async () => {
  const [destinationId, sid] = [await createDestination(), await createSegment({ description: 'who' })]
  const answer = await server.call('POST', `/v1/destinations/${destinationId}/mappings/`, { sid, traitType: 'SEGMENT' })
  expect(answer.status).toBe(201)
  expect(answer.body).toEqual({
    destinationMappingId: expect.any(Number),
    mappingId: answer.body.destinationMappingId,
    destinationId,
    sid,
    traitType: 'SEGMENT',
    traitValue: 0,
    elementName: 'Intenders',
    elementDescription: 'who',
    elementStatus: 'active',
    startDate: '2026-11-22',
    endDate: null,
    priority: null,
    url: null,
    secureUrl: null,
    tagCode: null,
    secureTagCode: null,
    traitAlias: String(sid),
    valueAlias: null,
    createTime: TEST_NOW_MS,
    updateTime: TEST_NOW_MS,
    crUID: 0,
    upUID: 0,
  })
  const path = `/v1/destinations/${destinationId}/mappings/${answer.body.mappingId}`
  expect((await server.call('GET', path)).body).toEqual(answer.body)
  expect(
    (await server.call('GET', `/v1/destinations/${await createDestination()}/mappings/${answer.body.mappingId}`))
      .status,
  ).toBe(404)
})

test('the older path maps too, dates are stored as sent [API-94], [API-90]', async () => {
  const destinationId = await createDestination()
  const draft = {
    sid: String(await createSegment()),
    traitAlias: 'shoes',
    startDate: '2026-12-01',
    endDate: '2026-12-24',
  }
  const answer = await server.call('POST', `/v1/destinations/${destinationId}/traits/`, draft)
  expect([answer.status, answer.body.startDate, answer.body.endDate, answer.body.traitAlias]).toEqual([
    201,
    '2026-12-01',
    '2026-12-24',
    'shoes',
  ])
})

test.each([
  [{ sid: 4711 }, 'sid'],
  [{ sid: undefined }, 'sid'],
  [{ startDate: '22.11.2026' }, 'startDate'],
  [{ startDate: '2026-12-24', endDate: '2026-12-01' }, 'endDate'],
  [{ traitType: 'ON_BOARDED_TRAIT' }, 'traitType'],
])('%j is refused naming %s [API-28]', async (over, field) => {
  const draft = { sid: await createSegment(), ...over }
  const answer = await server.call('POST', `/v1/destinations/${await createDestination()}/mappings`, draft)
  expect([answer.status, answer.body.details[0].field]).toEqual([400, field])
})

test('a segment is mapped to a destination once, an unknown destination is not found [API-31], [API-32]', async () => {
  const [destinationId, sid] = [await createDestination(), await createSegment()]
  const { mappingId } = (await server.call('POST', `/v1/destinations/${destinationId}/mappings`, { sid })).body
  const twin = await server.call('POST', `/v1/destinations/${destinationId}/mappings`, { sid })
  expect([twin.status, twin.body.code, twin.body.details[0].ids]).toEqual([409, 'already_mapped', [mappingId]])
  expect((await server.call('POST', '/v1/destinations/4711/mappings', { sid })).status).toBe(404)
  expect((await server.call('GET', '/v1/destinations/4711/mappings')).status).toBe(404)
})

test('an alias belongs to one segment of a destination; the answer names the mapping that has it [OUT-48~]', async () => {
  const [destinationId, elsewhere] = [await createDestination(), await createDestination()]
  const sids = [await createSegment(), await createSegment(), await createSegment()] as const
  const path = `/v1/destinations/${destinationId}/mappings`
  const shoes = (await server.call('POST', path, { sid: sids[0], traitAlias: 'shoes' })).body
  const other = (await server.call('POST', path, { sid: sids[1] })).body
  const taken = { code: 'alias_taken', details: [{ field: 'traitAlias', ids: [shoes.mappingId] }] }
  const message = `The alias shoes is already that of segment ${sids[0]}, by mapping ${shoes.mappingId}.`
  const draft = { sid: sids[1], traitAlias: 'shoes' }
  for (const [method, at, body] of [
    ['POST', path, { sid: sids[2], traitAlias: 'shoes' }],
    ['POST', `/v1/destinations/${destinationId}/bulk-create`, [{ sid: sids[2], traitAlias: 'shoes' }]],
    ['PUT', `${path}/${other.mappingId}`, draft],
    ['PUT', `/v1/destinations/mappings/${other.mappingId}`, draft],
    ['PATCH', `${path}/${other.mappingId}`, { traitAlias: 'shoes' }],
  ] as const) {
    const answer = await server.call(method, at, body)
    expect([answer.status, answer.body]).toEqual([
      409,
      expect.objectContaining({ ...taken, message, details: [expect.objectContaining(taken.details[0])] }),
    ])
  }
  // A number that stands for another segment by default is an alias too.
  const number = await server.call('POST', path, { sid: sids[2], traitAlias: String(sids[1]) })
  expect([number.status, number.body.code]).toEqual([409, 'alias_taken'])
  // Of two in one call the second is refused, and none is made.
  const both = sids.map((sid) => ({ sid, traitAlias: 'both' }))
  expect((await server.call('POST', `/v1/destinations/${elsewhere}/bulk-create`, both)).body.code).toBe('alias_taken')
  expect((await server.call('GET', `/v1/destinations/${elsewhere}/mappings`)).body).toEqual([])
  // Its own it keeps, and elsewhere it is free.
  expect((await server.call('PUT', `${path}/${shoes.mappingId}`, { sid: sids[0], traitAlias: 'shoes' })).status).toBe(
    200,
  )
  const there = await server.call('POST', `/v1/destinations/${elsewhere}/mappings`, {
    sid: sids[0],
    traitAlias: 'shoes',
  })
  expect(there.status).toBe(201)
})

test('bulk-create maps all or none, in the order that was sent [API-95]', async () => {
  const destinationId = await createDestination()
  const sids = [await createSegment(), await createSegment(), await createSegment()].reverse()
  const path = `/v1/destinations/${destinationId}/bulk-create`
  const refused = await server.call('POST', path, [{ sid: sids[0] }, { sid: 4711 }])
  expect(refused.status).toBe(400)
  expect((await server.call('GET', `/v1/destinations/${destinationId}/mappings`)).body).toEqual([])
  const badItem = await server.call('POST', path, [{ sid: sids[0] }, { sid: 'x' }])
  expect(badItem.body.details[0].field).toBe('1.sid')
  const created = await server.call(
    'POST',
    path,
    sids.map((sid) => ({ sid })),
  )
  expect([created.status, created.body.map((mapping: { sid: number }) => mapping.sid)]).toEqual([201, sids])
})

test('both paths replace a mapping, both paths delete one [API-96], [API-97]', async () => {
  const destinationId = await createDestination()
  const sids = [await createSegment(), await createSegment()]
  const ids: number[] = []
  for (const sid of sids)
    ids.push((await server.call('POST', `/v1/destinations/${destinationId}/mappings`, { sid })).body.mappingId)
  const first = await server.call('PUT', `/v1/destinations/mappings/${ids[0]}`, { sid: sids[0], traitAlias: 'one' })
  expect([first.status, first.body.traitAlias]).toEqual([200, 'one'])
  const second = await server.call('PUT', `/v1/destinations/${destinationId}/mappings/${ids[0]}`, {
    sid: sids[0],
    traitAlias: 'two',
  })
  expect(second.body.traitAlias).toBe('two')
  const patched = await server.call('PATCH', `/v1/destinations/${destinationId}/mappings/${ids[0]}`, {
    endDate: '2027-01-01',
  })
  expect(patched.body).toMatchObject({ traitAlias: 'two', endDate: '2027-01-01' })

  expect((await server.call('DELETE', `/v1/destinations/${destinationId}/segments/${ids[0]}`)).status).toBe(204)
  expect((await server.call('DELETE', `/v1/destinations/${destinationId}/mappings/${ids[1]}`)).status).toBe(204)
  expect((await server.call('DELETE', `/v1/destinations/${destinationId}/mappings/${ids[1]}`)).status).toBe(404)
})

test('mappings come with their destination when asked for, and in a list by page [API-77], [API-91~], [API-156~]', async () => {
  const destinationId = await createDestination()
  const sids = [await createSegment({ name: 'b' }), await createSegment({ name: 'a', status: 'INACTIVE' })]
  await server.call(
    'POST',
    `/v1/destinations/${destinationId}/bulk-create`,
    sids.map((sid) => ({ sid })),
  )
  const { mappings } = (await server.call('GET', `/v1/destinations/${destinationId}?includeMappings=true`)).body
  expect(mappings.map((mapping: { sid: number }) => mapping.sid)).toEqual(sids)
  const byName = (await server.call('GET', `/v1/destinations/${destinationId}/mappings?sortBy=elementName&pageSize=1`))
    .body
  expect(byName).toMatchObject({
    total: 2,
    page: 0,
    pageSize: 1,
    list: [{ elementName: 'a', elementStatus: 'inactive' }],
  })
})

test('a mapped segment and its destination are kept while they are mapped [API-57], [API-76~], [API-80]', async () => {
  const [destinationId, sid] = [await createDestination(), await createSegment()]
  await server.call('POST', `/v1/destinations/${destinationId}/mappings`, { sid })
  const segment = await server.call('DELETE', `/v1/segments/${sid}`)
  expect([segment.status, segment.body.details[0]]).toMatchObject([
    409,
    { field: 'destinations', ids: [destinationId] },
  ])
  const destination = await server.call('DELETE', `/v1/destinations/${destinationId}`)
  expect([destination.status, destination.body.details[0]]).toMatchObject([409, { field: 'segments', ids: [sid] }])
  const containing = (await server.call('GET', `/v1/destinations?containsSegment=${sid}`)).body
  expect(containing.map((one: { destinationId: number }) => one.destinationId)).toEqual([destinationId])
  expect((await server.call('GET', `/v1/segments/${sid}?includeInUseStatus=true`)).body.inUse).toBe(true)
})

test('every change of its mappings raises the version of the destination [OUT-30]', async () => {
  const [destinationId, sid] = [await createDestination(), await createSegment()]
  const version = async () => (await server.catalog.destinations.get(destinationId)).mappingVersion
  const before = await version()
  const { mappingId } = (await server.call('POST', `/v1/destinations/${destinationId}/mappings`, { sid })).body
  await server.call('PUT', `/v1/destinations/mappings/${mappingId}`, { sid, traitAlias: 'x' })
  await server.call('PATCH', `/v1/destinations/${destinationId}`, { description: 'no mapping changed' })
  await server.call('DELETE', `/v1/destinations/${destinationId}/mappings/${mappingId}`)
  expect(await version()).toBe(before + 3)
})
