import { DEAD, DEVICE, PARTNER_ID, RECORDED, RECORDED_AT, RETRIED, type Recorded } from './recorded-answers.ts'

/** A replay of eleven dead letters that was stopped after all of them had been sent again and refused. */
const counts = { waiting: 0, queued: 0, acknowledged: 0, dead: 11, superseded: 0, not_sent: 0, cancelled: 0 }
const replay = {
  ...{ replayId: 'rp_1', as: 'same', perSecond: null, state: 'cancelled', reason: null },
  ...{ createdAt: RECORDED_AT, startedAt: RECORDED_AT, finishedAt: RECORDED_AT },
  progress: { done: 11, of: 11, share: 1, perSecond: null, secondsLeft: null },
  counts,
}
const list = Array.from({ length: 11 }, (_, at) => {
  const deliveryId = at === 0 ? DEAD : `dl_01KAH6S${String(at).padStart(2, '0')}C5K8M2N6P0R4S7V9X`
  return { deliveryId, destinationId: 423, outcome: 'dead', sent: 'same', reason: 'http_400', sentAs: [deliveryId] }
})

export const STOPPED: Recorded = {
  ...RECORDED,
  answer(method, url, body) {
    if (url.pathname === '/v1/deliveries/replays') return { total: 1, page: 0, pageSize: 20, list: [replay] }
    if (url.pathname === '/v1/deliveries/replays/rp_1')
      return { ...replay, messages: { total: 11, page: 0, pageSize: 50, list } }
    return RECORDED.answer(method, url, body)
  },
}

const AT_503 = '2026-11-20T14:31:40.000Z'
const NEXT = '2026-11-20T14:36:40.000Z'
const attempt = (number: number, startedAt: string, httpStatus: number) => {
  const outcome = httpStatus === 200 ? 'acknowledged' : 'failed'
  return { number, startedAt, durationMs: 74, outcome, httpStatus, error: httpStatus === 200 ? null : 'http_503' }
}
const open = { status: 'retrying', reason: 'http_503', finishedAt: null, attempts: [attempt(1, AT_503, 503)] }
/** Accepted at first, and again when it was replayed. */
const again = {
  ...{ status: 'acknowledged', reason: null, attemptsBefore: 1, finishedAt: '2026-11-20T14:20:00.500Z' },
  attempts: [attempt(1, '2026-11-20T14:07:11.631Z', 200), attempt(2, '2026-11-20T14:20:00.426Z', 200)],
}

interface Answered {
  readonly list: readonly { readonly deliveryId: string }[]
  readonly ledger: readonly { readonly destinationId: number }[]
  readonly flow: { readonly destinations: readonly { readonly destinationId: number }[] }
  readonly figures: object
}

const owed = { waitingUsers: 15, moreOnDisk: false, openMessages: 0 }
const paused = { state: 'paused', reason: 'operator', since: AT_503, nextAttempt: null, ...owed }
/** Nothing waits where the last attempt was refused; its dead letters are what there is to do. */
const refusing = {
  ...{ state: 'failing', reason: 'http_400', since: AT_503, nextAttempt: null },
  ...{ waitingUsers: 0, moreOnDisk: false, openMessages: 0 },
}
/** One of some two thousand waits. */
const partial = {
  ...{ state: 'partial', reason: 'http_503', since: AT_503, nextAttempt: null },
  ...{ waitingUsers: 1, moreOnDisk: false, openMessages: 1 },
}
const states = new Map([
  [423, { ...paused, acknowledged: 2_821, waiting: 2, dead: 0 }],
  [424, { ...refusing, acknowledged: 40, waiting: 0, dead: 11 }],
  [425, { ...partial, acknowledged: 2_278, waiting: 1, dead: 0 }],
])
const item = { severity: 'warning', atLeast: false, since: AT_503, nextAttempt: null, deadLetters: null }
const needsAttention = [
  {
    ...{ ...item, kind: 'failing', destinationId: 424, name: 'Corvid Social', count: 0, messages: 0 },
    ...{ reason: 'http_400', deadLetters: 11 },
  },
  { ...item, kind: 'paused', destinationId: 423, name: 'Halden DSP', count: 15, messages: 0, reason: 'operator' },
  { ...item, kind: 'partial', destinationId: 425, name: 'Plume Mail', count: 1, messages: 1, reason: 'http_503' },
]
const inState = <T extends { readonly destinationId: number }>(one: T) => ({
  ...one,
  ...states.get(one.destinationId),
})

/** Partners in trouble of several kinds, and messages at each stage. */
export const TROUBLED: Recorded = {
  ...RECORDED,
  answer(method, url, body) {
    const path = decodeURIComponent(url.pathname)
    const answer = RECORDED.answer(method, url, body) as Answered
    if (path === '/v1/overview') {
      const { figures, flow, ledger } = answer
      return {
        ...{ ...answer, needsAttention, figures: { ...figures, refused: 3, waitingUsers: 16 } },
        flow: { ...flow, destinations: flow.destinations.map(inState) },
        ledger: ledger.map((one) => ({ ...inState(one), blocked: 0 })),
      }
    }
    if (path === '/v1/destinations/423/health')
      return { ...answer, ...paused, breaker: 'closed', paused: { reason: 'operator', at: AT_503 }, refusedMessages: 0 }
    if (path === '/v1/deliveries') {
      if (url.searchParams.get('page') === '999') return { ...answer, total: 1_762, page: 999, list: [] }
      if (url.searchParams.get('destinationId') === '423' && url.searchParams.get('q') === null)
        return { ...answer, total: 0, list: [] }
      const change = (deliveryId: string) => (deliveryId === RETRIED ? open : deliveryId === DEAD ? again : {})
      return { ...answer, list: answer.list.map((one) => ({ ...one, ...change(one.deliveryId) })) }
    }
    if (path === `/v1/deliveries/${RETRIED}`) {
      const attempts = open.attempts.map((one) => ({ ...one, response: { headers: {}, excerpt: '', note: null } }))
      return { ...answer, ...open, attempts, nextAttempt: NEXT }
    }
    if (path === `/v1/profiles/${DEVICE}/explain`) {
      const told = [
        { destinationId: 423, state: 'paused', why: `paused since ${AT_503}` },
        { destinationId: 424, state: 'retrying', why: `retrying since ${AT_503}` },
        { destinationId: 425, state: 'waiting', why: 'waiting' },
      ]
      return { ...answer, told }
    }
    // The ID was synced long before the device was seen last.
    if (path === `/v1/profiles/${PARTNER_ID}`) return { ...answer, lastSeen: '2026-11-18T20:41:03.000Z' }
    return answer
  },
}

/** The same, and the message that is tried again belongs to the paused destination: it has no next try. */
export const HELD_BACK: Recorded = {
  ...TROUBLED,
  answer(method, url, body) {
    const answer = TROUBLED.answer(method, url, body)
    if (url.pathname !== `/v1/deliveries/${RETRIED}`) return answer
    return { ...(answer as object), destinationId: 423, destinationName: 'Halden DSP', nextAttempt: null }
  },
}

/** The machine's clock says a time that nobody can keep. */
export const OUT_OF_TIME: Recorded = {
  ...RECORDED,
  answer(method, url, body) {
    const answer = RECORDED.answer(method, url, body) as Answered & { needsAttention: readonly object[] }
    if (url.pathname !== '/v1/overview') return answer
    const [, , , known] = answer.needsAttention
    return {
      ...answer,
      needsAttention: [{ ...known, kind: 'clock', severity: 'critical', reason: 'out_of_range' }, known],
    }
  },
}
