import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, TEST_NOW_MS, type TestAdmin } from '../testkit/start-test-admin.ts'

const SECRET = 'canary-7f3a9c-signing-key-K4T9'
const withPartner = async (admin: TestAdmin): Promise<TestAdmin> => {
  const source = { name: 'dsp', dataSourceId: 77052, idType: 'CROSS_DEVICE', integrationCode: 'dsp' }
  await admin.call('POST', '/v1/datasources', source)
  return admin
}
let server: TestAdmin
beforeAll(async () => {
  server = await withPartner(await startTestAdmin())
})
afterAll(() => server[Symbol.asyncDispose]())

/** The complete destination of [OPS-50]. */
const draft = (over: object = {}, s2s: object = {}) => ({
  name: 'Halden DSP',
  destinationType: 'S2S',
  s2s: {
    protocol: 'https',
    delivery: 'realtime',
    format: 'aam-json',
    mode: 'durable',
    url: 'https://in.halden.example/aam',
    userDpid: 77052,
    clientId: '74323',
    usersPerMessage: 10,
    auth: {
      type: 'hmac',
      header: 'X-Signature',
      algorithm: 'sha256',
      keys: [{ key: SECRET, from: '2026-11-22T00:00:00.000Z' }],
    },
    ...s2s,
  },
  ...over,
})
const create = async (over: object = {}, s2s: object = {}) =>
  (await server.call('POST', '/v1/destinations', draft(over, s2s))).body

test('a server-to-server destination is created and read without its secrets [API-78~], [OPS-42~], [OPS-50~], [SEC-63~]', async () => {
  const answer = await server.call('POST', '/v1/destinations/', draft())
  expect(answer.status).toBe(201)
  expect(answer.body).toMatchObject({
    destinationId: expect.any(Number),
    name: 'Halden DSP',
    destinationType: 'S2S',
    status: 'ACTIVE',
    createTime: TEST_NOW_MS,
    s2s: {
      url: 'https://in.halden.example/aam',
      userDpid: 77052,
      auth: { type: 'hmac', keys: [{ key: { set: true, last4: 'K4T9' } }] },
    },
  })
  const read = await server.call('GET', `/v1/destinations/${answer.body.destinationId}`)
  expect(read.body).toEqual({ ...answer.body, mappings: null })
  for (const text of [answer.text, read.text, (await server.call('GET', '/v1/destinations')).text])
    expect(text).not.toContain(SECRET)
})

test('a secret is nowhere in the files of the catalogue in clear, nor in the log, and still known after a restart [SEC-62~], [SEC-63~]', async () => {
  await using other = await withPartner(await startTestAdmin())
  const { destinationId } = (await other.call('POST', '/v1/destinations', draft())).body
  for (const file of [other.file, `${other.file}-wal`]) {
    const bytes = await readFile(file)
    expect(bytes.length).toBeGreaterThan(0)
    expect(bytes.includes(SECRET)).toBe(false)
    expect(bytes.includes(Buffer.from(SECRET).toString('base64').slice(4, -4))).toBe(false)
  }
  expect(JSON.stringify(other.log)).not.toContain(SECRET)
  await other.restart()
  const { config } = await other.catalog.destinations.get(destinationId)
  expect(config).toMatchObject({ auth: { keys: [{ key: SECRET }] } })
})

test('what was read can be sent back: redacted secrets stay, new ones replace [API-37], [SEC-63~]', async () => {
  const { destinationId } = await create()
  const path = `/v1/destinations/${destinationId}`
  const shown = (await server.call('GET', path)).body
  const sentBack = await server.call('PUT', path, { ...shown, name: 'renamed' })
  expect([sentBack.status, sentBack.body.name]).toEqual([200, 'renamed'])
  expect((await server.catalog.destinations.get(destinationId)).config).toMatchObject({
    auth: { keys: [{ key: SECRET }] },
  })
  expect((await server.call('PATCH', path, { status: 0 })).body.status).toBe('INACTIVE')
  const rotated = 'another-signing-key-of-length-Z9Z9'
  await server.call('PUT', path, draft({}, { auth: { type: 'hmac', keys: [{ key: rotated }] } }))
  expect((await server.catalog.destinations.get(destinationId)).config).toMatchObject({
    auth: { keys: [{ key: rotated }] },
  })
})

