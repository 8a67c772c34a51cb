import { viewType } from '../../src/api/destination-types.ts'
import type { DestinationHealthView } from '../../src/contract.ts'
import { destinationTypes } from '../../src/main/destination-types.ts'

/**
 * Recorded answers of the API for the tests of the UI: invented names and numbers, in the shapes of the contract, at one
 * moment. They show nothing about the server.
 */
export const RECORDED_AT = '2026-11-20T14:32:07.000Z'

export interface Recorded {
  readonly session: unknown
  readonly rates: unknown
  /** @returns undefined: nothing is recorded, the answer is 404 */
  answer(method: string, url: URL, body: unknown): unknown
}

export const DEVICE = '07955261652886032950143702505894272138'
export const PARTNER_ID = '77052:hd-9f21c07e44'
export const DEAD = 'dl_01KAH6VM0N4R8T2Y6P9Q3W5E2P'
export const RETRIED = 'dl_01KAH7Q2V3E8D5R6T0M4N9XW41'

const destinations = [
  { destinationId: 423, name: 'Halden DSP' },
  { destinationId: 424, name: 'Corvid Social' },
  { destinationId: 425, name: 'Plume Mail' },
]
const segments = [
  { sid: 100101, name: 'Winter boots intenders' },
  { sid: 100102, name: 'Cart abandoners, 3 d' },
  { sid: 100103, name: 'High-value members' },
  { sid: 100104, name: 'Ski tour planners' },
]
const traits = [
  { sid: 100001, name: 'Viewed winter boots', realized: 760_210 },
  { sid: 100002, name: 'Loyalty member', realized: 700_400 },
  { sid: 100003, name: 'Added to cart', realized: 520_033 },
  { sid: 100004, name: 'App installed', realized: 430_800 },
  { sid: 100005, name: 'Read a care guide', realized: 310_020 },
  { sid: 100006, name: 'Country Sweden', realized: 160_000 },
  { sid: 100007, name: 'Country Norway', realized: 140_000 },
  { sid: 100008, name: 'Bought footwear', realized: 90_000 },
]

const series = Array.from({ length: 24 }, (_, at) => ({
  at: new Date(Date.parse(RECORDED_AT) - (23 - at) * 3_600_000).toISOString(),
  events: 9_000_000 + Math.round(4_000_000 * Math.sin(at / 3)) + (at % 3) * 400_000,
  entered: 70_000 + ((at * 37) % 11) * 3000,
  left: 50_000 + ((at * 17) % 7) * 2000,
  acknowledged: 40_000 - (at === 18 ? 9000 : 0),
  dead: at === 18 ? 1200 : 3,
  medianMs: 380 + ((at * 53) % 9) * 20 + (at === 18 ? 900 : 0),
}))

const links = [
  ...traits.map(({ sid, realized }, at) => ({
    from: `source:${2001 + (at % 4)}`,
    to: `trait:${sid}`,
    count: Math.round(realized * 0.7),
  })),
  ...traits.slice(0, 5).map(({ sid, realized }) => ({ from: 'source:2001', to: `trait:${sid}`, count: realized >> 1 })),
  ...traits.flatMap(({ sid, realized }, at) =>
    [0, 1].map((step) => ({
      from: `trait:${sid}`,
      to: `segment:${segments[(at + step) % 4]?.sid}`,
      count: Math.round(realized / (2 + step)),
    })),
  ),
  ...segments.flatMap(({ sid }, at) =>
    destinations.map(({ destinationId }, to) => ({
      from: `segment:${sid}`,
      to: `destination:${destinationId}`,
      count: 90_000 + at * 40_000 + to * 20_000,
    })),
  ),
]

const owed = { waitingUsers: 43_180, moreOnDisk: true, openMessages: 16 }
const delivering = {
  ...{ state: 'delivering', reason: null, since: null, nextAttempt: null },
  ...{ waitingUsers: 0, moreOnDisk: false, openMessages: 0 },
} as const
const stopped = {
  state: 'stopped',
  reason: 'http_503',
  since: '2026-11-20T14:07:26.408Z',
  nextAttempt: '2026-11-20T14:36:40.000Z',
  ...owed,
} as const

