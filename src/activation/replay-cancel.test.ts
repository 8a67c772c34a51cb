import { expect, test } from 'vitest'
import { openJobStore } from '../store/job-store.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  openWorkbench,
  startReceiver,
  until,
  type Workbench,
} from './workbench.conformance.ts'

/** Replays that are called off, and how many are kept. */

async function dieOff(bench: Workbench, users: number) {
  for (let n = 1; n <= users; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => bench.ended.length === users)
  return bench.ended.map(({ deliveryId }) => deliveryId)
}
const config = (url: string) => ({ url, mode: 'compat', usersPerMessage: 1 })
const outcomesOf = async (bench: Workbench, replayId: string) =>
  (await bench.dispatcher.replays.messages(replayId, 0, 100)).map(({ outcome }) => outcome)

test('a replay that is called off begins nothing more, and what was not begun is what it was [API-165~] [SEC-48]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  await using bench = await openWorkbench({ destinations: [{ config: config(receiver.url) }] })
  const deliveryIds = await dieOff(bench, 3)
  isDead = false
  receiver.requests.length = 0
  const { replayId = '' } = await bench.replay({ deliveryIds, as: 'same', perSecond: 0.01 })
  await until(() => bench.dispatcher.replays.get(replayId)?.counts.acknowledged === 1)
  expect(await bench.dispatcher.replays.cancel(replayId)).toBe('cancelled')
  expect(bench.dispatcher.replays.get(replayId)).toMatchObject({ state: 'cancelled', counts: { cancelled: 2 } })
  expect(await outcomesOf(bench, replayId)).toEqual(['acknowledged', 'cancelled', 'cancelled'])
  expect(receiver.requests).toHaveLength(1)
  expect(await bench.endedIds({ status: 'dead', reason: 'http_500' })).toHaveLength(2)
  expect(await bench.dispatcher.replays.cancel(replayId)).toBe('ended')
  expect(await bench.dispatcher.replays.cancel('rp_none')).toBe('unknown')
})

test('what was put on its way again and has not left is taken back as it was; what is being sent is sent [API-165~]', async () => {
  let isHanging = false
  let release = () => {}
  await using receiver = await startReceiver((response) => {
    if (!isHanging) response.writeHead(500).end()
    else release = () => response.end()
  })
  const options = { limits: { concurrency: 1, compatRetryWaitMs: 0 } }
  await using bench = await openWorkbench({ destinations: [{ config: config(receiver.url) }] }, options)
  const deliveryIds = await dieOff(bench, 3)
  const before = await Promise.all(deliveryIds.map((id) => bench.deliveries.get(id)))
  isHanging = true
  receiver.requests.length = 0
  const { replayId = '' } = await bench.replay({ deliveryIds, as: 'same' })
  await receiver.count(1)
  await until(() => bench.dispatcher.replays.get(replayId)?.counts.queued === 3)
  expect(await bench.dispatcher.replays.cancel(replayId)).toBe('cancelled')
  expect(await outcomesOf(bench, replayId)).toEqual(['queued', 'cancelled', 'cancelled'])
  for (const [at, deliveryId] of deliveryIds.entries()) {
    if (at === 0) continue
    const { status, reason, finishedAtMs, body } = before[at] as NonNullable<(typeof before)[number]>
    expect(await bench.deliveries.get(deliveryId)).toMatchObject({ status, reason, finishedAtMs, body })
  }
  // Nothing was counted as a death for a second time.
  expect(bench.ended).toHaveLength(3)
  release()
  await until(() => bench.dispatcher.replays.get(replayId)?.counts.acknowledged === 1)
  await bench.idle()
  expect(receiver.requests).toHaveLength(1)
})

/** Dead letters, of a partner whose repetitions come when the test says so. */
async function openRefused(answer: () => number) {
  const held: (() => void)[] = []
  let isHanging = false
  const receiver = await startReceiver((response) => {
    const end = () => response.writeHead(answer()).end()
    if (isHanging) held.push(end)
    else end()
  })
  const timers = manualTimers()
  const options = { after: timers.after, limits: { compatRetryWaitMs: 1_000 } }
  const bench = await openWorkbench({ destinations: [{ config: config(receiver.url) }] }, options)
  for (let n = 1; n <= 2; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => {
    timers.advance(1_000)
    return bench.ended.length === 2
  })
  await bench.idle()
  receiver.requests.length = 0
  const deliveryIds = bench.ended.map(({ deliveryId }) => deliveryId)
  return Object.assign(bench, {
    receiver,
    deliveryIds,
    hold: () => {
      isHanging = true
    },
    letGo: () => {
      for (const end of held.splice(0)) end()
    },
    async [Symbol.asyncDispose]() {
      await bench.dispatcher.close(0)
      await receiver[Symbol.asyncDispose]()
    },
  })
}

