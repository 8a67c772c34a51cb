import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Delivery, DeliveryDetail, ExplainView, ProfileView } from '../contract.ts'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'
import type { DeliveryFilter } from './parts.ts'

const DEVICE = '12345678901234567890123456789012345678'
const attempt = {
  number: 1,
  startedAt: '2026-11-22T12:00:00.000Z',
  durationMs: 212,
  outcome: 'failed',
  httpStatus: 503,
  error: null,
} as const
const delivery: Delivery = {
  deliveryId: 'dl_1',
  destinationId: 423,
  status: 'dead',
  reason: 'http_503',
  users: 2,
  createdAt: '2026-11-22T12:00:00.000Z',
  finishedAt: null,
  attemptsBefore: 0,
  aamWouldDrop: false,
  replayOf: null,
  replayedBy: null,
  destinationName: 'Halden DSP',
  segments: [{ sid: 100_007, name: 'Intenders', status: 1, users: 2 }],
  segmentCount: 1,
  attempts: [attempt],
}
const { segments: _segments, segmentCount: _segmentCount, ...head } = delivery
const detail: DeliveryDetail = {
  ...head,
  nextAttempt: null,
  signature: null,
  recipients: [],
  request: { method: 'POST', url: 'https://in.halden.example/aam', headers: {}, body: '{}' },
  attempts: [{ ...attempt, response: { headers: {}, excerpt: 'busy', note: null } }],
}
const profile: ProfileView = {
  profileId: `d:${DEVICE}`,
  kind: 'device',
  deviceId: DEVICE,
  firstSeen: '2026-11-22T12:00:00.000Z',
  lastSeen: '2026-11-22T12:00:00.000Z',
  region: 7,
  ids: [],
  traits: [],
  segments: [],
  consent: null,
  optOut: null,
  deliveries: [],
}
const explained: ExplainView = {
  rule: { op: 'trait', holds: true, sid: 100_001, count: 3 },
  inSince: null,
  leavesAt: null,
  told: [],
}

const asked: { lists: unknown[]; explains: unknown[] } = {
  lists: [],
  explains: [],
}
let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin({
    deliveries: {
      async list(filter: DeliveryFilter, window) {
        asked.lists.push([filter, window])
        return { total: 1, list: [delivery] }
      },
      get: async (id) => (id === 'dl_1' ? detail : undefined),
    },
    profiles: {
      find: async (text) => (text === 'hd-9f21' ? [{ id: '77052:hd-9f21', dataSource: 'Halden IDs' }] : []),
      profile: async (id) => (id === DEVICE || id === '77052:hd-9f21' ? profile : undefined),
      async explain(id, segmentId, atMs) {
        asked.explains.push([id, segmentId, atMs])
        return segmentId === 7 ? explained : undefined
      },
    },
  })
})
afterAll(() => server[Symbol.asyncDispose]())

test('deliveries are listed by page with every documented filter [OPS-51]', async () => {
  const query = `destinationId=423&deviceId=${DEVICE}&segmentId=7&status=dead&reason=http_503&from=2026-11-22T00:00:00.000Z&to=2026-11-23T00:00:00.000Z&page=1&pageSize=50`
  const { body } = await server.call('GET', `/v1/deliveries?${query}`)
  expect(body).toEqual({ total: 1, page: 1, pageSize: 50, list: [delivery] })
  const filter = {
    destinationId: 423,
    deviceId: DEVICE,
    segmentId: 7,
    status: 'dead',
    reason: 'http_503',
    fromMs: Date.UTC(2026, 10, 22),
    toMs: Date.UTC(2026, 10, 23),
  }
  expect(asked.lists.at(-1)).toEqual([filter, { page: 1, pageSize: 50 }])
})