const overview = {
  at: RECORDED_AT,
  since: '2026-11-19T14:32:07.000Z',
  figures: {
    eventsPerSecond: 3820.4,
    eventsPeakPerSecond: 6140,
    events: 214_300_118,
    profilesSeen: 2_410_551,
    entered: 1_860_220,
    left: 1_210_087,
    acknowledged: 1_020_443,
    dead: 1284,
    waiting: 4318,
    retrying: 12,
    refused: 43_180,
    waitingUsers: 43_180,
    acknowledgedShare: 0.95824,
    eventToPartnerMs: { median: 410, p99: 2800 },
  },
  series,
  flow: {
    sources: [
      { dataSourceId: 2001, name: 'Web shop', events: 1_420_000 },
      { dataSourceId: 2002, name: 'iOS app', events: 610_000 },
      { dataSourceId: 2003, name: 'Android app', events: 540_000 },
      { dataSourceId: 2004, name: 'CRM nightly file', events: 380_000 },
    ],
    traits,
    segments: segments.map((one, at) => ({ ...one, entered: [620_000, 430_000, 520_000, 260_000][at] })),
    destinations: [
      { ...destinations[0], acknowledged: 575_000, waiting: 43_180, dead: 1197, ...stopped },
      { ...destinations[1], acknowledged: 680_000, waiting: 0, dead: 87, ...delivering },
      { ...destinations[2], acknowledged: 540_000, waiting: 20, dead: 0, ...delivering },
    ],
    links,
    others: { sources: 0, traits: 0, segments: 0, destinations: 0, links: 0 },
  },
  needsAttention: [
    item('breaker_open', 423, 43_180, '2026-11-20T14:07:26.408Z', 'http_503'),
    item('dead_letters', 423, 1197, '2026-11-20T13:52:09.447Z', 'http_400'),
    item('dead_letters', 424, 87, '2026-11-18T05:12:00.000Z', 'timeout'),
    item('private_destinations', null, null, null, null),
  ],
  ledger: [
    { ...destinations[0], acknowledged: 575_000, waiting: 43_180, dead: 1197, blocked: 9020, ...stopped },
    { ...destinations[1], acknowledged: 680_000, waiting: 0, dead: 87, blocked: 74_000, ...delivering },
    { ...destinations[2], acknowledged: 540_000, waiting: 20, dead: 0, blocked: 0, ...delivering },
  ],
}

function item(
  kind: string,
  destinationId: number | null,
  count: number | null,
  since: string | null,
  reason: string | null,
) {
  const name = destinations.find((one) => one.destinationId === destinationId)?.name ?? null
  return {
    kind,
    severity: kind === 'private_destinations' ? 'info' : 'warning',
    destinationId,
    name,
    count,
    messages: kind === 'breaker_open' ? owed.openMessages : null,
    deadLetters: null,
    atLeast: kind === 'breaker_open',
    since,
    reason,
    nextAttempt: kind === 'breaker_open' ? stopped.nextAttempt : null,
  }
}

const attempt = (
  number: number,
  startedAt: string,
  durationMs: number,
  httpStatus: number | null,
  excerpt: string,
) => ({
  number,
  startedAt,
  durationMs,
  outcome: httpStatus === 200 ? 'acknowledged' : httpStatus === null ? 'unknown' : 'failed',
  httpStatus,
  error: httpStatus === null ? 'timeout' : null,
  response: { headers: {}, excerpt, note: null },
})