test('a signing key that is left out is generated and shown once, in the answer of that call [OPS-50~] [OUT-74~]', async () => {
  const created = await create({}, { auth: { type: 'hmac' } })
  const [{ key }] = created.s2s.auth.keys
  expect(key).toEqual({
    set: true,
    last4: key.value.slice(-4),
    fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    value: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
  })
  const path = `/v1/destinations/${created.destinationId}`
  const keysNow = async () =>
    (
      (await server.catalog.destinations.get(created.destinationId)).config as {
        auth: { keys: unknown }
        headers: unknown
      }
    ).auth.keys
  const read = await server.call('GET', path)
  expect(read.text).not.toContain(key.value)
  expect(await keysNow()).toEqual([{ key: key.value }])
  // Sent back with its value it stays what it is; another call shows nothing.
  const again = await server.call('PUT', path, created)
  expect([again.status, again.text.includes(key.value)]).toEqual([200, false])
  expect(await keysNow()).toEqual([{ key: key.value }])
  const auth = { ...read.body.s2s.auth, keys: [...read.body.s2s.auth.keys, {}] }
  const rotated = (await server.call('PATCH', path, { s2s: { ...read.body.s2s, auth } })).body.s2s.auth.keys
  expect(rotated[0].key).not.toHaveProperty('value')
  expect(await keysNow()).toEqual([{ key: key.value }, { key: rotated[1].key.value }])
  expect(JSON.stringify(server.log)).not.toContain(rotated[1].key.value)
  const left = await server.call('PUT', path, draft({}, { auth: { type: 'hmac' } }))
  expect([left.status, left.body.details[0].field]).toEqual([400, 's2s.auth.keys'])
})

test('values of free headers are secrets: shown by their end, kept when they are sent back [SEC-63~] [SEC-29~]', async () => {
  const canary = 'canary-of-a-header-5f2c'
  const created = await create({}, { headers: { 'X-Api-Key': canary, 'X-Account': '7' } })
  const path = `/v1/destinations/${created.destinationId}`
  expect(created.s2s.headers).toEqual({
    'X-Api-Key': { set: true, last4: '5f2c', fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/) },
    'X-Account': { set: true, last4: '', fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/) },
  })
  for (const text of [JSON.stringify(created), (await server.call('GET', path)).text])
    expect(text).not.toContain(canary)
  const stored = async () =>
    (
      (await server.catalog.destinations.get(created.destinationId)).config as {
        auth: { keys: unknown }
        headers: unknown
      }
    ).headers
  expect((await server.call('PUT', path, { ...created, name: 'renamed' })).status).toBe(200)
  expect((await server.call('PATCH', path, { status: 0 })).status).toBe(200)
  expect(await stored()).toEqual({ 'X-Api-Key': canary, 'X-Account': '7' })
  const s2s = { ...created.s2s, headers: { 'x-api-key': created.s2s.headers['X-Api-Key'], 'X-Account': '8' } }
  expect((await server.call('PATCH', path, { s2s })).status).toBe(200)
  expect(await stored()).toEqual({ 'x-api-key': canary, 'X-Account': '8' })
  const lying = await server.call('PATCH', path, { s2s: { ...created.s2s, headers: { 'Content-Encoding': 'gzip' } } })
  expect([lying.status, lying.body.details[0].field]).toEqual([400, 's2s.headers.Content-Encoding'])
  expect(JSON.stringify(server.log)).not.toContain(canary)
})

test('an error in the settings names the member from the body on [API-34]', async () => {
  const url = await server.call('POST', '/v1/destinations', draft({}, { url: 'http://in.halden.example/aam' }))
  expect([url.status, url.body.code, url.body.details[0].field]).toEqual([400, 'invalid_request', 's2s.url'])
  const key = await server.call(
    'POST',
    '/v1/destinations',
    draft({}, { auth: { type: 'hmac', keys: [{ key: 'short' }] } }),
  )
  expect(key.body.details[0].field).toBe('s2s.auth.keys.0.key')
  expect((await server.call('POST', '/v1/destinations', draft({ s2s: undefined }))).body.details).toEqual([
    { field: 's2s', message: 'A destination of type S2S needs its s2s object.' },
  ])
})

test('two keys of the partner with the same end are changed: what fits both is refused, the fingerprint tells them apart [OUT-72~] [SEC-63~] [OPS-50~]', async () => {
  const [old, next] = ['halden-2025-secret', 'halden-2026-secret']
  const created = await create({}, { auth: { type: 'hmac', keys: [{ key: old }, { key: next }] } })
  const path = `/v1/destinations/${created.destinationId}`
  const keep = (key: unknown) =>
    server.call('PATCH', path, { s2s: { ...created.s2s, auth: { ...created.s2s.auth, keys: [{ key }] } } })
  const stored = async () =>
    ((await server.catalog.destinations.get(created.destinationId)).config as { auth: { keys: unknown } }).auth.keys
  const refused = await keep({ set: true, last4: 'cret' })
  expect([refused.status, refused.body.code, refused.body.details]).toEqual([
    400,
    'invalid_request',
    [
      {
        field: 's2s.auth.keys.0.key',
        message:
          'fits two stored keys, which both end in cret: send the fingerprint that is shown with the one that is meant, too, or the key itself',
      },
    ],
  ])
  expect(await stored()).toEqual([{ key: old }, { key: next }])
  expect((await keep({ set: true, last4: 'zzzz' })).body.details).toEqual([
    {
      field: 's2s.auth.keys.0.key',
      message: 'no stored key ends in zzzz: send the key itself, or what an answer shows of the stored one',
    },
  ])
  const shown = created.s2s.auth.keys[1].key
  const kept = await keep(shown)
  expect([kept.status, kept.body.s2s.auth.rotationHeader]).toEqual([200, 'X-Signature-Next'])
  expect(await stored()).toEqual([{ key: next }])
  // Repeated it changes nothing, and it means the same after a restart.
  await server.restart()
  expect((await keep(shown)).status).toBe(200)
  expect(await stored()).toEqual([{ key: next }])
})

