import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'

let server: TestAdmin
let crm: number
beforeAll(async () => {
  server = await startTestAdmin()
  crm = (await server.call('POST', '/v1/datasources', { name: 'crm', idType: 'CROSS_DEVICE', integrationCode: 'crm' }))
    .body.dataSourceId
})
afterAll(() => server[Symbol.asyncDispose]())

const draft = (over: object = {}) => ({
  name: 'Logged in',
  crossDeviceOption: 'LAST',
  deviceOption: 'DEVICE',
  crossDeviceDataSourceIds: [crm],
  ...over,
})
const create = async (over: object = {}) => (await server.call('POST', '/v1/merge-rules', draft(over))).body

test('a fresh installation has one rule, device only, as default [AUD-350], [AUD-201~]', async () => {
  await using fresh = await startTestAdmin()
  const { body } = await fresh.call('GET', '/v1/merge-rules')
  expect(body).toMatchObject([
    {
      mergeRuleDataSourceId: 1001,
      name: 'No Cross-Device Profile + Device Profile',
      isDefault: true,
      crossDeviceOption: 'NONE',
      deviceOption: 'DEVICE',
      crossDeviceDataSourceIds: [],
    },
  ])
  const changed = await fresh.call('PATCH', '/v1/merge-rules/1001', { name: 'Device only' })
  expect([changed.status, changed.body.name]).toEqual([200, 'Device only'])
})

test('a rule is created with an id of the data sources and read back [API-63]', async () => {
  const answer = await server.call('POST', '/v1/merge-rules', draft({ description: 'd' }))
  expect(answer.status).toBe(201)
  expect(answer.body).toMatchObject({ ...draft(), description: 'd', isDefault: false, dataExportRestrictions: [] })
  const path = `/v1/merge-rules/${answer.body.mergeRuleDataSourceId}`
  expect((await server.call('GET', path)).body).toEqual(answer.body)
  expect(
    (await server.call('POST', '/v1/datasources', { name: 'x', dataSourceId: answer.body.mergeRuleDataSourceId }))
      .status,
  ).toBe(409)
  expect((await server.call('PATCH', path, { name: 'renamed' })).body).toMatchObject({
    name: 'renamed',
    crossDeviceDataSourceIds: [crm],
  })
  expect((await server.call('PUT', path, draft())).body.description).toBeNull()
})

const NOT_BUILT = 'is not built yet. This version evaluates crossDeviceOption NONE or LAST with deviceOption DEVICE.'

test.each([
  ['NONE', 'DEVICE', 201],
  ['NONE', 'NONE', 'deviceOption: With crossDeviceOption NONE it is one of DEVICE, EXTERNAL.'],
  ['NONE', 'PROFILE_LINK', 'deviceOption: With crossDeviceOption NONE it is one of DEVICE, EXTERNAL.'],
  ['CURRENT', 'EXTERNAL', 'deviceOption: With crossDeviceOption CURRENT it is one of NONE, PROFILE_LINK.'],
  ['LAST', 'DEVICE', 201],
  ['LAST', 'NONE', 'deviceOption: With crossDeviceOption LAST it is one of DEVICE, PROFILE_LINK, EXTERNAL.'],
  ['ALL', 'DEVICE', 'deviceOption: With crossDeviceOption ALL it is one of NONE.'],
  // Combinations of AAM that would be saved and never fill a segment.
  ['NONE', 'EXTERNAL', `deviceOption: EXTERNAL ${NOT_BUILT}`],
  ['CURRENT', 'NONE', `crossDeviceOption: CURRENT ${NOT_BUILT}`],
  ['CURRENT', 'PROFILE_LINK', `crossDeviceOption: CURRENT ${NOT_BUILT}`],
  ['LAST', 'PROFILE_LINK', `deviceOption: PROFILE_LINK ${NOT_BUILT}`],
  ['LAST', 'EXTERNAL', `deviceOption: EXTERNAL ${NOT_BUILT}`],
  ['ALL', 'NONE', `crossDeviceOption: ALL ${NOT_BUILT}`],
])('%s with %s: %s [AUD-190], [AUD-193], [AUD-356~]', async (crossDeviceOption, deviceOption, expected) => {
  const crossDeviceDataSourceIds = crossDeviceOption === 'NONE' ? [] : [crm]
  const answer = await server.call(
    'POST',
    '/v1/merge-rules',
    draft({ crossDeviceOption, deviceOption, crossDeviceDataSourceIds }),
  )
  if (expected === 201) expect(answer.status).toBe(201)
  else {
    const [detail] = answer.body.details
    expect([answer.status, `${detail.field}: ${detail.message}`]).toEqual([400, expected])
  }
})