const dead = {
  deliveryId: DEAD,
  destinationId: 423,
  status: 'dead',
  reason: 'http_400',
  users: 2,
  createdAt: '2026-11-20T13:52:09.447Z',
  finishedAt: '2026-11-20T13:52:09.580Z',
  attemptsBefore: 0,
  aamWouldDrop: true,
  replayOf: null,
  replayedBy: null,
  attempts: [attempt(1, '2026-11-20T13:52:09.449Z', 131, 400, '{"error":"unknown segment WB-2026"}')],
}
const retried = {
  deliveryId: RETRIED,
  destinationId: 423,
  status: 'acknowledged',
  reason: null,
  users: 2,
  createdAt: '2026-11-20T14:07:11.204Z',
  finishedAt: '2026-11-20T14:19:26.639Z',
  attemptsBefore: 0,
  aamWouldDrop: false,
  replayOf: null,
  replayedBy: null,
  attempts: [
    attempt(1, '2026-11-20T14:07:11.631Z', 74, 503, '{"error":"overloaded"}'),
    attempt(2, '2026-11-20T14:07:12.149Z', 3000, null, ''),
    attempt(3, '2026-11-20T14:19:26.408Z', 231, 200, '{"accepted":3}'),
  ],
}
const others = Array.from({ length: 14 }, (_, at) => ({
  ...retried,
  deliveryId: `dl_01KAH6T${String(at).padStart(2, '0')}C5K8M2N6P0R4S7V9X`,
  destinationId: 424,
  users: 1 + ((at * 7) % 10),
  createdAt: new Date(Date.parse('2026-11-20T13:51:40.006Z') - at * 1311).toISOString(),
  finishedAt: new Date(Date.parse('2026-11-20T13:51:40.206Z') - at * 1311).toISOString(),
  attempts: [attempt(1, '2026-11-20T13:51:40.010Z', 118 + at * 9, 200, 'ok')],
}))
const deliveries = [retried, dead, ...others].map((delivery, at) => {
  const told = segments.map(({ sid, name }, index) => ({
    sid,
    name,
    status: (at + index) % 3 === 0 ? 0 : 1,
    users: Math.max(1, delivery.users - index),
  }))
  const destinationName = destinations.find((one) => one.destinationId === delivery.destinationId)?.name ?? null
  return {
    ...delivery,
    destinationName,
    segments: told.slice(0, 1 + (at % 4)),
    segmentCount: at === 1 ? 12 : 1 + (at % 4),
  }
})

const message = {
  ProcessTime: 'Fri Nov 20 14:07:11 UTC 2026',
  User_DPID: '77052',
  Client_ID: 'nordlys-eu',
  AAM_Destination_Id: '423',
  User_count: '2',
  Users: [
    {
      AAM_UUID: DEVICE,
      DataPartner_UUID: 'hd-9f21c07e44',
      AAM_Regions: ['6'],
      Segments: [
        { Segment_ID: 'WB-INT', Status: '1', DateTime: 'Fri Nov 20 14:07:11 UTC 2026' },
        { Segment_ID: 'CARE-GD', Status: '0', DateTime: 'Fri Nov 20 00:00:00 UTC 2026' },
      ],
    },
  ],
}

function detailOf(delivery: (typeof deliveries)[number]) {
  const body = JSON.stringify(message)
  const { segments: _segments, segmentCount: _segmentCount, ...head } = delivery
  return {
    ...head,
    nextAttempt: null,
    request: {
      method: 'POST',
      url: 'https://in.halden.example/v2/segments',
      headers: { 'Content-Type': 'application/json', 'webhook-id': delivery.deliveryId, 'User-Agent': 'Usher/0.1' },
      body,
    },
    signature: {
      header: 'X-Signature',
      sent: 'q7Rk3vX0dPZs2mT5uW8yA1bC4eF6gH9jK0lN3pL8Lw1tYQ=',
      recomputed: 'q7Rk3vX0dPZs2mT5uW8yA1bC4eF6gH9jK0lN3pL8Lw1tYQ=',
      matches: true,
      algorithm: 'sha256',
      keyNumber: 1,
      signedBytes: body.length,
    },
    recipients: [
      {
        profileId: `d:${DEVICE}`,
        partnerIds: [{ dataSourceId: 77052, id: 'hd-9f21c07e44' }],
        active: [{ sid: 100101, name: 'Winter boots intenders', code: 'WB-INT' }],
        inactive: [{ sid: 100102, name: 'Cart abandoners, 3 d', code: 'CARE-GD' }],
      },
      {
        profileId: 'd:33104472190487765512093847561029388817',
        partnerIds: [{ dataSourceId: 77052, id: 'hd-41bb0d91a3' }],
        active: [{ sid: 100101, name: 'Winter boots intenders', code: 'WB-INT' }],
        inactive: [],
      },
    ],
  }
}