test('free text goes with the other filters; nothing but blanks is no text [OPS-51]', async () => {
  expect((await server.call('GET', '/v1/deliveries?q=%20hd-9f21%20&status=dead')).status).toBe(200)
  expect(asked.lists.at(-1)).toMatchObject([
    { q: 'hd-9f21', status: 'dead' },
    { page: 0, pageSize: 10 },
  ])
  await server.call('GET', '/v1/deliveries?q=%20')
  expect((asked.lists.at(-1) as [DeliveryFilter])[0].q).toBeUndefined()
  expect((await server.call('GET', `/v1/deliveries?q=${'x'.repeat(601)}`)).body.details[0].field).toBe('q')
  const unreadable = await server.call('GET', '/v1/deliveries?from=yesterday')
  expect(unreadable.body.details).toEqual([{ field: 'from', message: 'is not a time as 2026-11-30T09:15:00Z' }])
})

test('an unknown filter is refused on a route of our own [SEC-69]', async () => {
  const answer = await server.call('GET', '/v1/deliveries?destination=423')
  expect([answer.status, answer.body.details]).toEqual([400, [{ field: 'destination', message: 'Unknown member.' }]])
})

test('one delivery shows request and responses [OPS-51]', async () => {
  expect((await server.call('GET', '/v1/deliveries/dl_1')).body).toEqual(detail)
  expect((await server.call('GET', '/v1/deliveries/dl_2')).status).toBe(404)
})

test('a profile is found by device ID and by data source and partner ID, 404 when nothing is known [OPS-52]', async () => {
  expect((await server.call('GET', `/v1/profiles/${DEVICE}`)).body).toEqual(profile)
  expect((await server.call('GET', `/v1/profiles/${encodeURIComponent('77052:hd-9f21')}`)).body).toEqual(profile)
  expect((await server.call('GET', '/v1/profiles/77052:other')).status).toBe(404)
  const malformed = await server.call('GET', '/v1/profiles/123')
  expect([malformed.status, malformed.body.details[0].field]).toEqual([400, 'id'])
})

test('explain names segment and moment [OPS-52]', async () => {
  const answer = await server.call('GET', `/v1/profiles/${DEVICE}/explain?segmentId=7&at=2026-11-22T06:00:00.000Z`)
  expect(answer.body).toEqual(explained)
  expect(asked.explains.at(-1)).toEqual([DEVICE, 7, Date.UTC(2026, 10, 22, 6)])
  expect((await server.call('GET', `/v1/profiles/${DEVICE}/explain?segmentId=8`)).status).toBe(404)
  expect((await server.call('GET', `/v1/profiles/${DEVICE}/explain`)).body.details[0].field).toBe('segmentId')
})

test('device IDs stay out of the request log [SEC-88]', async () => {
  await server.call('GET', `/v1/profiles/${DEVICE}`)
  expect(JSON.stringify(server.log)).not.toContain(DEVICE)
})

test('regions are exactly the documented eight [API-126], [API-127], [COL-131], [COL-136], [SEC-8]', async () => {
  const { body } = await server.call('GET', '/v1/dcs-regions/')
  expect(body.map((region: { regionId: number; code: string }) => [region.regionId, region.code])).toEqual([
    [3, 'APSE'],
    [4, 'SAE'],
    [6, 'IRL1'],
    [7, 'USE'],
    [8, 'APSE2'],
    [9, 'USW2'],
    [11, 'TYO3'],
    [12, 'IND1'],
  ])
  expect((await server.call('GET', '/v1/dcs-regions/3')).body).toEqual({
    regionId: 3,
    location: 'Southeast Asia (Singapore)',
    host: 'apse.demdex.net',
    code: 'APSE',
    status: 'ACTIVE',
    createTime: 0,
    updateTime: 0,
    crUID: 0,
    upUID: 0,
  })
  expect((await server.call('GET', '/v1/dcs-regions/5')).status).toBe(404)
  // There is no JSONP where somebody is signed in.
  expect((await server.call('GET', '/v1/dcs-regions/?d_cb=f&callback=f')).body).toEqual(body)
})
