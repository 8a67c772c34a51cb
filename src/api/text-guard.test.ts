import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestAdmin, TEST_TOKEN, type TestAdmin } from '../testkit/start-test-admin.ts'

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Record<string, unknown> }
}
let server: TestAdmin
let paths: Record<string, Record<string, Operation>>
beforeAll(async () => {
  server = await startTestAdmin({ config: { requestsPerSecond: 10_000 } })
  paths = (await server.call('GET', '/openapi.json')).body.paths
  await server.call('POST', '/v1/datasources', {
    name: 'crm',
    dataSourceId: 2002,
    idType: 'CROSS_DEVICE',
    integrationCode: 'crm_x',
  })
  await server.call('POST', '/v1/traits', draftOf('traits', { sid: 900_000 }))
})
afterAll(() => server[Symbol.asyncDispose]())

const operations = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
const fill = (path: string, value = '1') => path.replace(/\{[^}]+\}/g, (name) => (name === '{kind}' ? 'traits' : value))
const refusal = (field: string, issue = 'holds the character U+0000') => [{ field, message: `\`${field}\` ${issue}.` }]

describe('on every route that the description lists [API-164]', () => {
  test('a body with U+0000 or half a surrogate pair is refused in any member, with the field', async () => {
    const withBody = operations().filter(({ operation }) => operation.requestBody !== undefined)
    expect(withBody.length).toBeGreaterThan(25)
    for (const { path, method } of withBody) {
      const call = (body: unknown) => server.call(method, fill(path), body)
      const nul = await call({ anything: { deep: ['a', 'cut\0here'] } })
      expect([path, nul.status, nul.body.details]).toEqual([path, 400, refusal('anything.deep.1')])
      const half = await call('{"name":"\\ud800"}')
      expect([path, half.body.details]).toEqual([path, refusal('name', 'holds an unpaired surrogate (U+D800)')])
      const name = await call('{"a\\u0000b":1}')
      expect([path, name.status, name.body.details[0].field]).toEqual([path, 400, ''])
    }
  })

  test('so are query and path', async () => {
    for (const { path, method } of operations()) {
      const query = await server.call(method, `${fill(path)}?anything=%00`, method === 'GET' ? undefined : {})
      expect([path, query.status, query.body.details]).toEqual([path, 400, refusal('anything')])
      const name = /\{([^}]+)\}/.exec(path)?.[1]
      if (name === undefined || name === 'kind') continue
      const inPath = await server.call(method, fill(path, 'x%00y'), method === 'GET' ? undefined : {})
      expect([path, inPath.status, inPath.body.details[0]], path).toEqual([path, 400, refusal(name)[0]])
    }
  })
})

