import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, TEST_NOW_MS, type TestAdmin } from '../testkit/start-test-admin.ts'

let server: TestAdmin
let dataSourceId: number
beforeAll(async () => {
  server = await startTestAdmin()
  dataSourceId = (await server.call('POST', '/v1/datasources', { name: 'shop' })).body.dataSourceId
})
afterAll(() => server[Symbol.asyncDispose]())

const requestId = expect.stringMatching(/^rq_/)
const draft = (over: object = {}) => ({
  name: 'Interested in Shoes',
  traitRule: 'product==17',
  folderId: 0,
  dataSourceId,
  traitType: 'RULE_BASED_TRAIT',
  ...over,
})
const create = async (over: object = {}) => (await server.call('POST', '/v1/traits', draft(over))).body

test('the documented example creates a trait with TTL 120 [API-44], [API-51], [AUD-69], [API-50]', async () => {
  const answer = await server.call('POST', '/v1/traits', draft({ integrationCode: 'product-17' }))
  expect(answer.status).toBe(201)
  expect(answer.body).toEqual({
    sid: expect.any(Number),
    pid: 1,
    name: 'Interested in Shoes',
    description: null,
    comments: null,
    integrationCode: 'product-17',
    dataSourceId,
    folderId: 0,
    traitType: 'RULE_BASED_TRAIT',
    traitRule: 'product==17',
    traitRuleVersion: 0,
    type: null,
    categoryId: null,
    ttl: 120,
    status: 'ACTIVE',
    algoModelId: null,
    thresholdValue: null,
    backfillStatus: null,
    crUID: 0,
    upUID: 0,
    createTime: TEST_NOW_MS,
    updateTime: TEST_NOW_MS,
  })
  expect(answer.body.sid).toBeGreaterThanOrEqual(100_000)
  expect((await server.call('GET', `/v1/traits/${answer.body.sid}`)).body).toEqual(answer.body)
})

test('numbers may come as texts, unknown members are ignored [API-37]', async () => {
  const created = await create({ folderId: '0', dataSourceId: String(dataSourceId), ttl: '0', somethingElse: true })
  expect(created).toMatchObject({ folderId: 0, dataSourceId, ttl: 0 })
  expect(created).not.toHaveProperty('somethingElse')
})

test('a rule with an error is refused with field and position [API-28], [API-34], [SEC-70]', async () => {
  const answer = await server.call('POST', '/v1/traits', draft({ traitRule: 'product == ' }))
  expect(answer.status).toBe(400)
  expect(answer.body).toEqual({
    code: 'invalid_rule',
    message: expect.any(String),
    details: [{ field: 'traitRule', position: 11, message: answer.body.message }],
    requestId,
  })
})

test.each([
  [{ name: '' }, 'name'],
  [{ name: 'x'.repeat(256) }, 'name'],
  [{ name: undefined }, 'name'],
  [{ dataSourceId: undefined }, 'dataSourceId'],
  [{ dataSourceId: 4711 }, 'dataSourceId'],
  [{ folderId: undefined }, 'folderId'],
  [{ folderId: 99 }, 'folderId'],
  [{ traitType: undefined }, 'traitType'],
  [{ traitType: 'SEGMENT' }, 'traitType'],
  [{ traitType: 'FOLDER_TRAIT' }, 'traitType'],
  [{ traitRule: undefined }, 'traitRule'],
  [{ ttl: -1 }, 'ttl'],
  [{ integrationCode: 'x'.repeat(256) }, 'integrationCode'],
])('%j is refused naming %s [API-50], [AUD-62~], [AUD-64], [AUD-66], [AUD-67]', async (over, field) => {
  const answer = await server.call('POST', '/v1/traits', draft(over))
  expect(answer.status).toBe(400)
  expect(answer.body).toMatchObject({ code: 'invalid_request', message: 'The request is not valid.' })
  expect(answer.body.details.map((detail: { field: string }) => detail.field)).toEqual([field])
})

test.each([
  [{ traitType: 'ON_BOARDED_TRAIT' }, 'traitRule'],
  [{ traitType: 'ALGO_TRAIT' }, 'traitType'],
  [{ algoModelId: 3 }, 'algoModelId'],
  [{ thresholdValue: 0.5 }, 'thresholdValue'],
])('%j would be without effect and is refused', async (over, field) => {
  const refused = await server.call('POST', '/v1/traits', draft(over))
  expect([refused.status, refused.body.details[0].field]).toEqual([400, field])
  expect(refused.body.details[0].message).toContain('not built yet')
})

