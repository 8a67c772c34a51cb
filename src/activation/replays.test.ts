import { expect, test } from 'vitest'
import { newDeliveryId } from '../store/delivery-keys.ts'
import { openTemporaryStore } from '../store/embedded/temporary-store.conformance.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import { StoreUnavailableError } from '../store/record-store.ts'
import { disturbed } from '../testkit/disturbed.ts'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  OTHER,
  openWorkbench,
  rulesOf,
  startReceiver,
  until,
  type Workbench,
} from './workbench.conformance.ts'

/** Dead letters that are sent again. */

/** So many dead letters of users who each have one. */
async function dieOff(bench: Workbench, users: number, destination = DESTINATION): Promise<void> {
  const before = bench.ended.length
  for (let n = 1; n <= users; n++) await bench.commit(deviceIn(n, [100]), [destination])
  await until(() => bench.ended.length === before + users)
  await bench.idle()
}
const search = { destinationId: DESTINATION, status: 'dead' } as const
const config = (url: string, more: object = {}) => ({ url, mode: 'compat', usersPerMessage: 1, ...more })

test('a replay goes out at the given rate, oldest first, and a dry run only counts [SEC-48]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  const timers = manualTimers()
  await using bench = await openWorkbench(
    { destinations: [{ config: config(receiver.url) }] },
    { after: timers.after, limits: { compatRetryWaitMs: 0 }, random: () => 0.5 },
  )
  const users = 5
  const before = bench.ended.length
  for (let n = 1; n <= users; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => {
    timers.advance(1)
    return bench.ended.length === before + users
  })
  isDead = false
  receiver.requests.length = 0
  const deliveryIds = await bench.endedIds({ ...search, reason: 'http_500' })
  expect(deliveryIds).toHaveLength(users)
  expect(await bench.replay({ deliveryIds, as: 'same', perSecond: 2, dryRun: true })).toEqual({
    matched: users,
    queued: 0,
    plan: { unchanged: users, rebuilt: 0, nothingToTell: 0, held: 0, withoutDestination: 0, underWay: 0, unknown: 0 },
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(receiver.requests).toEqual([])

  expect(await bench.replay({ deliveryIds, as: 'same', perSecond: 2 })).toEqual({
    matched: users,
    queued: users,
    replayId: expect.stringMatching(/^rp_[\w-]{43}$/),
  })
  for (let n = 1; n <= users; n++) {
    await receiver.count(n)
    await until(() => timers.waits().length === 1)
    timers.advance(499)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(receiver.requests).toHaveLength(n)
    timers.advance(1)
  }
  await until(() => bench.ended.length === before + 2 * users)
  expect(bench.ended.slice(users).map((one) => one.deliveryId)).toEqual(deliveryIds)
  expect(await bench.endedIds(search)).toEqual([])
})

test('a replay that a stop interrupts goes on after the start, each destination for itself [SEC-48]', async () => {
  await using folder = await openTemporaryStore()
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  await using other = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  const defined = { destinations: [{ config: config(receiver.url) }, { id: OTHER, config: config(other.url) }] }
  {
    await using bench = await openWorkbench(defined, { records: folder.store })
    await dieOff(bench, 3)
    await dieOff(bench, 3, OTHER)
    isDead = false
    receiver.requests.length = 0
    other.requests.length = 0
    const deliveryIds = await bench.endedIds({ status: 'dead' })
    expect(await bench.replay({ deliveryIds, as: 'same', perSecond: 0.1 })).toMatchObject({ queued: 6 })
    // The first of each goes at once, the second ten seconds later.
    await receiver.count(1)
    await other.count(1)
    await bench.idle()
  }
  const timers = manualTimers()
  await using bench = await openWorkbench(defined, { records: await folder.reopen(), after: timers.after })
  await until(() => {
    timers.advance(10_000)
    return bench.ended.length === 4
  })
  expect([receiver.requests.length, other.requests.length]).toEqual([3, 3])
  expect(await bench.endedIds({ status: 'dead' })).toEqual([])
})

test('a replay outlives trouble of the store, and one that waits for it holds up no stop [SEC-48] [SEC-89]', async () => {
  let isDead = true
  let isAway = false
  const troubles: string[] = []
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  const records = disturbed(await openMemoryRecordStore(), (call) => {
    if (isAway && call === 'getMany') throw new StoreUnavailableError('away')
  })
  const timers = manualTimers()
  const turn = async (hasCome: () => boolean) =>
    until(() => {
      timers.advance(1_000)
      return hasCome()
    })
  await using bench = await openWorkbench(
    { destinations: [{ config: config(receiver.url) }] },
    { records, after: timers.after, log: (event) => troubles.push(event) },
  )
  for (let n = 1; n <= 20; n++) await bench.commit(deviceIn(n, [100]))
  await turn(() => bench.ended.length === 20)
  await bench.idle()
  isDead = false
  receiver.requests.length = 0
  const deliveryIds = await bench.endedIds(search)
  // One in fifty turns: however slow its requests are, most of them are still to come.
  await bench.replay({ deliveryIds, as: 'same', perSecond: 0.02 })
  await receiver.count(1)
  isAway = true
  await turn(() => troubles.length > 1)
  expect(new Set(troubles)).toEqual(new Set(['delivery.store_unavailable']))
  isAway = false
  await turn(() => receiver.requests.length >= 3)
  isAway = true
  troubles.length = 0
  await turn(() => troubles.length > 0)
  const closing = bench.dispatcher.close()
  let isClosed = false
  void closing.then(() => {
    isClosed = true
  })
  await turn(() => isClosed)
})

test('many dead letters are replayed behind the answer; while their destination is paused they stay what they are [SEC-48] [SEC-44]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  await using bench = await openWorkbench(
    { destinations: [{ config: config(receiver.url) }] },
    { limits: { compatRetryWaitMs: 0, openMax: 20 } },
  )
  await dieOff(bench, 120)
  isDead = false
  receiver.requests.length = 0
  await bench.dispatcher.pause(DESTINATION)
  const deliveryIds = await bench.endedIds(search)
  const { replayId = '', ...counted } = await bench.replay({ deliveryIds, as: 'same' })
  expect(counted).toEqual({ matched: 120, queued: 120 })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(bench.dispatcher.stats().destinations[0]?.open).toBe(0)
  expect(bench.dispatcher.replays.get(replayId)).toMatchObject({ state: 'running', waitsFor: 'operator' })
  expect(await bench.endedIds(search)).toHaveLength(120)
  await bench.dispatcher.resume(DESTINATION)
  let openMost = 0
  await until(() => {
    openMost = Math.max(openMost, bench.dispatcher.stats().destinations[0]?.open ?? 0)
    return bench.ended.length === 240
  })
  expect(openMost).toBeLessThanOrEqual(20)
  expect(new Set(receiver.requests.map((request) => request.body)).size).toBe(120)
})