test('data sources: up to 3, of type cross-device, one with a profile link, none without the option [AUD-199], [AUD-201~]', async () => {
  const more: number[] = [crm]
  for (const code of ['b', 'c', 'd']) {
    more.push(
      (await server.call('POST', '/v1/datasources', { name: code, idType: 'CROSS_DEVICE', integrationCode: code })).body
        .dataSourceId,
    )
  }
  const refused = async (over: object) => {
    const answer = await server.call('POST', '/v1/merge-rules', draft(over))
    expect(answer.status).toBe(400)
    return answer.body.details.at(-1).field
  }
  expect((await create({ crossDeviceDataSourceIds: more.slice(0, 3) })).crossDeviceDataSourceIds).toEqual(
    more.slice(0, 3),
  )
  expect(await refused({ crossDeviceDataSourceIds: more })).toBe('crossDeviceDataSourceIds')
  expect(await refused({ crossDeviceDataSourceIds: [crm, crm] })).toBe('crossDeviceDataSourceIds')
  expect(await refused({ crossDeviceDataSourceIds: [] })).toBe('crossDeviceDataSourceIds')
  expect(await refused({ crossDeviceDataSourceIds: [20914] })).toBe('crossDeviceDataSourceIds')
  expect(await refused({ crossDeviceDataSourceIds: [4711] })).toBe('crossDeviceDataSourceIds')
  expect(await refused({ deviceOption: 'PROFILE_LINK', crossDeviceDataSourceIds: more.slice(0, 2) })).toBe(
    'crossDeviceDataSourceIds',
  )
  expect(await refused({ crossDeviceOption: 'NONE' })).toBe('crossDeviceDataSourceIds')
})

test('export controls on a rule would block nothing and are refused [AUD-180~]', async () => {
  const refused = await server.call('POST', '/v1/merge-rules', draft({ dataExportRestrictions: ['PII'] }))
  expect([refused.status, refused.body.details[0].field]).toEqual([400, 'dataExportRestrictions'])
  expect(refused.body.details[0].message).toContain('not built yet')
})

test('more than the four rules of AAM are possible [AUD-200]', async () => {
  for (let i = 0; i < 6; i++) expect((await create()).mergeRuleDataSourceId).toBeGreaterThan(0)
})

test('exactly one rule is the default; it passes on and cannot be dropped [AUD-201~]', async () => {
  const [previous] = (await server.call('GET', '/v1/merge-rules')).body.filter(
    (rule: { isDefault: boolean }) => rule.isDefault,
  )
  const path = `/v1/merge-rules/${previous.mergeRuleDataSourceId}`
  for (const answer of [await server.call('PATCH', path, { isDefault: false }), await server.call('DELETE', path)]) {
    expect([answer.status, answer.body.code]).toEqual([409, 'default_merge_rule'])
  }
  const next = await create({ isDefault: true })
  const defaults = (await server.call('GET', '/v1/merge-rules')).body.filter(
    (rule: { isDefault: boolean }) => rule.isDefault,
  )
  expect(defaults).toMatchObject([{ mergeRuleDataSourceId: next.mergeRuleDataSourceId }])
  expect((await server.call('DELETE', path)).status).toBe(204)
})

test('a rule in use is not deleted, but replaced in bulk and then deleted [AUD-202], [API-47]', async () => {
  const source = (await server.call('POST', '/v1/datasources', { name: 'x' })).body.dataSourceId
  const trait = (
    await server.call('POST', '/v1/traits', {
      folderId: 0,
      dataSourceId: source,
      traitType: 'ON_BOARDED_TRAIT',
      name: 'a',
    })
  ).body.sid
  const used = (await create()).mergeRuleDataSourceId
  const other = (await create()).mergeRuleDataSourceId
  const segment = {
    name: 's',
    segmentRule: `${trait}T`,
    folderId: 0,
    dataSourceId: source,
    mergeRuleDataSourceId: used,
  }
  const { sid } = (await server.call('POST', '/v1/segments', segment)).body
  const refused = await server.call('DELETE', `/v1/merge-rules/${used}`)
  expect([refused.status, refused.body.details[0]]).toMatchObject([409, { field: 'segments', ids: [sid] }])
  const wrong = { existingMergeRuleDataSourceId: used, replaceWithMergeRuleDataSourceId: 4711 }
  expect((await server.call('POST', '/v1/segments/bulk-merge-rule-replace', wrong)).body.details[0].field).toBe(
    'replaceWithMergeRuleDataSourceId',
  )

  const swap = { existingMergeRuleDataSourceId: used, replaceWithMergeRuleDataSourceId: other }
  const swapped = await server.call('POST', '/v1/segments/bulk-merge-rule-replace', swap)
  expect([swapped.status, swapped.body]).toEqual([200, { segmentCount: 1 }])
  expect((await server.call('GET', `/v1/segments/${sid}`)).body.mergeRuleDataSourceId).toBe(other)
  expect((await server.call('DELETE', `/v1/merge-rules/${used}`)).status).toBe(204)
})

test('a data source that a rule names is not deleted', async () => {
  const refused = await server.call('DELETE', `/v1/datasources/${crm}`)
  expect([refused.status, refused.body.details[0].field]).toEqual([409, 'mergeRules'])
})
