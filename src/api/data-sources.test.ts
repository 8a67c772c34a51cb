import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, TEST_NOW_MS, type TestAdmin } from '../testkit/start-test-admin.ts'

let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin()
})
afterAll(() => server[Symbol.asyncDispose]())

const requestId = expect.stringMatching(/^rq_/)
let names = 0
const create = async (draft: object = {}) =>
  (await server.call('POST', '/v1/datasources', { name: `source ${++names}`, ...draft })).body

test('a data source is created with defaults and read back [API-72], [API-75], [API-26]', async () => {
  const answer = await server.call('POST', '/v1/datasources/', {
    name: 'blog',
    uniqueTraitIntegrationCodes: false,
    uniqueSegmentIntegrationCodes: false,
  })
  expect(answer.status).toBe(201)
  expect(answer.body).toEqual({
    dataSourceId: expect.any(Number),
    pid: 1,
    name: 'blog',
    description: '',
    status: 'ACTIVE',
    integrationCode: null,
    type: 'GENERAL',
    idType: 'COOKIE',
    subIdType: null,
    inboundS2S: false,
    outboundS2S: false,
    dataExportRestrictions: [],
    useAudienceManagerVisitorID: false,
    allowDataSharing: false,
    masterDataSourceIdProvider: false,
    uniqueTraitIntegrationCodes: false,
    uniqueSegmentIntegrationCodes: false,
    marketingCloudVisitorIdVersion: 0,
    linkNamespace: false,
    allowDeviceGraphSharing: false,
    supportsAuthenticatedProfile: false,
    authenticatedProfileName: '',
    deviceGraph: false,
    deviceGraphName: '',
    customNamespaceId: answer.body.dataSourceId,
    customNamespaceCode: `ds_${answer.body.dataSourceId}`,
    customerProfileDataRetention: 62_208_000,
    containerIds: [],
    samplingEnabled: false,
    samplingStartTime: null,
    samplingEndTime: null,
    redirectHosts: [],
    idSync: null,
    crUID: 0,
    upUID: 0,
    createTime: TEST_NOW_MS,
    updateTime: TEST_NOW_MS,
  })
  expect((await server.call('GET', `/v1/datasources/${answer.body.dataSourceId}`)).body).toEqual(answer.body)
})

test('the eight global data sources are there, with codes, and editable by none [COL-62], [COL-63], [AUD-168]', async () => {
  const { body: all } = await server.call('GET', '/v1/datasources')
  const globals = all.filter(
    (source: { integrationCode: string | null }) => source.integrationCode?.startsWith('DSID_') === true,
  )
  expect(globals.map((source: { dataSourceId: number }) => source.dataSourceId)).toEqual([
    20914, 20915, 121963, 389146, 488258, 963906, 1171485, 1171489,
  ])
  for (const source of globals) {
    expect(source).toMatchObject({ integrationCode: `DSID_${source.dataSourceId}`, idType: 'DEVICE_ADVERTISING_ID' })
  }
  const change = await server.call('PUT', '/v1/datasources/20914', { name: 'mine' })
  expect([change.status, change.body.code]).toEqual([403, 'read_only'])
  expect((await server.call('DELETE', '/v1/datasources/20914')).status).toBe(403)
  const own = await server.call('GET', '/v1/datasources?includeThirdParty=false')
  expect(own.body.some((source: { dataSourceId: number }) => source.dataSourceId === 20914)).toBe(false)
})

test('the automatic data source has its documented code and description [AUD-102~]', async () => {
  const { body } = await server.call('GET', '/v1/datasources?integrationCode=adobe-provided')
  expect(body).toHaveLength(1)
  expect(body[0].description).toBe('Automatically generated trait data source')
})

test('an unused id is kept, a used one conflicts, the next free one is at least 1,000 [OPS-44]', async () => {
  const kept = await create({ dataSourceId: 77052 })
  expect(kept.dataSourceId).toBe(77052)
  const conflict = await server.call('POST', '/v1/datasources', { name: 'again', dataSourceId: '77052' })
  expect(conflict.status).toBe(409)
  expect(conflict.body).toEqual({
    code: 'id_taken',
    message: 'The id 77052 is taken.',
    details: [{ field: 'dataSourceId', message: 'The id 77052 is taken.', ids: [77052] }],
    requestId,
  })
  expect((await server.call('POST', '/v1/datasources', { name: 'global', dataSourceId: 20915 })).status).toBe(409)

  const first = await create()
  expect(first.dataSourceId).toBeGreaterThanOrEqual(1_000)
  await create({ dataSourceId: first.dataSourceId + 1 })
  expect((await create()).dataSourceId).toBe(first.dataSourceId + 2)
})

