import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, TEST_NOW_MS, type TestAdmin } from '../testkit/start-test-admin.ts'

let server: TestAdmin
let dataSourceId: number
let shoes: number
let onboarded: number
beforeAll(async () => {
  server = await startTestAdmin()
  dataSourceId = (await server.call('POST', '/v1/datasources', { name: 'shop' })).body.dataSourceId
  const trait = { folderId: 0, dataSourceId, traitType: 'RULE_BASED_TRAIT', name: 'shoes', traitRule: 'product==17' }
  shoes = (await server.call('POST', '/v1/traits', trait)).body.sid
  onboarded = (await server.call('POST', '/v1/traits', { ...trait, traitType: 'ON_BOARDED_TRAIT', traitRule: null }))
    .body.sid
})
afterAll(() => server[Symbol.asyncDispose]())

const draft = (over: object = {}) => ({
  name: 'Intenders',
  segmentRule: `${shoes}T`,
  folderId: 0,
  dataSourceId,
  ...over,
})
const create = async (over: object = {}) => (await server.call('POST', '/v1/segments', draft(over))).body

test('a segment is created active with the default merge rule [API-55], [API-62~], [AUD-122~], [AUD-201~]', async () => {
  const answer = await server.call('POST', '/v1/segments', draft({ segmentRule: `${shoes}T NOT ${onboarded}T` }))
  expect(answer.status).toBe(201)
  const [defaultRule] = (await server.call('GET', '/v1/merge-rules')).body
  expect(answer.body).toEqual({
    sid: expect.any(Number),
    pid: 1,
    name: 'Intenders',
    description: null,
    integrationCode: null,
    segmentRule: `${shoes}T AND NOT ${onboarded}T`,
    dataSourceId,
    mergeRuleDataSourceId: defaultRule.mergeRuleDataSourceId,
    folderId: 0,
    status: 'ACTIVE',
    crUID: 0,
    upUID: 0,
    createTime: TEST_NOW_MS,
    updateTime: TEST_NOW_MS,
  })
  expect((await server.call('GET', `/v1/segments/${answer.body.sid}`)).body).toEqual(answer.body)
})

test('an error in the rule is answered with field and position, an unknown trait too [API-28], [SEC-70]', async () => {
  const broken = await server.call('POST', '/v1/segments', draft({ segmentRule: `${shoes}T AND (` }))
  expect(broken.status).toBe(400)
  expect(broken.body).toEqual({
    code: 'invalid_rule',
    message: broken.body.details[0].message,
    details: [{ field: 'segmentRule', position: `${shoes}T AND (`.length, message: expect.any(String) }],
    requestId: expect.stringMatching(/^rq_/),
  })
  const unknown = await server.call('POST', '/v1/segments', draft({ segmentRule: `${shoes}T AND 999T` }))
  expect([unknown.status, unknown.body.code, unknown.body.details[0]]).toMatchObject([
    400,
    'invalid_rule',
    { field: 'segmentRule', position: `${shoes}T AND `.length },
  ])
})

test('only rule-based and folder traits may carry frequency [AUD-132]', async () => {
  const folder = (await server.call('POST', '/v1/folders/traits', { name: 'counted', parentFolderId: 0 })).body
  for (const sid of [shoes, folder.traitId])
    expect((await create({ segmentRule: `FREQUENCY([${sid}T] <= 5D) >= 2` })).sid).toBeGreaterThan(0)
  const refused = await server.call(
    'POST',
    '/v1/segments',
    draft({ segmentRule: `FREQUENCY([${onboarded}T] <= 5D) >= 2` }),
  )
  expect([refused.status, refused.body.details[0].field]).toEqual([400, 'segmentRule'])
})

test('validate checks a rule against the traits there are [API-60]', async () => {
  const good = await server.call('POST', '/v1/segments/validate', { code: `${shoes}T` })
  expect([good.status, good.body]).toEqual([200, { valid: true, code: `${shoes}T`, hints: [] }])
  const never = await server.call('POST', '/v1/segments/validate', { code: `${shoes}T AND NOT ${shoes}T` })
  expect(never.body.hints).toEqual([expect.stringContaining('can never hold')])
  const bad = await server.call('POST', '/v1/segments/validate', { code: '999T' })
  expect([bad.status, bad.body.details]).toMatchObject([400, [{ field: 'code', position: 0 }]])
})

test.each([
  [{ name: undefined }, 'name'],
  [{ name: 'x'.repeat(256) }, 'name'],
  [{ segmentRule: undefined }, 'segmentRule'],
  [{ folderId: undefined }, 'folderId'],
  [{ folderId: 77 }, 'folderId'],
  [{ dataSourceId: undefined }, 'dataSourceId'],
  [{ dataSourceId: 4711 }, 'dataSourceId'],
  [{ mergeRuleDataSourceId: 4711 }, 'mergeRuleDataSourceId'],
  [{ status: 'PAUSED' }, 'status'],
])('%j is refused naming %s [AUD-122~] [API-55]', async (over, field) => {
  const answer = await server.call('POST', '/v1/segments', draft(over))
  expect([answer.status, answer.body.details.map((detail: { field: string }) => detail.field)]).toEqual([400, [field]])
})

test('PUT with status INACTIVE pauses a segment, PATCH resumes it [API-56], [AUD-123~]', async () => {
  const { sid } = await create()
  expect((await server.call('PUT', `/v1/segments/${sid}`, draft({ status: 'inactive' }))).body.status).toBe('INACTIVE')
  expect((await server.call('PATCH', `/v1/segments/${sid}`, { status: 1 })).body.status).toBe('ACTIVE')
  expect((await server.call('PUT', '/v1/segments/4711', draft())).status).toBe(404)
})