test('life and status of a folder trait are those of the traits below it, and refused [AUD-102~], [AUD-103]', async () => {
  const { body } = await server.call('POST', '/v1/folders/traits', { name: 'life', parentFolderId: 0 })
  const path = `/v1/traits/${body.traitId}`
  const { body: trait } = await server.call('GET', path)
  for (const change of [{ ttl: 5 }, { status: 'INACTIVE' }]) {
    const refused = await server.call('PATCH', path, change)
    expect([refused.status, refused.body.details[0].field]).toEqual([400, Object.keys(change)[0]])
  }
  const { ttl: _ttl, ...withoutLife } = trait
  expect((await server.call('PUT', path, { ...withoutLife, description: 'd' })).body).toMatchObject({
    ...trait,
    description: 'd',
  })
})

test('ids are kept in the sequence that traits and segments share [OPS-44], [AUD-5]', async () => {
  expect((await create({ sid: 4_000_001 })).sid).toBe(4_000_001)
  const taken = await server.call('POST', '/v1/traits', draft({ sid: 4_000_001 }))
  expect([taken.status, taken.body.code, taken.body.details[0].field]).toEqual([409, 'id_taken', 'sid'])
  const segment = { name: 's', segmentRule: '4000001T', folderId: 0, dataSourceId }
  expect((await server.call('POST', '/v1/segments', { ...segment, sid: 4_000_001 })).status).toBe(409)

  const trait = await create()
  const next = await server.call('POST', '/v1/segments', segment)
  expect(next.body.sid).toBe(trait.sid + 1)
  expect((await create()).sid).toBe(trait.sid + 2)
})

test('a changed rule is a new version, other changes are not [API-45], [API-49]', async () => {
  const { sid } = await create({ traitRule: 'a==1' })
  const replaced = await server.call('PUT', `/v1/traits/${sid}`, draft({ traitRule: 'a==2' }))
  expect([replaced.status, replaced.body]).toMatchObject([200, { sid, traitRule: 'a==2' }])
  const renamed = await server.call('PATCH', `/v1/traits/${sid}`, { name: 'renamed' })
  expect([renamed.status, renamed.body.traitRuleVersion, renamed.body.traitRule]).toEqual([200, 1, 'a==2'])
  const versions = await server.call('GET', `/v1/traits/${sid}/trait-rule/versions`)
  expect(versions.body).toEqual([
    { traitRuleVersion: 1, traitRule: 'a==2', crUID: 0, createTime: TEST_NOW_MS },
    { traitRuleVersion: 0, traitRule: 'a==1', crUID: 0, createTime: TEST_NOW_MS },
  ])
  expect((await server.call('GET', '/v1/traits/4711/trait-rule/versions')).status).toBe(404)
})

test('PUT needs every required member and keeps the type [API-38]', async () => {
  const { sid } = await create()
  const missing = await server.call('PUT', `/v1/traits/${sid}`, { name: 'x' })
  expect(missing.status).toBe(400)
  const fields = missing.body.details.map((detail: { field: string }) => detail.field)
  expect(fields).toEqual(['dataSourceId', 'folderId', 'traitType'])
  const changed = await server.call('PUT', `/v1/traits/${sid}`, draft({ traitType: 'ON_BOARDED_TRAIT' }))
  expect([changed.status, changed.body.details[0].field]).toEqual([400, 'traitType'])
})

test('a trait is found, changed and deleted by its integration code [API-43]', async () => {
  const code = 'a/b c'
  const path = `/v1/traits/ic:${encodeURIComponent(code)}`
  const { sid } = await create({ integrationCode: code })
  expect((await server.call('GET', path)).body.sid).toBe(sid)
  expect((await server.call('PATCH', path, { ttl: 7 })).body.ttl).toBe(7)
  const twin = await create({ integrationCode: code })
  const ambiguous = await server.call('DELETE', path)
  expect([ambiguous.status, ambiguous.body.code, ambiguous.body.details[0].ids]).toEqual([
    409,
    'integration_code_ambiguous',
    [sid, twin.sid],
  ])
  await server.call('DELETE', `/v1/traits/${twin.sid}`)
  expect((await server.call('DELETE', path)).status).toBe(204)
  expect((await server.call('GET', path)).status).toBe(404)
})

test('integration codes are unique within a data source that wants it [AUD-172]', async () => {
  const strict = await server.call('POST', '/v1/datasources', { name: 'strict', uniqueTraitIntegrationCodes: true })
  const own = { dataSourceId: strict.body.dataSourceId, integrationCode: 'once' }
  const { sid } = await create(own)
  const twin = await server.call('POST', '/v1/traits', draft(own))
  expect([twin.status, twin.body.code, twin.body.details[0]]).toMatchObject([
    409,
    'integration_code_taken',
    { field: 'integrationCode', ids: [sid] },
  ])
  expect((await server.call('PATCH', `/v1/traits/${sid}`, { ttl: 1 })).status).toBe(200)
})