test('other destination types are refused naming the member', async () => {
  const answer = await server.call('POST', '/v1/destinations', {
    name: 'url',
    destinationType: 'PUSH',
    serializationEnabled: false,
  })
  expect([answer.status, answer.body.details]).toEqual([
    400,
    [{ field: 'destinationType', message: 'Destinations of type PUSH are not available yet; S2S is.' }],
  ])
})

test('a destination id is kept, a used one conflicts [OPS-44]', async () => {
  expect((await create({ destinationId: 4033 })).destinationId).toBe(4033)
  const taken = await server.call('POST', '/v1/destinations', draft({ destinationId: 4033 }))
  expect([taken.status, taken.body.details[0].field]).toEqual([409, 'destinationId'])
})

test('limits are shown, and reached by name [API-82], [AUD-307~], [OUT-05~], [SEC-69]', async () => {
  await using small = await withPartner(await startTestAdmin({ limits: { serverToServerDestinations: 1 } }))
  await small.call('POST', '/v1/destinations', draft())
  expect((await small.call('GET', '/v1/destinations/limits')).body).toEqual({
    destinations: { count: 1, max: 1_000 },
    serverToServerDestinations: { count: 1, max: 1 },
  })
  const refused = await small.call('POST', '/v1/destinations', draft())
  expect([refused.status, refused.body.details[0].field]).toEqual([409, 'serverToServerDestinations'])
})

test('platforms are listed as documented [API-83]', async () => {
  expect((await server.call('GET', '/v1/destinations/configurations/available-platforms/')).body).toEqual([
    'BROWSER',
    'ANDROID',
    'iOS',
    'ALL',
  ])
})

test('destinations without mappings are deleted, alone and in bulk; a data source they name stays [API-80], [API-81]', async () => {
  const [a, b] = [await create(), await create()]
  const source = await server.call('DELETE', '/v1/datasources/77052')
  expect([source.status, source.body.details[0].field]).toEqual([409, 'destinations'])
  expect((await server.call('DELETE', `/v1/destinations/${a.destinationId}`)).status).toBe(204)
  expect((await server.call('POST', '/v1/destinations/bulk-delete/', [b.destinationId])).status).toBe(204)
  expect((await server.call('GET', `/v1/destinations/${b.destinationId}`)).status).toBe(404)
})

test('settings that this version would not act on are refused at their member [OPS-42~], [OPS-56~], [AUD-180~]', async () => {
  const refused = async (change: object) => {
    const answer = await server.call('POST', '/v1/destinations', { ...draft(), ...change })
    return [answer.status, answer.body.details.map((detail: { field: string }) => detail.field)]
  }
  const { s2s } = draft()
  expect(await refused({ s2s: { ...s2s, delivery: 'hybrid' } })).toEqual([400, ['s2s.delivery']])
  expect(await refused({ s2s: { ...s2s, schedule: [] } })).toEqual([400, ['s2s.schedule']])
  expect(await refused({ dataExportLabels: ['PII'] })).toEqual([400, ['dataExportLabels']])
})

test('users cannot be named by a data source that does not exist, nor can one that names them be deleted [OPS-42~] [API-28~]', async () => {
  for (const userDpid of [99, [77052, 99]]) {
    const refused = await server.call('POST', '/v1/destinations', draft({}, { userDpid }))
    expect([refused.status, refused.body.details]).toEqual([
      400,
      [{ field: 's2s.userDpid', message: 'There is no data source 99.' }],
    ])
  }
  const { destinationId, s2s } = await create()
  const path = `/v1/destinations/${destinationId}`
  const changed = await server.call('PATCH', path, { s2s: { ...s2s, userDpid: 99 } })
  expect([changed.status, changed.body.details[0].field]).toEqual([400, 's2s.userDpid'])
  expect((await server.call('GET', path)).body.s2s.userDpid).toBe(77052)
  const used = await server.call('DELETE', '/v1/datasources/77052')
  expect([used.status, used.body.code, used.body.details[0].ids]).toEqual([
    409,
    'in_use',
    expect.arrayContaining([destinationId]),
  ])
})