const days = (...all: string[]) => all.map((day) => ({ day, count: 1 }))
const profile = {
  profileId: `d:${DEVICE}`,
  kind: 'device',
  deviceId: DEVICE,
  firstSeen: '2026-08-12T09:14:00.000Z',
  lastSeen: '2026-11-20T14:07:11.000Z',
  region: 6,
  ids: [
    { dataSourceId: 77052, id: 'hd-9f21c07e44', syncedAt: '2026-11-18T20:41:03.000Z', authState: 0 },
    { dataSourceId: 1001, id: 'NL-204419', syncedAt: '2026-11-18T20:41:03.000Z', authState: 1 },
  ],
  traits: [
    {
      sid: 100001,
      name: 'Viewed winter boots',
      count: 4,
      days: days('2026-11-09', '2026-11-16', '2026-11-18', '2026-11-20'),
      lastRealized: '2026-11-20T00:00:00.000Z',
      expires: '2027-03-20',
    },
    {
      sid: 100006,
      name: 'Country Sweden',
      count: 2,
      days: days('2026-11-07', '2026-11-20'),
      lastRealized: '2026-11-20T00:00:00.000Z',
      expires: null,
    },
  ],
  segments: [
    segment(100101, 'in', '2026-11-20T14:07:11.000Z', '2026-11-24T00:00:00.000Z'),
    segment(100103, 'in', '2026-11-08T10:00:00.000Z', null),
    segment(100102, 'out', '2026-11-14T08:30:00.000Z', null),
  ],
  consent: { store: true, sync: {}, deliver: { '424': false }, reason: 'tcf_purpose_10' },
  optOut: null,
  deliveries: [{ destinationId: 423, segment: 100101, state: 'acknowledged', at: '2026-11-20T14:19:26.639Z' }],
}

/** The same visitor by the ID that a partner gave: all that is kept under it is which devices it names. */
const partnerProfile = {
  ...profile,
  profileId: PARTNER_ID,
  kind: 'declared',
  deviceId: undefined,
  ids: [],
  devices: [
    { deviceId: '33104472190487765512093847561029388817', syncedAt: '2026-10-02T08:00:00.000Z' },
    { deviceId: DEVICE, syncedAt: '2026-11-18T20:41:03.000Z' },
  ],
  traits: [],
  segments: [],
  deliveries: [],
}

function segment(sid: number, status: string, since: string, until: string | null) {
  const name = segments.find((one) => one.sid === sid)?.name
  return { sid, name, status, since, until, mergeRuleDataSourceId: null }
}

const explained = {
  rule: {
    op: 'and',
    holds: true,
    children: [
      {
        op: 'or',
        holds: true,
        children: [
          {
            op: 'frequency',
            holds: true,
            sid: 100001,
            count: 3,
            windowDays: 7,
            required: 3,
            requiredOperator: '>=',
            windowOperator: '<=',
            days: days('2026-11-16', '2026-11-18', '2026-11-20'),
            profiles: [`d:${DEVICE}`],
          },
          { op: 'trait', holds: false, sid: 100003, count: 0, days: [] },
        ],
      },
      {
        op: 'or',
        holds: true,
        children: [
          { op: 'trait', holds: true, sid: 100006, count: 2, days: days('2026-11-07', '2026-11-20') },
          { op: 'trait', holds: false, sid: 100007, count: 0, days: [] },
        ],
      },
      { op: 'not', holds: true, children: [{ op: 'trait', holds: false, sid: 100008, count: 0, days: [] }] },
    ],
  },
  inSince: '2026-11-20T14:07:11.000Z',
  leavesAt: '2026-11-24T00:00:00.000Z',
  told: [{ destinationId: 423, state: 'acknowledged', why: 'acknowledged at 2026-11-20T14:19:26.639Z' }],
}

/** Messages of the list, or those that tell of the device. */
function page(url: URL) {
  const status = url.searchParams.get('status')
  const q = url.searchParams.get('q')
  const list = deliveries
    .filter(({ users, destinationId, ...one }) => {
      const isOfDevice = q === DEVICE && (destinationId === 423 || users === 1)
      return (status === null || one.status === status) && (q === null || isOfDevice || one.deliveryId.includes(q))
    })
    .map((one) => ({ ...one, attempts: one.attempts.map(({ response: _, ...attempt }) => attempt) }))
  return { total: list.length, page: 0, pageSize: Number(url.searchParams.get('pageSize') ?? 10), list }
}

