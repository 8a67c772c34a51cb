import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import { startTestAdmin, TEST_NOW_MS, type TestAdmin } from '../testkit/start-test-admin.ts'

const asked: string[] = []
let paused: DestinationHealth['paused']
const delivery = {
  health: (id: number): DestinationHealth => ({
    destinationId: id as DestinationId,
    breaker: 'open',
    paused,
    waitingUsers: 7,
    moreOnDisk: true,
    openMessages: 3,
    oldestWaitingMs: TEST_NOW_MS - 60_000,
    failuresInRow: 20,
    lastFailure: { reason: 'timeout', atMs: TEST_NOW_MS },
    lastSuccessMs: undefined,
    refusedInRow: 21,
    refusingSinceMs: TEST_NOW_MS - 30_000,
    refusedMessages: 3,
    nextAttemptMs: TEST_NOW_MS + 5_000,
    isActive: true,
    unusable: undefined,
  }),
  async pause(id: number) {
    asked.push(`pause ${id}`)
    paused = { reason: 'operator', atMs: TEST_NOW_MS }
  },
  async resume(id: number) {
    asked.push(`resume ${id}`)
    paused = undefined
  },
}
const shown = {
  state: 'stopped',
  reason: 'timeout',
  since: '2026-11-22T11:59:30.000Z',
  nextAttempt: '2026-11-22T12:00:05.000Z',
  breaker: 'open',
  paused: null,
  waitingUsers: 7,
  moreOnDisk: true,
  openMessages: 3,
  refusedMessages: 3,
  askedToWaitUntil: null,
  oldestWaiting: '2026-11-22T11:59:00.000Z',
  failuresInRow: 20,
  refusedInRow: 21,
  lastFailure: { reason: 'timeout', at: '2026-11-22T12:00:00.000Z' },
  lastSuccess: null,
}

async function create(server: TestAdmin): Promise<number> {
  const source = await server.call('POST', '/v1/datasources', { name: 'partner', idType: 'COOKIE' })
  const created = await server.call('POST', '/v1/destinations', {
    name: 'Halden DSP',
    destinationType: 'S2S',
    s2s: {
      url: 'https://in.halden.example/aam',
      userDpid: source.body.dataSourceId,
      concurrency: 4,
      requestsPerSecond: 50,
    },
  })
  expect(created.status).toBe(201)
  expect(created.body.s2s).toMatchObject({ concurrency: 4, requestsPerSecond: 50 })
  return created.body.destinationId
}

let server: TestAdmin
let destinationId: number
beforeAll(async () => {
  server = await startTestAdmin({ delivery })
  destinationId = await create(server)
})
afterAll(() => server[Symbol.asyncDispose]())

test('health, pause and resume answer how the destination stands then [SEC-47]', async () => {
  const health = await server.call('GET', `/v1/destinations/${destinationId}/health`)
  expect([health.status, health.body]).toEqual([200, { destinationId, ...shown }])
  const stopped = await server.call('POST', `/v1/destinations/${destinationId}/pause`)
  expect([stopped.status, stopped.body.paused]).toEqual([200, { reason: 'operator', at: '2026-11-22T12:00:00.000Z' }])
  expect([stopped.body.state, stopped.body.reason, stopped.body.since]).toEqual([
    'paused',
    'operator',
    '2026-11-22T12:00:00.000Z',
  ])
  const resumed = await server.call('POST', `/v1/destinations/${destinationId}/resume`, {})
  expect([resumed.status, resumed.body.paused]).toEqual([200, null])
  expect(asked).toEqual([`pause ${destinationId}`, `resume ${destinationId}`])
})

test('a destination that is not there answers 404 and is not touched [SEC-47]', async () => {
  const before = asked.length
  for (const [method, action] of [
    ['GET', 'health'],
    ['POST', 'pause'],
    ['POST', 'resume'],
  ] as const)
    expect((await server.call(method, `/v1/destinations/999999/${action}`)).status).toBe(404)
  expect(asked.length).toBe(before)
})

test('a process that does not deliver says so [SEC-47]', async () => {
  await using other = await startTestAdmin()
  const answer = await other.call('POST', `/v1/destinations/${await create(other)}/pause`)
  expect([answer.status, answer.body.code]).toEqual([503, 'no_delivery'])
})
