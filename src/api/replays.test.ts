import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Replay, ReplayMessage } from '../contract.ts'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'
import type { DiscardOrder, ReplayOrder } from './parts.ts'

const replay: Replay = {
  replayId: 'rp_1',
  as: 'same',
  perSecond: 2,
  state: 'running',
  reason: 'gone',
  createdAt: '2026-11-22T12:00:00.000Z',
  startedAt: '2026-11-22T12:00:00.000Z',
  finishedAt: null,
  progress: { done: 1, of: 3, share: 1 / 3, perSecond: 2, secondsLeft: 1 },
  counts: { waiting: 1, queued: 1, acknowledged: 1, dead: 0, superseded: 0, not_sent: 0, cancelled: 0 },
}
const message: ReplayMessage = {
  deliveryId: 'dl_1',
  destinationId: 423,
  outcome: 'acknowledged',
  sent: 'current',
  reason: 'outdated',
  sentAs: ['dl_2'],
}
const orders: ReplayOrder[] = []
const discards: DiscardOrder[] = []
const asked: unknown[] = []
let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin({
    replays: {
      async start(order) {
        orders.push(order)
        if (order.perSecond === 1) return 'too_many'
        return { matched: 2, queued: order.dryRun ? 0 : 2, replayId: order.dryRun ? null : 'rp_1' }
      },
      async discard(order) {
        discards.push(order)
        return { matched: 3, discarded: order.dryRun ? 0 : 3 }
      },
      list: ({ page, pageSize }) => ({ total: 1, list: [{ ...replay, perSecond: 100 * page + pageSize }] }),
      async get(id, window) {
        asked.push(window)
        const { page, pageSize } = window
        return id === 'rp_1' ? { ...replay, messages: { total: 1, page, pageSize, list: [message] } } : undefined
      },
      async cancel(id) {
        if (id === 'rp_1') return { ...replay, state: 'cancelled' }
        return id === 'rp_2' ? 'ended' : 'unknown'
      },
    },
  })
})
afterAll(() => server[Symbol.asyncDispose]())

test('a span that ends before it starts is refused, not answered with nothing [SEC-48~]', async () => {
  const span = { from: '2026-12-01T00:00:00Z', to: '2026-11-01T00:00:00Z' }
  for (const path of ['/v1/deliveries/replay', '/v1/deliveries/discard'])
    expect((await server.call('POST', path, { ...span, dryRun: true })).body.details).toEqual([
      { field: 'to', message: 'It ends before it starts.' },
    ])
})

test('dead letters are let go by ids or by a filter, never all of them by nothing [SEC-48~]', async () => {
  const post = (body: object) => server.call('POST', '/v1/deliveries/discard', body)
  expect((await post({ deliveryIds: ['dl_1'] })).body).toEqual({ matched: 3, discarded: 3 })
  const plain = { withoutDestination: false, dryRun: false }
  expect(discards.at(-1)).toEqual({ ...plain, select: { deliveryIds: ['dl_1'] } })
  expect((await post({ reason: 'http_400', dryRun: true })).body.discarded).toBe(0)
  expect(discards.at(-1)).toMatchObject({ select: { filter: { reason: 'http_400' } }, dryRun: true })
  await post({ withoutDestination: true })
  expect(discards.at(-1)).toMatchObject({ withoutDestination: true, dryRun: false })
  const calls = discards.length
  for (const body of [
    {},
    { dryRun: true },
    { deliveryIds: ['a'], reason: 'x' },
    { status: 'acknowledged' },
    { as: 'same' },
  ])
    expect((await post(body)).status).toBe(400)
  expect(discards).toHaveLength(calls)
})

