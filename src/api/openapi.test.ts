import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: unknown }> }
  readonly responses: Record<string, unknown>
  readonly security?: readonly unknown[]
}
interface Document {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Record<string, Record<string, Operation>>
}

let server: TestAdmin
let document: Document
beforeAll(async () => {
  server = await startTestAdmin()
  document = (await server.call('GET', '/openapi.json', undefined, { authorization: '' })).body
})
afterAll(() => server[Symbol.asyncDispose]())

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

test('the document lists every route [OPS-40]', () => {
  const listed = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`)
  const crud = (list: string, one: string) => [
    `GET ${list}`,
    `POST ${list}`,
    `GET ${one}`,
    `PUT ${one}`,
    `PATCH ${one}`,
    `DELETE ${one}`,
  ]
  const expected = [
    ...crud('/v1/datasources', '/v1/datasources/{dataSourceId}'),
    'POST /v1/datasources/bulk-delete',
    'GET /v1/datasources/configurations/available-id-types',
    ...crud('/v1/folders/{kind}', '/v1/folders/{kind}/{folderId}'),
    ...crud('/v1/traits', '/v1/traits/{sid}'),
    'POST /v1/traits/validate',
    'POST /v1/traits/bulk-delete',
    'GET /v1/traits/limits',
    'GET /v1/traits/{sid}/trait-rule/versions',
    ...crud('/v1/segments', '/v1/segments/{sid}'),
    'POST /v1/segments/validate',
    'POST /v1/segments/bulk-delete',
    'POST /v1/segments/bulk-merge-rule-replace',
    'GET /v1/segments/limits',
    ...crud('/v1/merge-rules', '/v1/merge-rules/{mergeRuleDataSourceId}'),
    ...crud('/v1/destinations', '/v1/destinations/{destinationId}'),
    'POST /v1/destinations/bulk-delete',
    'GET /v1/destinations/limits',
    'GET /v1/destination-types',
    'GET /v1/destination-types/{type}',
    'GET /v1/destinations/{destinationId}/health',
    'POST /v1/destinations/{destinationId}/pause',
    'POST /v1/destinations/{destinationId}/resume',
    'GET /v1/destinations/configurations/available-platforms',
    ...crud('/v1/destinations/{destinationId}/mappings', '/v1/destinations/{destinationId}/mappings/{mappingId}'),
    'POST /v1/destinations/{destinationId}/traits',
    'POST /v1/destinations/{destinationId}/bulk-create',
    'PUT /v1/destinations/mappings/{mappingId}',
    'DELETE /v1/destinations/{destinationId}/segments/{mappingId}',
    'GET /v1/dcs-regions',
    'GET /v1/dcs-regions/{regionId}',
    'GET /v1/deliveries',
    'GET /v1/deliveries/{deliveryId}',
    'POST /v1/deliveries/discard',
    'POST /v1/deliveries/replay',
    'GET /v1/profiles/{id}',
    'GET /v1/profiles/{id}/explain',
    'GET /v1/search',
    'GET /v1/deny-list',
    'DELETE /v1/deny-list/{entryId}',
    'GET /v1/session',
    'POST /v1/session',
    'DELETE /v1/session',
    'POST /v1/session/links',
    'GET /v1/overview',
    'GET /v1/live',
    'POST /v1/verify',
    'POST /v1/backups',
    'GET /v1/clock',
    'GET /v1/deliveries/replays',
    'GET /v1/deliveries/replays/{replayId}',
    'POST /v1/deliveries/replays/{replayId}/cancel',
    'POST /v1/clock/confirm',
    'POST /v1/test/clock',
    'GET /healthz',
    'GET /readyz',
    'GET /metrics',
  ]
  expect(listed.sort()).toEqual(expected.sort())
})

test('every operation says in a few words what it is, and in sentences what it does [OPS-40]', () => {
  const silent = operations().filter(
    ({ operation: { summary = '', description = '' } }) =>
      !/^[A-Z][^.]{4,60}$/.test(summary) || !/^[A-Z\d].{20,}[.]$/.test(description) || description.startsWith(summary),
  )
  expect(silent.map(({ method, path }) => `${method} ${path}`)).toEqual([])
  // In a list each is told from its neighbours; two paths of one thing may share their words.
  const bySummary = new Map<string, string[]>()
  for (const { operation, path } of operations())
    bySummary.set(operation.summary ?? '', [...(bySummary.get(operation.summary ?? '') ?? []), path])
  const shared = [...bySummary].filter(([, paths]) => paths.length > 1)
  expect(shared.map(([summary]) => summary).sort()).toEqual(['Map a segment to a destination', 'Remove a mapping'])
})

test('the document is sound: placeholders have parameters, references resolve, each operation has answers [OPS-40]', () => {
  expect(document.openapi).toBe('3.1.0')
  expect(document.info).toMatchObject({ title: 'Usher', version: '0.0.0-test' })
  for (const { path, method, operation } of operations()) {
    const placeholders = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1])
    const declared = (operation.parameters ?? []).filter(
      (parameter) => parameter.in === 'path' && parameter.required === true,
    )
    expect(declared.map((parameter) => parameter.name).sort(), path).toEqual(placeholders.sort())
    expect(Object.keys(operation.responses), path).toContain('default')
    expect(
      Object.keys(operation.responses).some((code) => code.startsWith('2')),
      path,
    ).toBe(true)
    if (method === 'put' || method === 'patch')
      expect(operation.requestBody?.content['application/json']?.schema, path).toBeDefined()
    expect(operation.security !== undefined, path).toBe(path.startsWith('/v1/'))
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '')
  expect(references.length).toBeGreaterThan(0)
  for (const reference of new Set(references)) {
    const target = reference
      .split('/')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
    expect(target, reference).toBeDefined()
  }
})

test('the settings of a destination are described to those who send them and to those who read them [OPS-40] [OPS-42~]', () => {
  const s2sOf = (content: unknown) => {
    const json = (content as { 'application/json': { schema: Described } })['application/json'].schema
    return json.properties?.['s2s']
  }
  const { post } = document.paths['/v1/destinations'] ?? {}
  const { get, put } = document.paths['/v1/destinations/{destinationId}'] ?? {}
  const sent = s2sOf(post?.requestBody?.content)
  expect(sent?.properties).toMatchObject({
    timeoutMs: { type: 'integer', minimum: 1_000, maximum: 30_000, 'x-default': '15000 in durable' },
    concurrency: { type: 'integer', minimum: 1, maximum: 64, 'x-default': '16' },
    requestsPerSecond: { type: 'number', minimum: 0.01, maximum: 10_000 },
    batchMaxWaitMs: { type: 'integer', default: 50 },
    protocol: { enum: ['https'], description: 'Refused until they are built: ftp, ftps, sftp, s3' },
    userAgent: { type: 'string', maxLength: 255 },
  })
  expect(s2sOf(put?.requestBody?.content)).toEqual(sent)
  const shown = s2sOf((get?.responses['200'] as { content?: unknown } | undefined)?.content)
  expect(Object.keys(shown?.properties ?? {}).sort()).toEqual(Object.keys(sent?.properties ?? {}).sort())
  expect(JSON.stringify(shown)).toContain('last4')
})

interface Described {
  readonly properties?: Readonly<Record<string, Described>>
}