test('a segment id is kept, and found by integration code [OPS-44], [API-54]', async () => {
  expect((await create({ sid: 3_500_000, integrationCode: 'seg/1' })).sid).toBe(3_500_000)
  expect((await server.call('GET', '/v1/segments/ic:seg%2F1')).body.sid).toBe(3_500_000)
  expect((await server.call('DELETE', '/v1/segments/ic:seg%2F1')).status).toBe(204)
  expect((await server.call('GET', '/v1/segments/3500000')).status).toBe(404)
})

test('integration codes of segments are unique within a data source that wants it [AUD-172]', async () => {
  const strict = await server.call('POST', '/v1/datasources', { name: 'strict', uniqueSegmentIntegrationCodes: true })
  const own = { dataSourceId: strict.body.dataSourceId, integrationCode: 'once' }
  await create(own)
  expect((await server.call('POST', '/v1/segments', draft(own))).body.code).toBe('integration_code_taken')
})

test('lists filter by what they hold and when they changed [API-52~]', async () => {
  await using other = await startTestAdmin()
  const source = (await other.call('POST', '/v1/datasources', { name: 'x' })).body.dataSourceId
  const trait = { folderId: 0, dataSourceId: source, traitType: 'ON_BOARDED_TRAIT' }
  const a = (await other.call('POST', '/v1/traits', { ...trait, name: 'a' })).body.sid
  const b = (await other.call('POST', '/v1/traits', { ...trait, name: 'b' })).body.sid
  const folder = (await other.call('POST', '/v1/folders/segments', { name: 'f', parentFolderId: 0 })).body.folderId
  const common = { folderId: 0, dataSourceId: source }
  const first = (await other.call('POST', '/v1/segments', { ...common, name: 'first', segmentRule: `${a}T AND ${b}T` }))
    .body
  await other.call('POST', '/v1/test/clock', { advanceMs: 60_000 })
  const paused = {
    ...common,
    name: 'second',
    segmentRule: `${a}T`,
    status: 'INACTIVE',
    folderId: folder,
    integrationCode: 'two',
  }
  const second = (await other.call('POST', '/v1/segments', paused)).body

  const sids = async (query: string) =>
    (await other.call('GET', `/v1/segments?${query}`)).body.map((segment: { sid: number }) => segment.sid)
  expect(await sids('')).toEqual([first.sid, second.sid])
  expect(await sids(`containsTrait=${b}`)).toEqual([first.sid])
  expect(await sids(`folderId=${folder}`)).toEqual([second.sid])
  expect(await sids('status=inactive')).toEqual([second.sid])
  expect(await sids('integrationCode=two')).toEqual([second.sid])
  expect(await sids(`mergeRuleDataSourceId=${first.mergeRuleDataSourceId}`)).toEqual([first.sid, second.sid])
  expect(await sids('dataSourceId=20914')).toEqual([])
  expect(await sids(`updatedSince=${TEST_NOW_MS / 1000 + 1}`)).toEqual([second.sid])
  expect(await sids(`updatedSince=${TEST_NOW_MS}`)).toEqual([first.sid, second.sid])

  const [shown] = (await other.call('GET', '/v1/segments?includeTraitDataSourceIds=true&includeInUseStatus=true')).body
  expect(shown).toMatchObject({ inUse: false, traitDataSourceIds: [source] })
  const tree = (await other.call('GET', `/v1/segments/${first.sid}?includeExprTree=true`)).body
  expect(tree).toMatchObject({ traits: [a, b], codeViewOnly: false, expressionTree: { op: 'and' } })
})

test('a changed rule frees the traits it no longer names', async () => {
  const trait = { folderId: 0, dataSourceId, traitType: 'ON_BOARDED_TRAIT', name: 'free' }
  const { sid: freed } = (await server.call('POST', '/v1/traits', trait)).body
  const { sid } = await create({ segmentRule: `${freed}T` })
  expect((await server.call('DELETE', `/v1/traits/${freed}`)).status).toBe(409)
  await server.call('PATCH', `/v1/segments/${sid}`, { segmentRule: `${shoes}T` })
  expect((await server.call('DELETE', `/v1/traits/${freed}`)).status).toBe(204)
})

test('bulk-delete deletes all or none [API-57]', async () => {
  const a = await create()
  const b = await create()
  expect((await server.call('POST', '/v1/segments/bulk-delete', [a.sid, 4711])).status).toBe(404)
  expect((await server.call('GET', `/v1/segments/${a.sid}`)).status).toBe(200)
  expect((await server.call('POST', '/v1/segments/bulk-delete', [a.sid, String(b.sid)])).status).toBe(204)
  expect((await server.call('GET', `/v1/segments/${b.sid}`)).status).toBe(404)
  expect((await server.call('POST', '/v1/segments/bulk-delete', {})).status).toBe(400)
})

test('limits name the segments there may be [API-58], [AUD-304], [SEC-69]', async () => {
  await using small = await startTestAdmin({ limits: { segments: 0 } })
  expect((await small.call('GET', '/v1/segments/limits')).body).toEqual({ segments: { count: 0, max: 0 } })
  const source = (await small.call('POST', '/v1/datasources', { name: 'x' })).body.dataSourceId
  const trait = (
    await small.call('POST', '/v1/traits', {
      folderId: 0,
      dataSourceId: source,
      traitType: 'ON_BOARDED_TRAIT',
      name: 'a',
    })
  ).body.sid
  const refused = await small.call('POST', '/v1/segments', {
    name: 's',
    segmentRule: `${trait}T`,
    folderId: 0,
    dataSourceId: source,
  })
  expect([refused.status, refused.body.details[0].field]).toEqual([409, 'segments'])
})
