import { afterAll, beforeAll, expect, test } from 'vitest'
import { destinationTypes } from '../activation/destinations/index.ts'
import { exercise } from '../testkit/exercise-destination.ts'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'

const PEPPER = 'canary-pepper-of-the-exercise'
let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin({ destinationTypes: [...destinationTypes, exercise] })
  await server.call('POST', '/v1/datasources', {
    ...{ name: 'addresses', dataSourceId: 77052, idType: 'CROSS_DEVICE', integrationCode: 'addresses' },
  })
})
afterAll(() => server[Symbol.asyncDispose]())

const settings = { ...exercise.example, pepper: PEPPER }
const draft = (over: object = {}) => ({ name: 'Lists', destinationType: 'EXERCISE', exercise: settings, ...over })

test('every type is listed with what it takes as JSON Schema [API-188]', async () => {
  const { status, body } = await server.call('GET', '/v1/destination-types')
  expect(status).toBe(200)
  expect(body.map(({ type, can }: { type: string; can: string[] }) => [type, can])).toEqual([
    ['S2S', ['realtime']],
    ['EXERCISE', ['realtime']],
  ])
  const [s2s, own] = body
  expect(s2s).toMatchObject({ title: 'Server to server', description: expect.stringMatching(/.{20}/) })
  expect(s2s.schema).toMatchObject({
    type: 'object',
    required: ['name', 'destinationType', 's2s'],
    properties: { destinationType: { const: 'S2S' }, status: { 'x-default': 'ACTIVE' } },
  })
  expect(s2s.schema.properties.exercise).toBeUndefined()
  const { properties } = s2s.schema.properties.s2s
  expect(properties.usersPerMessage).toMatchObject({ default: 10, 'x-only': { method: 'POST' } })
  expect(properties.urlTemplate).toMatchObject({ 'x-only': { method: 'GET' } })
  expect(properties.timeoutMs).toMatchObject({ 'x-only': { mode: 'durable' }, 'x-default': '15000 in durable' })
  expect(properties.protocol.enum).toEqual(['https'])
  expect(own.schema.properties.exercise.properties.pepper).toMatchObject({ writeOnly: true, minLength: 8 })
  expect(JSON.stringify(body)).not.toMatch(/x-idle|x-not-built|"secret":/)
})

test('one is shown by its name, in letters of any size; another is not there [API-188]', async () => {
  const { body } = await server.call('GET', '/v1/destination-types')
  expect((await server.call('GET', '/v1/destination-types/s2s')).body).toEqual(body[0])
  expect((await server.call('GET', '/v1/destination-types/PUSH')).status).toBe(404)
})

test('a destination of a type that the API knows nothing of is created, shown, changed and listed [API-78~] [SEC-63~]', async () => {
  const made = await server.call('POST', '/v1/destinations', draft())
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({
    destinationType: 'EXERCISE',
    exercise: { account: '90071992547409931234', pepper: { set: true, last4: 'cise' }, auth: { type: 'none' } },
  })
  expect(made.body.s2s).toBeUndefined()
  const path = `/v1/destinations/${made.body.destinationId}`
  const { body } = await server.call('GET', path)
  // Sent back as it was shown, and one member changed.
  const changed = await server.call('PUT', path, { ...body, exercise: { ...body.exercise, account: '7' } })
  expect(changed.body.exercise).toEqual({ ...body.exercise, account: '7' })
  expect((await server.call('PATCH', path, { name: 'Others' })).body).toMatchObject({
    name: 'Others',
    exercise: changed.body.exercise,
  })
  const list = await server.call('GET', '/v1/destinations')
  expect(list.body[0]).toMatchObject({ destinationType: 'EXERCISE' })
  expect(list.body[0].exercise).toBeUndefined()
  expect(made.text + changed.text + list.text).not.toContain(PEPPER)
})

test('what is wrong is named by its member, whatever the type', async () => {
  const refused = async (over: object) => {
    const { status, body } = await server.call('POST', '/v1/destinations', draft(over))
    expect(status).toBe(400)
    return body.details[0]
  }
  expect(await refused({ exercise: { ...settings, account: 'x' } })).toMatchObject({ field: 'exercise.account' })
  expect(await refused({ exercise: { ...settings, url: 'http://lists.example/' } })).toMatchObject({
    field: 'exercise.url',
    message: expect.stringContaining('must begin with https:'),
  })
  expect(await refused({ exercise: undefined })).toMatchObject({ field: 'exercise' })
  expect(await refused({ s2s: { url: 'https://in.halden.example' } })).toMatchObject({
    field: 's2s',
    message: 'Is of destinations of type S2S; this one is of type EXERCISE.',
  })
  expect(await refused({ exercise: { ...settings, userDpid: 999 } })).toMatchObject({ field: 'exercise.userDpid' })
  expect(await refused({ destinationType: 'PUSH' })).toMatchObject({
    field: 'destinationType',
    message: 'Destinations of type PUSH are not available yet; S2S and EXERCISE are.',
  })
})

test('it is described in /openapi.json like any other [OPS-40~]', async () => {
  const { body } = await server.call('GET', '/openapi.json')
  const { schema } = body.paths['/v1/destinations'].post.requestBody.content['application/json']
  expect(Object.keys(schema.properties.exercise.properties)).toEqual(Object.keys(exercise.config.shape))
})