test('replay takes ids or a filter, one of them; same bytes by default [OPS-51]', async () => {
  const byIds = await server.call('POST', '/v1/deliveries/replay', { deliveryIds: ['dl_1', 'dl_2'] })
  expect([byIds.status, byIds.body]).toEqual([200, { matched: 2, queued: 2, replayId: 'rp_1' }])
  expect(orders.at(-1)).toEqual({ select: { deliveryIds: ['dl_1', 'dl_2'] }, dryRun: false, as: 'same' })
  const filter = { destinationId: 423, status: 'dead' }
  const order = { ...filter, dryRun: true, as: 'current', perSecond: 20 }
  expect((await server.call('POST', '/v1/deliveries/replay', order)).body).toMatchObject({ queued: 0, replayId: null })
  expect(orders.at(-1)).toMatchObject({ select: { filter }, dryRun: true, as: 'current', perSecond: 20 })

  for (const body of [{}, { dryRun: true }, { deliveryIds: [] }, { deliveryIds: ['dl_1'], status: 'dead' }]) {
    const refused = await server.call('POST', '/v1/deliveries/replay', body)
    expect([refused.status, refused.body.details[0].field]).toEqual([400, 'deliveryIds'])
  }
})

test('a dry run is said by true or false: null is refused, nothing is sent by mistake [OPS-51]', async () => {
  const before = orders.length
  const refused = await server.call('POST', '/v1/deliveries/replay', { status: 'dead', dryRun: null })
  expect([refused.status, refused.body.details[0].field]).toEqual([400, 'dryRun'])
  expect(orders).toHaveLength(before)
})

test('a body that an operation does not take is refused; an empty one may come with every call [SEC-69~]', async () => {
  for (const path of ['/v1/deliveries/replays/rp_1/cancel', '/v1/verify', '/v1/clock/confirm']) {
    const refused = await server.call('POST', path, { repair: true })
    expect([refused.status, refused.body.code]).toEqual([400, 'unexpected_body'])
    expect(refused.body.message).toContain(`POST ${path.replace('rp_1', ':replayId')} takes no body`)
  }
  expect((await server.call('POST', '/v1/deliveries/replays/rp_1/cancel', {})).status).toBe(202)
})

test('one more than may be under way is refused with what to do [SEC-72~]', async () => {
  const refused = await server.call('POST', '/v1/deliveries/replay', { status: 'dead', perSecond: 1 })
  expect([refused.status, refused.body.code, refused.body.message]).toEqual([
    409,
    'too_many_replays',
    'Too many replays are under way; wait for one, or cancel one.',
  ])
})

test('a replay answers with what became of each message, by page and by outcome [API-165~]', async () => {
  expect((await server.call('GET', '/v1/deliveries/replays?page=2&pageSize=7')).body).toEqual({
    total: 1,
    page: 2,
    pageSize: 7,
    list: [{ ...replay, perSecond: 207 }],
  })
  const found = await server.call('GET', '/v1/deliveries/replays/rp_1?outcome=not_sent&pageSize=50')
  expect(found.body).toEqual({ ...replay, messages: { total: 1, page: 0, pageSize: 50, list: [message] } })
  expect(asked.at(-1)).toEqual({ page: 0, pageSize: 50, outcome: 'not_sent' })
  expect((await server.call('GET', '/v1/deliveries/replays/rp_9')).status).toBe(404)
  expect((await server.call('GET', '/v1/deliveries/replays/rp_1?outcome=lost')).status).toBe(400)
})

test('a replay is called off with 202; one that has ended answers 409, one that is not there 404 [API-165~]', async () => {
  const cancel = (id: string) => server.call('POST', `/v1/deliveries/replays/${id}/cancel`, {})
  const cancelled = await cancel('rp_1')
  expect([cancelled.status, cancelled.body.state]).toEqual([202, 'cancelled'])
  const ended = await cancel('rp_2')
  expect([ended.status, ended.body.code]).toEqual([409, 'already_ended'])
  expect((await cancel('rp_9')).status).toBe(404)
})

test('a process that does not deliver says so instead of replaying nothing [OPS-10~] [SEC-48]', async () => {
  await using other = await startTestAdmin()
  const refused = await other.call('POST', '/v1/deliveries/replay', { status: 'dead', dryRun: true })
  expect([refused.status, refused.body.code]).toEqual([503, 'no_delivery'])
  expect((await other.call('GET', '/v1/deliveries/replays')).status).toBe(503)
})