const found = [
  { kind: 'segment', id: 100101, name: 'Winter boots intenders', detail: null },
  { kind: 'trait', id: 100001, name: 'Viewed winter boots', detail: null },
  { kind: 'message', id: DEAD, name: DEAD, detail: 'dead' },
  { kind: 'destination', id: 423, name: 'Halden DSP', detail: null },
]

const replay = {
  replayId: 'rp_1',
  as: 'same',
  perSecond: null,
  state: 'completed',
  reason: null,
  createdAt: RECORDED_AT,
  startedAt: RECORDED_AT,
  finishedAt: RECORDED_AT,
  progress: { done: 3, of: 3, share: 1, perSecond: null, secondsLeft: null },
  counts: { waiting: 0, queued: 0, acknowledged: 2, dead: 0, superseded: 0, not_sent: 1, cancelled: 0 },
}
const replayed = {
  ...replay,
  messages: {
    ...{ total: 3, page: 0, pageSize: 50 },
    list: [
      { deliveryId: DEAD, destinationId: 423, outcome: 'acknowledged', sent: 'same', reason: null, sentAs: [DEAD] },
      {
        ...{ deliveryId: RETRIED, destinationId: 423, outcome: 'acknowledged', sent: 'current' },
        ...{ reason: 'outdated', sentAs: ['dl_01KAH6T01C5K8M2N6P0R4S7V9X'] },
      },
      {
        ...{ deliveryId: 'dl_01KAH6T02C5K8M2N6P0R4S7V9X', destinationId: 424, outcome: 'not_sent', sent: null },
        ...{ reason: 'no_unsegment', sentAs: [] },
      },
    ],
  },
}

export const listed = <One extends object>(all: readonly One[]) =>
  all.map((one) => ({ ...one, destinationType: 'S2S', status: 'ACTIVE' }))

export const types = destinationTypes({ allowPrivate: false }, Buffer.alloc(32)).map(viewType)

const stamps = { pid: 1, crUID: 1, upUID: 1, createTime: 0, updateTime: 0 }
const whole = {
  ...{ destinationId: 423, name: 'Halden DSP', description: 'Bids on boots in the north', destinationType: 'S2S' },
  ...{ status: 'ACTIVE', vendorId: null, mappings: null },
  s2s: {
    ...{ protocol: 'https', delivery: 'realtime', format: 'aam-json', mode: 'durable', method: 'POST' },
    ...{ url: 'https://in.halden.example/aam', userDpid: 77052, usersPerMessage: 10, successStatuses: [200] },
    headers: { 'X-Account': { set: true, last4: '', fingerprint: '0f3a' } },
    auth: {
      ...{ type: 'hmac', header: 'X-Signature', algorithm: 'sha256' },
      keys: [{ key: { set: true, last4: 'K4T9', fingerprint: '4be1' } }],
    },
  },
  ...stamps,
}
const mappings = segments.map(({ sid, name }, at) => ({
  ...{ destinationMappingId: 9000 + at, mappingId: 9000 + at, destinationId: 423, sid, traitType: 'SEGMENT' },
  ...{ traitValue: 0, elementName: name, elementDescription: null, elementStatus: 'active', startDate: '2026-11-02' },
  ...{ endDate: at === 3 ? '2026-12-24' : null, priority: null, url: null, secureUrl: null, tagCode: null },
  ...{ secureTagCode: null, traitAlias: `WB-${sid}`, valueAlias: null, ...{ crUID: 1, upUID: 1 } },
  ...{ createTime: 0, updateTime: 0 },
}))
const mappingPage = { total: mappings.length, page: 0, pageSize: 50, list: mappings }
/** The key that was left out was made. */
const created = (body: unknown) => ({
  ...whole,
  ...(body as object),
  s2s: {
    ...whole.s2s,
    auth: { ...whole.s2s.auth, keys: [{ key: { ...whole.s2s.auth.keys[0]?.key, value: MADE_KEY } }] },
  },
})
export const MADE_KEY = 'whsec_cmVjb3JkZWQga2V5IG9mIDMyIGJ5dGVzIGxvbmc='