test('a cross-device data source needs an integration code and is an authenticated profile by default [AUD-161~]', async () => {
  const refused = await server.call('POST', '/v1/datasources', { name: 'crm', idType: 'CROSS_DEVICE' })
  expect([refused.status, refused.body.details]).toEqual([
    400,
    [{ field: 'integrationCode', message: 'A cross-device data source needs an integration code.' }],
  ])
  const created = await create({ idType: 'cross_device', integrationCode: 'crm' })
  expect(created).toMatchObject({
    idType: 'CROSS_DEVICE',
    subIdType: 'CROSS_DEVICE_PERSON',
    supportsAuthenticatedProfile: true,
  })
})

test('an integration code belongs to one data source', async () => {
  const holder = await create({ integrationCode: 'shop-ids' })
  const twin = await server.call('POST', '/v1/datasources', { name: 'twin', integrationCode: 'shop-ids' })
  expect([twin.status, twin.body.code, twin.body.details[0].ids]).toEqual([
    409,
    'integration_code_taken',
    [holder.dataSourceId],
  ])
})

test('retention is 1 to 60 months of 30 days [AUD-164]', async () => {
  for (const seconds of [2_591_999, 155_520_001]) {
    const refused = await server.call('POST', '/v1/datasources', { name: 'r', customerProfileDataRetention: seconds })
    expect([refused.status, refused.body.details[0].field]).toEqual([400, 'customerProfileDataRetention'])
  }
  const crm = { idType: 'CROSS_DEVICE', integrationCode: 'kept', customerProfileDataRetention: '2592000' }
  expect((await create(crm)).customerProfileDataRetention).toBe(2_592_000)
})

test.each([
  ['dataExportRestrictions', ['PII'], []],
  ['samplingEnabled', true, false],
  ['inboundIdType', 'AUDIENCE_MANAGER_ID', 'CUSTOMER_ID'],
  ['useAudienceManagerVisitorID', true, false],
  ['marketingCloudVisitorIdVersion', 1, 0],
  ['allowDataSharing', 'true', 'false'],
  ['masterDataSourceIdProvider', true, false],
  ['allowDeviceGraphSharing', 1, 0],
  ['deviceGraph', true, false],
  ['deviceGraphName', 'graph', ''],
])('%s: %j would be without effect and is refused with what to send, %j is not', async (member, value, idle) => {
  const crm = { name: 'x', idType: 'CROSS_DEVICE', integrationCode: `with-${member}` }
  const refused = await server.call('POST', '/v1/datasources', { ...crm, [member]: value })
  expect([refused.status, refused.body.details.map((detail: { field: string }) => detail.field)]).toEqual([
    400,
    [member],
  ])
  expect(refused.body.details[0].message).toMatch(/not built yet|one organisation/)
  const { dataSourceId } = await create({ ...crm, [member]: idle })
  const patched = await server.call('PATCH', `/v1/datasources/${dataSourceId}`, { [member]: value })
  expect([patched.status, patched.body.details[0].field]).toEqual([400, member])
})

test.each([
  ['subIdType', 'CROSS_DEVICE_HOUSEHOLD'],
  ['supportsAuthenticatedProfile', true],
  ['authenticatedProfileName', 'Logged in'],
  ['customerProfileDataRetention', 2_592_000],
])(
  '%s is of cross-device data sources and is refused on others [AUD-161~], [AUD-164], [AUD-160]',
  async (member, value) => {
    for (const idType of ['COOKIE', 'DEVICE_ADVERTISING_ID']) {
      const refused = await server.call('POST', '/v1/datasources', { name: 'x', idType, [member]: value })
      expect([refused.status, refused.body.details[0].field]).toEqual([400, member])
      expect(refused.body.details[0].message).toContain('CROSS_DEVICE only')
    }
    const crm = { idType: 'CROSS_DEVICE', integrationCode: `of-${member}` }
    expect((await create({ ...crm, [member]: value }))[member]).toBe(value)
  },
)

test('merge rules name only data sources with authenticated profiles, which then keep them [AUD-161~], [AUD-201~]', async () => {
  const crm = (code: string, more: object = {}) => create({ idType: 'CROSS_DEVICE', integrationCode: code, ...more })
  const rule = (id: number) => ({
    name: 'r',
    crossDeviceOption: 'LAST',
    deviceOption: 'DEVICE',
    crossDeviceDataSourceIds: [id],
  })
  const without = await crm('no-profile', { supportsAuthenticatedProfile: false })
  const refused = await server.call('POST', '/v1/merge-rules', rule(without.dataSourceId))
  expect([refused.status, refused.body.details[0].field]).toEqual([400, 'crossDeviceDataSourceIds'])
  expect(refused.body.details[0].message).toContain('supportsAuthenticatedProfile')

  const used = await crm('profile')
  const { body } = await server.call('POST', '/v1/merge-rules', rule(used.dataSourceId))
  for (const change of [{ supportsAuthenticatedProfile: false }, COOKIE]) {
    const kept = await server.call('PATCH', `/v1/datasources/${used.dataSourceId}`, change)
    expect([kept.status, kept.body.details[0]]).toMatchObject([
      409,
      { field: 'mergeRules', ids: [body.mergeRuleDataSourceId] },
    ])
  }
})

