import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'

let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin()
})
afterAll(() => server[Symbol.asyncDispose]())

let names = 0
const create = async (over: object = {}, kind = 'traits') =>
  (await server.call('POST', `/v1/folders/${kind}`, { name: `folder ${++names}`, parentFolderId: 0, ...over })).body

test('each kind has a tree below a root with id 0 [API-64~], [API-69], [AUD-101]', async () => {
  await using fresh = await startTestAdmin()
  for (const [kind, name] of [
    ['traits', 'All Traits'],
    ['segments', 'All Segments'],
  ]) {
    const { body } = await fresh.call('GET', `/v1/folders/${kind}`)
    expect(body).toMatchObject([{ folderId: 0, parentFolderId: 0, name, path: '/', folderCount: 0, subFolders: [] }])
  }
  const shop = (await fresh.call('POST', '/v1/folders/segments', { name: 'Shop', parentFolderId: '0' })).body
  const shoes = await fresh.call('POST', '/v1/folders/segments/', { name: 'Shoes', parentFolderId: shop.folderId })
  expect([shoes.status, shoes.body.path]).toEqual([201, '/Shop/Shoes'])
  const [root] = (await fresh.call('GET', '/v1/folders/segments')).body
  expect(root).toMatchObject({
    folderCount: 1,
    subFolders: [{ name: 'Shop', folderCount: 1, subFolders: [{ name: 'Shoes', subFolders: [] }] }],
  })
})

test('one folder shows its first level, and the tree below when asked [API-65]', async () => {
  const top = await create()
  const middle = await create({ parentFolderId: top.folderId })
  const leaf = await create({ parentFolderId: middle.folderId })
  const first = (await server.call('GET', `/v1/folders/traits/${top.folderId}`)).body
  expect(first.subFolders).toMatchObject([{ folderId: middle.folderId, folderCount: 1, subFolders: [] }])
  const all = (await server.call('GET', `/v1/folders/traits/${top.folderId}?includeSubFolders=true`)).body
  expect(all.subFolders).toMatchObject([{ folderId: middle.folderId, subFolders: [{ folderId: leaf.folderId }] }])
  expect((await server.call('GET', '/v1/folders/traits/4711')).status).toBe(404)
})

test('a folder of traits brings a folder trait of the automatic data source along, renamed with it [AUD-102~]', async () => {
  const folder = await create({ name: 'Shoes' })
  const trait = (await server.call('GET', `/v1/traits/${folder.traitId}`)).body
  expect(trait).toMatchObject({
    name: 'Shoes Folder Trait',
    traitType: 'FOLDER_TRAIT',
    folderId: folder.folderId,
    ttl: 0,
  })
  expect((await server.call('GET', `/v1/datasources/${trait.dataSourceId}`)).body.integrationCode).toBe(
    'adobe-provided',
  )

  await server.call('PUT', `/v1/folders/traits/${folder.folderId}`, { name: 'Boots', parentFolderId: 0 })
  expect((await server.call('GET', `/v1/traits/${folder.traitId}`)).body.name).toBe('Boots Folder Trait')
  const renamed = await server.call('PATCH', `/v1/traits/${folder.traitId}`, { name: 'Own name' })
  expect([renamed.status, renamed.body.details[0].field]).toEqual([400, 'name'])
  const own = (await server.call('POST', '/v1/datasources', { name: 'own' })).body.dataSourceId
  expect((await server.call('PATCH', `/v1/traits/${folder.traitId}`, { dataSourceId: own })).body.dataSourceId).toBe(
    own,
  )
  const deleted = await server.call('DELETE', `/v1/traits/${folder.traitId}`)
  expect([deleted.status, deleted.body.details[0].ids]).toEqual([409, [folder.folderId]])
})