test('what was sent again and refused before the stop ends with that answer, and is not called unsent [SEC-48] [API-165~]', async () => {
  await using bench = await openRefused(() => 400)
  const { dispatcher, deliveryIds, receiver } = bench
  const { replayId = '' } = await bench.replay({ deliveryIds, as: 'same' })
  await until(() => dispatcher.stats().destinations[0]?.retrying === 2)
  expect(await dispatcher.replays.cancel(replayId)).toBe('cancelled')
  expect(dispatcher.replays.get(replayId)).toMatchObject({ state: 'cancelled', counts: { dead: 2, cancelled: 0 } })
  for (const message of await dispatcher.replays.messages(replayId, 0, 10))
    expect(message).toMatchObject({ outcome: 'dead', sent: 'same', reason: 'http_400', sentAs: [message.deliveryId] })
  for (const deliveryId of deliveryIds) {
    const delivery = await bench.deliveries.get(deliveryId)
    expect(delivery).toMatchObject({ status: 'dead', reason: 'http_400', attempts: { length: 3 } })
  }
  expect(receiver.requests).toHaveLength(2)
  expect(dispatcher.stats().destinations[0]?.open).toBe(0)
})

test('what is being sent at the stop is not tried again after its answer [SEC-48]', async () => {
  await using bench = await openRefused(() => 400)
  const { dispatcher, deliveryIds, receiver } = bench
  bench.hold()
  const { replayId = '' } = await bench.replay({ deliveryIds, as: 'same' })
  await receiver.count(2)
  await dispatcher.replays.cancel(replayId)
  expect(dispatcher.replays.get(replayId)?.counts.queued).toBe(2)
  bench.letGo()
  await until(() => dispatcher.replays.get(replayId)?.counts.dead === 2)
  expect(await outcomesOf(bench, replayId)).toEqual(['dead', 'dead'])
  expect(receiver.requests).toHaveLength(2)
})

test('of two replays of one message one sends it, the other says that it is under way, and each stops its own [API-165~]', async () => {
  await using bench = await openRefused(() => 400)
  const { dispatcher, deliveryIds } = bench
  bench.hold()
  const both = deliveryIds.slice(1)
  const replays = [
    await bench.replay({ deliveryIds: both, as: 'same' }),
    await bench.replay({ deliveryIds: both, as: 'same' }),
  ]
  const ids = replays.map(({ replayId = '' }) => replayId ?? '')
  await until(() => ids.every((id) => dispatcher.replays.get(id)?.counts.waiting === 0))
  const outcomes = async () => (await Promise.all(ids.map((id) => outcomesOf(bench, id)))).flat().toSorted()
  expect(await outcomes()).toEqual(['not_sent', 'queued'])
  for (const id of ids) await dispatcher.replays.cancel(id)
  bench.letGo()
  await until(() => ids.every((id) => dispatcher.replays.get(id)?.counts.queued === 0))
  expect(await outcomes()).toEqual(['dead', 'not_sent'])
})

test('of those that have ended the last hundred are kept, with what became of their messages [API-165~]', async () => {
  const records = await openMemoryRecordStore()
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: config(receiver.url) }] }, { records })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  const deliveryIds = bench.ended.map(({ deliveryId }) => deliveryId)
  const ids: string[] = []
  for (let n = 0; n < 103; n++) {
    ids.push((await bench.replay({ deliveryIds, as: 'same' })).replayId ?? '')
    await until(() => bench.dispatcher.replays.get(ids[n] ?? '')?.state !== 'running')
  }
  const kept = bench.dispatcher.replays.list().map(({ replayId }) => replayId)
  expect(kept).toEqual(ids.slice(3).reverse())
  const jobs = openJobStore(records)
  const stored = await Promise.all(ids.slice(0, 4).map((id) => jobs.read(`delivery.replay ${id} 0`)))
  expect(stored.map((one) => one !== undefined)).toEqual([false, false, false, true])
})

test('what a version before had not replayed is replayed, and is found like any other [SEC-48]', async () => {
  const records = await openMemoryRecordStore()
  const jobs = openJobStore(records)
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  let deliveryIds: readonly string[] = []
  {
    await using bench = await openWorkbench({ destinations: [{ config: config(receiver.url) }] }, { records })
    deliveryIds = await dieOff(bench, 3)
  }
  await jobs.write('delivery.replay an-order', deliveryIds)
  await jobs.write('delivery.replays', [{ orderId: 'an-order', as: 'same', perSecond: null, done: 1 }])
  isDead = false
  await using bench = await openWorkbench({ destinations: [{ config: config(receiver.url) }] }, { records })
  await until(() => bench.ended.length === 2)
  expect(bench.ended.map(({ deliveryId }) => deliveryId)).toEqual(deliveryIds.slice(1))
  expect(bench.dispatcher.replays.list()).toMatchObject([{ total: 2, as: 'same' }])
  expect(await Promise.all(['delivery.replay an-order', 'delivery.replays'].map((name) => jobs.read(name)))).toEqual([
    undefined,
    undefined,
  ])
})

test('at most fifty are under way at one time [SEC-72~]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: config(receiver.url) }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  await bench.dispatcher.pause(DESTINATION)
  const start = () => {
    const ids = bench.ended.map(({ deliveryId }) => deliveryId)
    return bench.dispatcher.replays.start({ deliveries: { ids }, as: 'same' })
  }
  for (let n = 0; n < 50; n++) expect(await start()).toMatchObject({ queued: 1 })
  expect(await start()).toBe('too_many')
})
