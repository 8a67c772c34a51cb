import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DenyListEntry } from '../contract.ts'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'

const entry: DenyListEntry = {
  entryId: '2gosa7pa2gv',
  idType: 'declared',
  dataSourceId: 123,
  id: 'crm-987',
  cause: 'minute',
  times: 3,
  firstAt: '2026-11-22T12:00:00.000Z',
  lastAt: '2026-11-22T13:00:00.000Z',
  count: 77,
  until: null,
}

const asked: unknown[] = []
let outcome: 'removed' | 'off' = 'removed'
let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin({
    denyList: {
      async list(filter, window) {
        asked.push([filter, window])
        return { total: 21, list: [entry] }
      },
      remove: async (entryId) => (entryId === entry.entryId ? outcome : 'unknown'),
    },
  })
})
afterAll(() => server[Symbol.asyncDispose]())

test('denied IDs are listed by page with cause, first and last time, count and end [COL-150]', async () => {
  const answer = await server.call(
    'GET',
    '/v1/deny-list?idType=declared&dataSourceId=123&id=crm-987&page=2&pageSize=10',
  )
  expect(answer.body).toEqual({ total: 21, page: 2, pageSize: 10, list: [entry] })
  expect(asked.at(-1)).toEqual([
    { idType: 'declared', dataSourceId: 123, id: 'crm-987' },
    { page: 2, pageSize: 10 },
  ])
})

test('an unknown filter or type is refused [SEC-69]', async () => {
  for (const query of ['kind=1', 'idType=uuid', 'pageSize=5000'])
    expect((await server.call('GET', `/v1/deny-list?${query}`)).status).toBe(400)
})

test('an entry is taken off by its own number; 404 for one that is not there [COL-150]', async () => {
  expect((await server.call('DELETE', `/v1/deny-list/${entry.entryId}`)).status).toBe(204)
  expect((await server.call('DELETE', '/v1/deny-list/1abc')).status).toBe(404)
  expect((await server.call('DELETE', '/v1/deny-list/crm-987')).status).toBe(400)
})

test('where it is switched off, the answer names the setting [COL-150]', async () => {
  outcome = 'off'
  const answer = await server.call('DELETE', `/v1/deny-list/${entry.entryId}`)
  expect([answer.status, answer.body.code, answer.body.message]).toEqual([
    403,
    'deny_list_fixed',
    'Taking IDs off the list is switched off (edge.denyList.mayClear).',
  ])
})