test('bytes that are not UTF-8 are refused, in a body and in a query, instead of becoming other letters [SEC-07~]', async () => {
  const send = (bytes: Buffer) =>
    fetch(`${server.admin.url}/v1/datasources`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_TOKEN}`, 'content-type': 'application/json' },
      body: new Uint8Array(bytes),
    })
  const broken = await send(Buffer.from('{"name":"caf\xe9"}', 'latin1'))
  expect([broken.status, await broken.json()]).toEqual([
    400,
    expect.objectContaining({ code: 'invalid_request', message: 'The body is not valid UTF-8.' }),
  ])
  expect((await send(Buffer.from('{"name":"café"}'))).status).toBe(201)
  expect((await send(Buffer.from('\ufeff{"name":"with a byte order mark"}'))).status).toBe(201)
  for (const text of ['%FF', '%E9', '%ED%A0%80', '%C0%80', '%', '%zz']) {
    const answer = await server.call('GET', `/v1/traits?page=0&search=${text}`)
    expect([text, answer.status, answer.body.details]).toEqual([
      text,
      400,
      refusal('search', 'is not percent-encoded UTF-8'),
    ])
  }
  expect((await server.call('GET', '/v1/traits?search=caf%C3%A9+%25')).status).toBe(200)
})

test('a text as deep as a well is refused, not walked', async () => {
  const depth = 100_000
  const answer = await server.call(
    'POST',
    '/v1/datasources',
    `{"name":"a","s":${'['.repeat(depth)}${']'.repeat(depth)}}`,
  )
  expect([answer.status, answer.body.details]).toEqual([400, refusal('s', 'is nested too deeply')])
})

test('two codes that differ behind U+0000 are not taken for one [API-164]', async () => {
  const answer = await server.call('POST', '/v1/datasources', { name: 'cut', integrationCode: 'crm_x\0other' })
  expect([answer.status, answer.body.details]).toEqual([400, refusal('integrationCode')])
})

const draftOf = (kind: string, over: object) => ({
  name: 'a name',
  ...(kind === 'traits' && { dataSourceId: 2002, folderId: 0, traitType: 'RULE_BASED_TRAIT', traitRule: 'a == 1' }),
  ...(kind === 'segments' && { dataSourceId: 2002, folderId: 0, segmentRule: '900000T' }),
  ...over,
})

describe('a code is stored as it will be compared [API-164]', () => {
  test.each(['datasources', 'traits', 'segments'])(
    '%s: trimmed and in one spelling, found again by every way',
    async (kind) => {
      const made = await server.call(
        'POST',
        `/v1/${kind}`,
        draftOf(kind, { integrationCode: ` ka\u0308ufer_${kind}\t` }),
      )
      expect([made.status, made.body.integrationCode]).toEqual([201, `käufer_${kind}`])
      const id = made.body.sid ?? made.body.dataSourceId
      for (const code of [`käufer_${kind}`, ` käufer_${kind} `, `ka\u0308ufer_${kind}`]) {
        const list = await server.call('GET', `/v1/${kind}?integrationCode=${encodeURIComponent(code)}`)
        expect(list.body.map((one: { sid?: number; dataSourceId: number }) => one.sid ?? one.dataSourceId)).toEqual([
          id,
        ])
        if (kind === 'datasources') continue
        const one = await server.call('GET', `/v1/${kind}/ic:${encodeURIComponent(code)}`)
        expect([code, one.status, one.body.sid]).toEqual([code, 200, id])
      }
      const again = await server.call('POST', `/v1/${kind}`, draftOf(kind, { integrationCode: `käufer_${kind} ` }))
      if (kind === 'datasources') expect([again.status, again.body.code]).toEqual([409, 'integration_code_taken'])
    },
  )

  test.each(['datasources', 'traits', 'segments'])(
    '%s: nothing unseen is in it; blanks alone are no code',
    async (kind) => {
      for (const [code, issue] of [
        ['crm\u200b_x', 'holds the invisible character U+200B (a zero-width space)'],
        ['crm\u00ad_x', 'holds the invisible character U+00AD (a soft hyphen)'],
        ['crm\u0001_x', 'holds the control character U+0001'],
        ['crm\n_x', 'holds the control character U+000A (a line break)'],
      ]) {
        const answer = await server.call('POST', `/v1/${kind}`, draftOf(kind, { integrationCode: code }))
        expect([answer.status, answer.body.details]).toEqual([400, [{ field: 'integrationCode', message: issue }]])
      }
      const none = await server.call('POST', `/v1/${kind}`, draftOf(kind, { integrationCode: ' \t' }))
      expect([none.status, none.body.integrationCode]).toEqual([201, null])
    },
  )

  test('names hold no control character; descriptions and rules hold tab and line breaks [API-164]', async () => {
    for (const [path, draft] of [
      ['/v1/datasources', draftOf('datasources', {})],
      ['/v1/traits', draftOf('traits', {})],
      ['/v1/segments', draftOf('segments', {})],
      ['/v1/folders/traits', { parentFolderId: 0 }],
      ['/v1/merge-rules', { crossDeviceOption: 'NONE', deviceOption: 'DEVICE' }],
    ] as const) {
      const answer = await server.call('POST', path, { ...draft, name: 'two\nlines' })
      expect([path, answer.body.details]).toEqual([
        path,
        [{ field: 'name', message: 'holds the control character U+000A (a line break)' }],
      ])
      const hidden = await server.call('POST', path, { ...draft, name: 'looks\u200b alike' })
      expect([path, hidden.status]).toEqual([path, 400])
    }
    const text = 'two\nlines\tand a tab'
    const kept = await server.call(
      'POST',
      '/v1/traits',
      draftOf('traits', { description: text, comments: text, traitRule: 'a\n==\t1' }),
    )
    expect([kept.status, kept.body.description, kept.body.comments]).toEqual([201, text, text])
    const profile = { name: 'p', idType: 'CROSS_DEVICE', integrationCode: 'p', authenticatedProfileName: 'a\u0007b' }
    expect((await server.call('POST', '/v1/datasources', profile)).body.details[0].field).toBe(
      'authenticatedProfileName',
    )
  })

  test('the alias under which a partner knows a segment is trimmed, and holds nothing unseen', async () => {
    await server.call('POST', '/v1/segments', draftOf('segments', { sid: 900_900 }))
    const s2s = { url: 'https://in.halden.example/aam', userDpid: 2002 }
    const destination = await server.call('POST', '/v1/destinations', { name: 'd', destinationType: 'S2S', s2s })
    const path = `/v1/destinations/${destination.body.destinationId}/mappings`
    const hidden = await server.call('POST', path, { sid: 900_900, traitAlias: '143\u200b56' })
    expect([hidden.status, hidden.body.details[0].field]).toEqual([400, 'traitAlias'])
    expect((await server.call('POST', path, { sid: 900_900, traitAlias: ' ' })).status).toBe(400)
    const made = await server.call('POST', path, { sid: 900_900, traitAlias: ' 14356\n' })
    expect([made.status, made.body.traitAlias]).toEqual([201, '14356'])
  })

  test('the address of an ID sync holds no white space', async () => {
    const sync = (url: string) =>
      server.call('POST', '/v1/datasources', { name: 's', outboundS2S: true, idSync: { url } })
    for (const url of ['https://p.example/?u=%did%\n', 'https://p.example/ ?u=%did%', 'https://p.example/\u200b'])
      expect((await sync(url)).body.details[0].field).toBe('idSync.url')
    expect((await sync('https://p.example/?u=%did%')).status).toBe(201)
  })
})

test('a list is no flag: `[]` was read as true', async () => {
  for (const value of [[], [true], {}]) {
    const answer = await server.call('POST', '/v1/datasources', { name: 'f', inboundS2S: value })
    expect([answer.status, answer.body.details[0].field]).toEqual([400, 'inboundS2S'])
  }
})