test('a trait in a segment is not deleted and the segment is named [API-46]', async () => {
  const { sid } = await create()
  const free = await create()
  const unused = await create()
  const segment = await server.call('POST', '/v1/segments', {
    name: 's',
    segmentRule: `${sid}T`,
    folderId: 0,
    dataSourceId,
  })
  const refused = await server.call('POST', '/v1/traits/bulk-delete', [free.sid, sid])
  expect([refused.status, refused.body.code, refused.body.details]).toEqual([
    409,
    'in_use',
    [{ field: 'segments', message: `Trait ${sid} is used by segments ${segment.body.sid}.`, ids: [segment.body.sid] }],
  ])
  expect((await server.call('GET', `/v1/traits/${free.sid}`)).status).toBe(200)
  await server.call('DELETE', `/v1/segments/${segment.body.sid}`)
  expect((await server.call('POST', '/v1/traits/bulk-delete', [free.sid, sid])).status).toBe(204)
  const deleted = await server.call('DELETE', `/v1/traits/${unused.sid}`)
  expect([deleted.status, deleted.text]).toEqual([204, ''])
})

test('validate answers 200 for a rule, 400 with the position otherwise [API-20]', async () => {
  const good = await server.call('POST', '/v1/traits/validate', { code: 'product = 17' })
  expect([good.status, good.body]).toMatchObject([200, { valid: true, code: 'product == 17' }])
  const bad = await server.call('POST', '/v1/traits/validate', { code: 'a == 1 AND' })
  expect([bad.status, bad.body.details]).toMatchObject([400, [{ field: 'code', position: 10 }]])
})

test('limits show use and maximum per type, and refuse by name when reached [API-48], [AUD-300], [AUD-301], [AUD-302], [SEC-69]', async () => {
  await using small = await startTestAdmin({ limits: { onboardedTraits: 1 } })
  const source = (await small.call('POST', '/v1/datasources', { name: 'x' })).body.dataSourceId
  const onboarded = draft({ traitType: 'ON_BOARDED_TRAIT', traitRule: null, dataSourceId: source })
  expect((await small.call('POST', '/v1/traits', onboarded)).status).toBe(201)
  const refused = await small.call('POST', '/v1/traits', onboarded)
  expect(refused.status).toBe(409)
  expect(refused.body).toEqual({
    code: 'limit_reached',
    message: 'The limit of 1 onboardedTraits is reached.',
    details: [{ field: 'onboardedTraits', message: 'The limit of 1 onboardedTraits is reached.' }],
    requestId,
  })
  expect((await small.call('GET', '/v1/traits/limits')).body).toEqual({
    traits: { count: 1, max: 100_000 },
    ruleBasedTraits: { count: 0, max: 100_000 },
    onboardedTraits: { count: 1, max: 1 },
    algorithmicTraits: { count: 0, max: 50 },
    folderTraits: { count: 0, max: 2_000 },
  })
})

test('only details are left out of a list that does not ask for them, and filters narrow it [API-41~]', async () => {
  const folder = (await server.call('POST', '/v1/folders/traits', { name: 'list', parentFolderId: 0 })).body.folderId
  const a = await create({ folderId: folder, name: 'a', integrationCode: 'ic-a' })
  const b = await create({ folderId: folder, name: 'b', traitType: 'ON_BOARDED_TRAIT', traitRule: null })
  const sids = async (query: string) =>
    (await server.call('GET', `/v1/traits?folderId=${folder}&${query}`)).body.map((trait: { sid: number }) => trait.sid)
  expect(await sids('restrictType=RULE_BASED_TRAIT')).toEqual([a.sid])
  expect(await sids('restrictType=RULE_BASED_TRAIT&restrictType=ON_BOARDED_TRAIT')).toEqual([a.sid, b.sid])
  expect(await sids('integrationCode=ic-a')).toEqual([a.sid])
  expect(await sids(`dataSourceId=${dataSourceId}&restrictType=ON_BOARDED_TRAIT`)).toEqual([b.sid])
  expect(await sids('dataSourceId=20914')).toEqual([])

  const [short] = (await server.call('GET', `/v1/traits?folderId=${folder}&integrationCode=ic-a`)).body
  const [full] = (await server.call('GET', `/v1/traits?folderId=${folder}&integrationCode=ic-a&includeDetails=true`))
    .body
  expect(full).toEqual(a)
  const {
    ttl: _ttl,
    integrationCode: _code,
    comments: _comments,
    traitRule: _rule,
    traitRuleVersion: _version,
    type: _type,
    ...rest
  } = a
  expect(short).toEqual(rest)
})