export const RECORDED: Recorded = {
  session: { user: { name: 'Maja Sand' }, expiresAt: '2026-11-21T02:00:00.000Z' },
  rates: { at: RECORDED_AT, eventsPerSecond: 3820.4, membershipsPerSecond: 21, deliveriesPerSecond: 12 },
  answer(method, url, body) {
    const path = url.pathname
    if (method === 'POST' && path === '/v1/deliveries/replay') {
      const { dryRun } = body as { dryRun: boolean }
      const stays = { held: 0, withoutDestination: 0, underWay: 0, unknown: 0 }
      const plan = { unchanged: 1, rebuilt: 0, nothingToTell: 0, ...stays }
      return dryRun
        ? { matched: 1, queued: 0, replayId: null, plan }
        : { matched: 1, queued: 1, replayId: replayed.replayId }
    }
    if (path === '/v1/deliveries/replays') return { total: 1, page: 0, pageSize: 20, list: [replay] }
    if (path === `/v1/deliveries/replays/${replay.replayId}`) return replayed
    if (path === '/v1/destinations/423/health') return health(null)
    if (path === '/v1/destinations/424/health') return health({ reason: 'gone', at: RECORDED_AT })
    if (path === '/v1/overview') return overview
    if (path === '/v1/destinations/') return listed(destinations)
    if (path === '/v1/destination-types') return types
    if (method === 'POST' && path === '/v1/destinations') return created(body)
    if (method === 'DELETE') return undefined
    const destination = destinations.find(({ destinationId }) => path === `/v1/destinations/${destinationId}`)
    if (destination !== undefined) return { ...whole, ...destination }
    if (/^\/v1\/destinations\/\d+\/mappings$/.test(path)) return method === 'POST' ? mappings[0] : mappingPage
    const segment = segments.find(({ sid }) => path === `/v1/segments/${sid}`)
    if (segment !== undefined) return segment
    if (path === '/v1/segments/') return { total: 4, page: 0, pageSize: 200, list: segments }
    if (path === '/v1/search') return found
    if (path === '/v1/deliveries') return page(url)
    if (path === `/v1/profiles/${DEVICE}`) return profile
    if (decodeURIComponent(path) === `/v1/profiles/${PARTNER_ID}`) return partnerProfile
    if (path === `/v1/profiles/${DEVICE}/explain`) return explained
    const trait = traits.find(({ sid }) => path === `/v1/traits/${sid}`)
    if (trait !== undefined) return { sid: trait.sid, name: trait.name }
    const delivery = deliveries.find(({ deliveryId }) => path === `/v1/deliveries/${deliveryId}`)
    return delivery === undefined ? undefined : detailOf(delivery)
  },
}

const health = (paused: DestinationHealthView['paused']): DestinationHealthView => ({
  destinationId: paused === null ? 423 : 424,
  ...(paused === null ? stopped : { state: 'paused', reason: paused.reason, since: paused.at, nextAttempt: null }),
  ...owed,
  breaker: 'open',
  paused,
  refusedMessages: 16,
  askedToWaitUntil: null,
  oldestWaiting: RECORDED_AT,
  failuresInRow: 12,
  refusedInRow: 12,
  lastFailure: { reason: paused === null ? 'http_503' : 'http_410', at: RECORDED_AT },
  lastSuccess: null,
})

/** A server on which nothing has happened yet. */
export const EMPTY: Recorded = {
  ...RECORDED,
  rates: { at: RECORDED_AT, eventsPerSecond: 0, membershipsPerSecond: 0, deliveriesPerSecond: 0 },
  answer(_method, url) {
    if (url.pathname === '/v1/deliveries') return { total: 0, page: 0, pageSize: 50, list: [] }
    if (url.pathname === '/v1/deliveries/replays') return { total: 0, page: 0, pageSize: 20, list: [] }
    if (url.pathname === '/v1/destinations/') return []
    if (url.pathname === '/v1/destination-types') return types
    if (url.pathname !== '/v1/overview') return undefined
    const figures = Object.fromEntries(Object.keys(overview.figures).map((name) => [name, 0]))
    return {
      ...overview,
      figures: { ...figures, acknowledgedShare: null, eventToPartnerMs: null },
      series: [],
      flow: { sources: [], traits: [], segments: [], destinations: [], links: [], others: overview.flow.others },
      needsAttention: [],
      ledger: [],
    }
  },
}
