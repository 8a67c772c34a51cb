import type { Dispatcher } from '../activation/dispatcher.ts'
import type { ReplayStanding } from '../activation/replay-desk.ts'
import { hasEnded, REPLAY_OUTCOMES } from '../activation/replay-order.ts'
import type { ReplayControl } from '../api/parts.ts'
import type { Replay } from '../contract.ts'
import type { DeliveryId } from '../model/ids.ts'
import { isoTime } from '../model/time.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import { inStore } from './delivery-reader.ts'

/** An operator's hand on replays, and what became of them [OPS-51], [API-165]. */
export function replayControl(
  { replays }: Pick<Dispatcher, 'replays'>,
  store: Pick<DeliveryStore, 'ended' | 'list'>,
): ReplayControl {
  return {
    async start({ select, ...order }) {
      const filter = 'filter' in select ? inStore(select.filter) : undefined
      const deliveries =
        'filter' in select
          ? { find: () => store.ended(inStore(select.filter)) }
          : { ids: select.deliveryIds as readonly DeliveryId[] }
      const started = await replays.start({ ...order, deliveries })
      if (started === 'too_many') return started
      const answer = { replayId: null, ...started }
      if (started.plan === undefined || filter === undefined) return answer
      // Those that fit and have not ended are not among them.
      const { total } = await store.list({ ...filter, page: 0, pageSize: 1 })
      return { ...answer, plan: { ...started.plan, underWay: Math.max(0, total - started.matched) } }
    },
    async discard({ select, ...order }) {
      const find = async () =>
        'filter' in select
          ? (await store.ended({ ...inStore(select.filter), status: 'dead' })).map(({ deliveryId }) => deliveryId)
          : (select.deliveryIds as readonly DeliveryId[])
      return replays.discard({ ...order, find })
    },
    list({ page, pageSize }) {
      const all = replays.list()
      return { total: all.length, list: all.slice(page * pageSize, (page + 1) * pageSize).map(viewReplay) }
    },
    async get(replayId, { page, pageSize, outcome }) {
      const replay = replays.get(replayId)
      if (replay === undefined) return undefined
      const list = await replays.messages(replayId, page * pageSize, pageSize, outcome)
      const total = outcome === undefined ? replay.total : replay.counts[outcome]
      return { ...viewReplay(replay), messages: { total, page, pageSize, list: list.map(viewMessage) } }
    },
    async cancel(replayId) {
      const done = await replays.cancel(replayId)
      const replay = replays.get(replayId)
      if (done === 'unknown' || replay === undefined) return 'unknown'
      return done === 'ended' ? 'ended' : viewReplay(replay)
    },
  }
}

const viewMessage = ({ sentAs, ...message }: Awaited<ReturnType<Dispatcher['replays']['messages']>>[number]) => {
  return { ...message, sentAs: [...sentAs] }
}

function viewReplay(replay: ReplayStanding): Replay {
  const { replayId, as, perSecond, state, waitsFor, total, counts, createdAtMs, finishedAtMs } = replay
  const done = REPLAY_OUTCOMES.filter(hasEnded).reduce((sum, outcome) => sum + counts[outcome], -counts.cancelled)
  const createdAt = isoTime(createdAtMs)
  const isRunning = state === 'running'
  return {
    ...{ replayId, as, perSecond, state, reason: waitsFor ?? null },
    ...{ createdAt, startedAt: createdAt, finishedAt: finishedAtMs === null ? null : isoTime(finishedAtMs) },
    progress: {
      ...{ done, of: total, share: total === 0 ? 1 : done / total, perSecond },
      secondsLeft:
        isRunning && perSecond !== null && waitsFor === undefined ? Math.ceil(counts.waiting / perSecond) : null,
    },
    counts: { ...counts },
  }
}