test('a dry run says what stays: under way, not kept, without a destination; and what waits [SEC-48] [SEC-41~]', async () => {
  let isDead = true
  let isHanging = false
  await using receiver = await startReceiver((response) => {
    if (!isHanging) response.writeHead(isDead ? 500 : 200).end()
  })
  await using other = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  const both = [{ config: config(receiver.url) }, { id: OTHER, config: config(other.url) }]
  await using bench = await openWorkbench({ destinations: both }, { limits: { compatRetryWaitMs: 0 } })
  await dieOff(bench, 2)
  await dieOff(bench, 3, OTHER)
  isDead = false
  const dead = await bench.endedIds({ status: 'dead' })
  const [first] = await bench.endedIds(search)
  isHanging = true
  await bench.replay({ deliveryIds: [first as (typeof dead)[number]], as: 'same' })
  await receiver.count(5)
  await bench.dispatcher.pause(DESTINATION)
  const ask = (as: 'same' | 'current') => bench.replay({ deliveryIds: [...dead, newDeliveryId()], as, dryRun: true })
  const stays = { underWay: 1, unknown: 1, withoutDestination: 0, held: 1 }
  expect(await ask('same')).toEqual({
    matched: 4,
    queued: 0,
    plan: { ...stays, unchanged: 4, rebuilt: 0, nothingToTell: 0 },
  })
  expect(await ask('current')).toMatchObject({ plan: { ...stays, unchanged: 0, rebuilt: 4 } })

  bench.rules = rulesOf({ destinations: both.slice(0, 1) })
  expect(await ask('same')).toMatchObject({ matched: 4, plan: { withoutDestination: 3, unchanged: 1 } })
  // Nothing is sent nowhere: those keep the reason they died of.
  expect(await bench.replay({ deliveryIds: dead, as: 'same' })).toMatchObject({ matched: 4, queued: 1 })
  expect(await bench.endedIds({ destinationId: OTHER, reason: 'http_500' })).toHaveLength(3)
})