test('a folder must be empty to be deleted, and takes its folder trait with it [API-68], [AUD-104], [AUD-101]', async () => {
  const folder = await create()
  const child = await create({ parentFolderId: folder.folderId })
  const withChild = await server.call('DELETE', `/v1/folders/traits/${folder.folderId}`)
  expect([withChild.status, withChild.body.details[0]]).toMatchObject([
    409,
    { field: 'folders', ids: [child.folderId] },
  ])
  await server.call('DELETE', `/v1/folders/traits/${child.folderId}`)

  const { dataSourceId } = (await server.call('POST', '/v1/datasources', { name: 'source' })).body
  const trait = { name: 't', traitType: 'ON_BOARDED_TRAIT', dataSourceId, folderId: folder.folderId }
  const { sid } = (await server.call('POST', '/v1/traits', trait)).body
  const withTrait = await server.call('DELETE', `/v1/folders/traits/${folder.folderId}`)
  expect([withTrait.status, withTrait.body.details[0]]).toMatchObject([409, { field: 'traits', ids: [sid] }])
  await server.call('DELETE', `/v1/traits/${sid}`)

  const segment = await server.call('POST', '/v1/segments', {
    name: 's',
    segmentRule: `${folder.traitId}T`,
    dataSourceId,
    folderId: 0,
  })
  const withSegment = await server.call('DELETE', `/v1/folders/traits/${folder.folderId}`)
  expect([withSegment.status, withSegment.body.details[0]]).toMatchObject([
    409,
    { field: 'segments', ids: [segment.body.sid] },
  ])
  await server.call('DELETE', `/v1/segments/${segment.body.sid}`)

  const deleted = await server.call('DELETE', `/v1/folders/traits/${folder.folderId}`)
  expect([deleted.status, deleted.text]).toEqual([204, ''])
  expect((await server.call('GET', `/v1/traits/${folder.traitId}`)).status).toBe(404)
})

test('at most 5 levels deep, also by moving; never into itself [AUD-101], [AUD-302]', async () => {
  const chain: { folderId: number }[] = []
  for (let level = 1; level <= 5; level++) chain.push(await create({ parentFolderId: chain.at(-1)?.folderId ?? 0 }))
  const deeper = await server.call('POST', '/v1/folders/traits', { name: 'six', parentFolderId: chain[4]?.folderId })
  expect([deeper.status, deeper.body.code, deeper.body.details[0].field]).toEqual([409, 'limit_reached', 'folderDepth'])

  const other = await create()
  const moved = await server.call('PATCH', `/v1/folders/traits/${chain[0]?.folderId}`, {
    parentFolderId: other.folderId,
  })
  expect([moved.status, moved.body.code]).toEqual([409, 'limit_reached'])
  const circle = await server.call('PATCH', `/v1/folders/traits/${chain[0]?.folderId}`, {
    parentFolderId: chain[2]?.folderId,
  })
  expect([circle.status, circle.body.details]).toEqual([
    400,
    [{ field: 'parentFolderId', message: 'A folder cannot lie in itself.' }],
  ])
  expect((await server.call('PATCH', `/v1/folders/traits/${chain[4]?.folderId}`, { parentFolderId: 0 })).status).toBe(
    200,
  )
})

test('the number of folders is limited by name [AUD-302], [SEC-69]', async () => {
  await using small = await startTestAdmin({ limits: { traitFolders: 1, segmentFolders: 1 } })
  for (const kind of ['traits', 'segments']) {
    expect((await small.call('POST', `/v1/folders/${kind}`, { name: 'a', parentFolderId: 0 })).status).toBe(201)
    const refused = await small.call('POST', `/v1/folders/${kind}`, { name: 'b', parentFolderId: 0 })
    expect([refused.status, refused.body.details[0].field]).toEqual([
      409,
      kind === 'traits' ? 'traitFolders' : 'segmentFolders',
    ])
  }
})

test('name and parent are required, the parent must exist, ids are kept, the root stays [API-66], [API-67], [OPS-44]', async () => {
  expect((await server.call('POST', '/v1/folders/traits', { name: 'x' })).body.details[0].field).toBe('parentFolderId')
  expect(
    (await server.call('PUT', `/v1/folders/traits/${(await create()).folderId}`, { parentFolderId: 0 })).body.details[0]
      .field,
  ).toBe('name')
  const orphan = await server.call('POST', '/v1/folders/traits', { name: 'x', parentFolderId: 4711 })
  expect([orphan.status, orphan.body.details]).toEqual([
    400,
    [{ field: 'parentFolderId', message: 'There is no folder 4711.' }],
  ])
  expect((await create({ folderId: 900 })).folderId).toBe(900)
  const taken = await server.call('POST', '/v1/folders/segments', { name: 'y', parentFolderId: 0, folderId: 900 })
  expect([taken.status, taken.body.details[0].field]).toEqual([409, 'folderId'])
  expect((await server.call('DELETE', '/v1/folders/traits/0')).status).toBe(403)
  expect((await server.call('GET', '/v1/folders/destinations')).status).toBe(400)
})
