import { DEAD, RECORDED, RECORDED_AT, type Recorded } from './recorded-answers.ts'

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
