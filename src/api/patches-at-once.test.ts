import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'

/** Two people change one object at the same moment, each another member of it. */
let server: TestAdmin
let dataSourceId: number
let trait: number
beforeAll(async () => {
  server = await startTestAdmin()
  dataSourceId = (await server.call('POST', '/v1/datasources', { name: 'shop' })).body.dataSourceId
  const draft = { folderId: 0, dataSourceId, traitType: 'RULE_BASED_TRAIT', traitRule: 'c == 1', name: 'a' }
  trait = (await server.call('POST', '/v1/traits', draft)).body.sid
})
afterAll(() => server[Symbol.asyncDispose]())

const segment = () => ({ name: 'Intenders', segmentRule: `${trait}T`, folderId: 0, dataSourceId })
const s2s = () => ({ url: 'https://in.halden.example/aam', delivery: 'realtime', userDpid: dataSourceId })
const texts = [{ name: 'new name' }, { description: 'new text' }] as const

async function mapped(): Promise<string> {
  const sid = (await server.call('POST', '/v1/segments', segment())).body.sid
  const draft = { name: 'd', destinationType: 'S2S', s2s: s2s() }
  const path = `/v1/destinations/${(await server.call('POST', '/v1/destinations', draft)).body.destinationId}/mappings`
  return `${path}/${(await server.call('POST', path, { sid, traitType: 'SEGMENT' })).body.destinationMappingId}`
}

const made = async (path: string, draft: object, id: string) =>
  `${path}/${(await server.call('POST', path, draft)).body[id]}`

test.each([
  ['a data source', () => made('/v1/datasources', { name: 'x' }, 'dataSourceId'), texts],
  [
    'a trait, whose rule is checked between reading and writing',
    async () => `/v1/traits/${trait}`,
    [{ traitRule: 'c == 2' }, { description: 'new text' }],
  ],
  ['a segment', () => made('/v1/segments', segment(), 'sid'), texts],
  [
    'a merge rule',
    () =>
      made(
        '/v1/merge-rules',
        { name: 'x', crossDeviceOption: 'NONE', deviceOption: 'DEVICE' },
        'mergeRuleDataSourceId',
      ),
    texts,
  ],
  [
    'a destination',
    () => made('/v1/destinations', { name: 'd', destinationType: 'S2S', s2s: s2s() }, 'destinationId'),
    texts,
  ],
  ['a mapping', mapped, [{ traitAlias: 'new-alias' }, { endDate: '2027-01-01' }]],
  [
    'a folder',
    async () => {
      await server.call('POST', '/v1/folders/traits', { folderId: 77, parentFolderId: 0, name: 'parent' })
      return made('/v1/folders/traits', { parentFolderId: 0, name: 'x' }, 'folderId')
    },
    [{ name: 'new-name' }, { parentFolderId: 77 }],
  ],
] as const)('both changes of %s hold [API-37]', async (_what, make, [first, second]) => {
  const path = await make()
  const answers = await Promise.all([server.call('PATCH', path, first), server.call('PATCH', path, second)])
  expect(answers.map(({ status, text }) => [status, status === 200 || text])).toEqual([
    [200, true],
    [200, true],
  ])
  expect((await server.call('GET', path)).body).toMatchObject({ ...first, ...second })
})