const COOKIE = {
  ...{ idType: 'COOKIE', subIdType: null, supportsAuthenticatedProfile: false, authenticatedProfileName: null },
}

test('an ID sync and redirect hosts are stored for the edge [SEC-13~] [OUT-16]', async () => {
  const created = await create({
    redirectHosts: ['*.partner.example'],
    idSync: { url: '//sync.partner.example/u?d=%did%' },
  })
  expect(created.idSync).toEqual({
    url: '//sync.partner.example/u?d=%did%',
    tag: 'img',
    intervalMinutes: 20_160,
    syncOnPage: false,
    containerIds: [],
  })
  const refused = await server.call('POST', '/v1/datasources', {
    name: 'x',
    redirectHosts: ['https://partner.example/'],
  })
  expect([refused.status, refused.body.details]).toEqual([
    400,
    [{ field: 'redirectHosts.0', message: 'is not a host name' }],
  ])
  for (const pattern of ['*.com', '*.co.uk', '*.github.io', '*.s3.amazonaws.com']) {
    const open = await server.call('POST', '/v1/datasources', { name: 'x', redirectHosts: ['a.example', pattern] })
    const message = 'covers hosts of everybody: name a domain that one party registered'
    expect([open.status, open.body.details]).toEqual([400, [{ field: 'redirectHosts.1', message }]])
  }
})

test('PUT replaces, PATCH changes only what it names, a read object can be sent back [API-37], [API-38], [API-26]', async () => {
  const { dataSourceId, ...created } = await create({ description: 'old', inboundS2S: true })
  const path = `/v1/datasources/${dataSourceId}`
  const patched = await server.call('PATCH', path, { description: 'new' })
  expect([patched.status, patched.body.description, patched.body.inboundS2S]).toEqual([200, 'new', true])
  const sentBack = await server.call('PUT', path, { ...created, dataSourceId, unknownMember: 1 })
  expect(sentBack.body).toEqual({ ...created, dataSourceId })
  const replaced = await server.call('PUT', path, { name: 'only the name' })
  expect([replaced.status, replaced.body.description, replaced.body.inboundS2S]).toEqual([200, '', false])
  expect((await server.call('PUT', path, { description: 'no name' })).body.details[0].field).toBe('name')
})

test.each([
  ['active', 'ACTIVE'],
  ['Inactive', 'INACTIVE'],
  [1, 'ACTIVE'],
  [0, 'INACTIVE'],
])('status %s is stored as %s [API-40]', async (sent, stored) => {
  expect((await create({ status: sent })).status).toBe(stored)
})

test('a data source in use is not deleted, one that is not is gone; bulk is all or none [API-71], [API-27], [API-28], [API-32]', async () => {
  const used = await create()
  const free = await create()
  const unused = [await create(), await create()].map(({ dataSourceId }) => dataSourceId)
  const trait = {
    name: 't',
    traitRule: 'a==1',
    traitType: 'RULE_BASED_TRAIT',
    folderId: 0,
    dataSourceId: used.dataSourceId,
  }
  const { body } = await server.call('POST', '/v1/traits', trait)
  const bulk = await server.call('POST', '/v1/datasources/bulk-delete', [free.dataSourceId, used.dataSourceId])
  expect(bulk.status).toBe(409)
  expect(bulk.body).toEqual({
    code: 'in_use',
    message: `Data source ${used.dataSourceId} is used by traits ${body.sid}.`,
    details: [
      { field: 'traits', message: `Data source ${used.dataSourceId} is used by traits ${body.sid}.`, ids: [body.sid] },
    ],
    requestId,
  })
  const deleted = await server.call('DELETE', `/v1/datasources/${free.dataSourceId}`)
  expect([deleted.status, deleted.text]).toEqual([204, ''])
  expect((await server.call('GET', `/v1/datasources/${free.dataSourceId}`)).status).toBe(404)
  expect((await server.call('POST', '/v1/datasources/bulk-delete', unused)).status).toBe(204)
  expect((await server.call('GET', `/v1/datasources/${unused[1]}`)).status).toBe(404)
})

test('id types are listed [API-73], [AUD-160]', async () => {
  const { body } = await server.call('GET', '/v1/datasources/configurations/available-id-types')
  expect(body.map((type: { idType: string }) => type.idType)).toEqual([
    'COOKIE',
    'DEVICE_ADVERTISING_ID',
    'CROSS_DEVICE',
  ])
})

test('a limit is named when it is reached [SEC-69]', async () => {
  await using small = await startTestAdmin({ limits: { dataSources: 2 } })
  expect((await small.call('POST', '/v1/datasources', { name: 'a' })).status).toBe(201)
  const refused = await small.call('POST', '/v1/datasources', { name: 'b' })
  expect([refused.status, refused.body.code, refused.body.details[0].field]).toEqual([
    409,
    'limit_reached',
    'dataSources',
  ])
})
