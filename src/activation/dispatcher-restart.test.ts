import { expect, test } from 'vitest'
import type { DeliveryId } from '../model/ids.ts'
import { LeaveReason } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { openTemporaryStore } from '../store/embedded/temporary-store.conformance.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import { Kind } from '../store/record-kinds.ts'
import { StoreUnavailableError } from '../store/record-store.ts'
import { disturbed } from '../testkit/disturbed.ts'
import {
  DESTINATION,
  deviceIn,
  linkOf,
  manualTimers,
  NOW,
  OTHER,
  openWorkbench,
  profileIdOf,
  rulesOf,
  segmentsOf,
  startReceiver,
  told,
  until,
  type Workbench,
} from './workbench.conformance.ts'

const at = NOW / 1000

const openIn = async ({ deliveries }: Workbench) => {
  const open: StoredDelivery[] = []
  for await (const delivery of deliveries.openDeliveries()) open.push(delivery)
  return open
}

/** What outlives a stop, a dead partner, a denied address; and what is sent again by hand. */

test('a frozen message survives a restart and leaves byte for byte, before anything newer of its user [SEC-41~] [SEC-42~] [SEC-43~]', async () => {
  await using folder = await openTemporaryStore()
  const timers = manualTimers()
  await using receiver = await startReceiver((response, _request, number) =>
    response.writeHead(number === 1 ? 500 : 200).end(),
  )
  const defined = { destinations: [{ config: { url: receiver.url } }] }
  let frozen: string | undefined
  {
    await using bench = await openWorkbench(defined, { records: folder.store, after: timers.after })
    await bench.commit(deviceIn(1, [100]))
    await until(() => timers.waits().length === 1)
    // Newer state, which must wait; and a stop before the repetition.
    await bench.commit(deviceIn(1, [], { segments: segmentsOf({ 100: { at, left: LeaveReason.rule } }) }))
    frozen = (await bench.deliveries.list({ page: 0, pageSize: 1 })).list[0]?.deliveryId
  }
  const records = await folder.reopen()
  await using bench = await openWorkbench(defined, { records, clock: () => NOW + 6_000 })
  await until(() => bench.ended.length === 2)
  await bench.idle()
  expect(receiver.requests[1]?.body).toBe(receiver.requests[0]?.body)
  expect(receiver.requests.map(told)).toEqual([['user-1: 100+'], ['user-1: 100+'], ['user-1: 100-']])
  expect(bench.ended[0]).toMatchObject({
    deliveryId: frozen,
    status: 'acknowledged',
    attempts: [{ httpStatus: 500 }, { httpStatus: 200 }],
  })
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]).toMatchObject({
    isOwed: false,
    told: { active: [], sequence: 2 },
  })
})

test('markers that no one was told of are found at the next start [SEC-40]', async () => {
  await using folder = await openTemporaryStore()
  await using receiver = await startReceiver()
  const defined = { destinations: [{ config: { url: receiver.url }, status: 'INACTIVE' as const }] }
  {
    await using bench = await openWorkbench(defined, { records: folder.store })
    for (let n = 0; n < 25; n++) await bench.commit(deviceIn(n, [100]))
  }
  const records = await folder.reopen()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] }, { records })
  await until(() => bench.ended.flatMap((delivery) => delivery.users).length === 25)
  await bench.idle()
  expect(new Set(receiver.requests.flatMap(told)).size).toBe(25)
})

test('a dead destination holds little memory, loses nothing, and does not hold up another one [SEC-44] [OUT-25~]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  await using healthy = await startReceiver()
  const timers = manualTimers()
  const destinations = [
    { config: { url: receiver.url, usersPerMessage: 1 } },
    { id: OTHER, config: { url: healthy.url, usersPerMessage: 1 } },
  ]
  await using bench = await openWorkbench(
    { destinations },
    { after: timers.after, limits: { queueMax: 10, openMax: 3 } },
  )
  for (let n = 0; n < 60; n++) {
    await bench.commit(deviceIn(n, [100]), [DESTINATION, OTHER])
  }
  await until(() => bench.ended.length === 60)
  const dead = () => bench.dispatcher.stats().destinations.find((one) => one.destinationId === DESTINATION)
  await until(() => dead()?.retrying === 3)
  expect(dead()).toMatchObject({ open: 3, moreOnDisk: true })
  expect(dead()?.queued).toBeLessThanOrEqual(10)

  isDead = false
  timers.advance(6_000)
  await until(() => bench.ended.length === 120)
  expect(new Set(receiver.requests.slice(3).flatMap(told)).size).toBe(60)
  const owed = await bench.deliveries.lookUp(
    DESTINATION,
    Array.from({ length: 60 }, (_, n) => profileIdOf(n)),
  )
  expect(owed.filter((one) => one.isOwed)).toEqual([])
})

test('messages to a denied address are kept, shown as blocked, and sent once the address is allowed [SEC-23]', async () => {
  await using receiver = await startReceiver()
  const timers = manualTimers()
  const blocked = { destinations: [{ config: { url: 'https://127.0.0.1/in' } }] }
  await using bench = await openWorkbench(blocked, {
    after: timers.after,
    egress: { allowPrivate: false, allowedTargets: [`127.0.0.1:${receiver.port}`] },
  })
  await bench.commit(deviceIn(1, [100]))
  await until(() => timers.waits().length === 1)
  for (let n = 0; n < 5; n++) {
    timers.advance(300_000)
    await until(() => timers.waits().length === 1)
  }
  const [kept] = (await bench.deliveries.list({ page: 0, pageSize: 9 })).list
  expect(kept).toMatchObject({
    status: 'blocked',
    reason: 'egress_denied',
    attempts: [{ number: 1, outcome: 'failed', error: 'egress_denied' }],
  })
  bench.rules = rulesOf({
    destinations: [{ config: { url: receiver.url } }],
  })
  bench.dispatcher.rulesChanged()
  await bench.idle()
  expect(receiver.requests[0]?.body).toBe(kept?.body)
})

test('a replay sends the same bytes only while nothing newer was sent, else the state as it is [SEC-41~] [SEC-42~]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url, mode: 'compat' } }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  const dead = bench.ended[0]
  expect(dead).toMatchObject({ status: 'dead', aamWouldDrop: true })
  const deliveryIds = [dead?.deliveryId ?? ('' as never)]
  isDead = false
  expect(await bench.replay({ deliveryIds, as: 'same', dryRun: true })).toMatchObject({
    matched: 1,
    queued: 0,
    plan: { unchanged: 1, rebuilt: 0 },
  })
  expect(await bench.replayed({ deliveryIds, as: 'same' })).toMatchObject([
    { outcome: 'acknowledged', sent: 'same', reason: null, sentAs: deliveryIds },
  ])
  expect(bench.ended[1]).toMatchObject({
    deliveryId: dead?.deliveryId,
    status: 'acknowledged',
    attempts: [{}, {}, { number: 3, httpStatus: 200 }],
  })
  expect(receiver.requests[2]?.body).toBe(receiver.requests[0]?.body)

  await bench.commit(deviceIn(1, [100, 101]))
  await bench.idle()
  expect(await bench.replay({ deliveryIds, as: 'same', dryRun: true })).toMatchObject({
    plan: { unchanged: 0, rebuilt: 1 },
  })
  const [result] = await bench.replayed({ deliveryIds, as: 'same' })
  expect(result).toMatchObject({ outcome: 'acknowledged', sent: 'current', reason: 'outdated' })
  expect(result?.sentAs).toEqual([bench.ended[3]?.deliveryId])
  expect(bench.ended[3]).toMatchObject({ replayOf: dead?.deliveryId, status: 'acknowledged' })
  expect(bench.ended[3]?.deliveryId).not.toBe(dead?.deliveryId)
  expect(told(receiver.requests[4] ?? { body: '' })).toEqual(['user-1: 100+ 101+'])
})

test('a replay does not overtake what its user is owed: then the state as it is goes, and no Status 0 is lost [SEC-42~] [SEC-40] [OUT-57]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  const timers = manualTimers()
  const config = { url: receiver.url, mode: 'compat', batchMaxWaitMs: 50 }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { after: timers.after })
  await bench.commit(deviceIn(1, [100]))
  await until(() => {
    timers.advance(50)
    return bench.ended.length === 1
  })
  isDead = false
  receiver.requests.length = 0
  const begin = async (deliveryIds: readonly DeliveryId[]) => {
    const { replayId = '' } = await bench.replay({ deliveryIds, as: 'same' })
    await until(() => bench.dispatcher.replays.get(replayId)?.counts.queued === 1)
  }
  // The newer state waits in the queue for its batch.
  await bench.commit(deviceIn(1, [], { segments: segmentsOf({ 100: { at, left: LeaveReason.rule } }) }))
  const deliveryIds = bench.ended.map((delivery) => delivery.deliveryId)
  await begin(deliveryIds)
  timers.advance(50)
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100-']])
  expect(bench.ended[1]).toMatchObject({ replayOf: deliveryIds[0], status: 'acknowledged' })
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]).toMatchObject({
    isOwed: false,
    told: { active: [] },
  })

  // Owed by a marker only, not yet in the queue.
  await bench.deliveries.owe(profileIdOf(1), DESTINATION, NOW)
  const latest = [bench.ended[1]?.deliveryId ?? ('' as never)]
  await begin(latest)
  timers.advance(50)
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100-'], ['user-1: 100-']])
})

test('close waits for the answer of what is on its way [SEC-89]', async () => {
  await using receiver = await startReceiver((response) => setTimeout(() => response.end(), 100))
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100]))
  await receiver.count(1)
  await bench.dispatcher.close()
  expect(bench.ended).toMatchObject([{ status: 'acknowledged' }])
})

test('close waits until an answer that came meanwhile is stored: a start does not repeat the message [SEC-89]', async () => {
  let answer: () => void = () => {}
  await using receiver = await startReceiver((response) => {
    answer = () => response.end()
  })
  let isSlow = false
  const records = disturbed(await openMemoryRecordStore(), async (call) => {
    if (isSlow && call === 'commit') await new Promise((resolve) => setTimeout(resolve, 20))
  })
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] }, { records })
  await bench.commit(deviceIn(1, [100]))
  await receiver.count(1)
  isSlow = true
  const closing = bench.dispatcher.close()
  answer()
  await closing
  expect(await openIn(bench)).toEqual([])
  expect(bench.ended).toMatchObject([{ status: 'acknowledged' }])
})

test('an answer that comes while it closes leaves no timer behind [SEC-89]', async () => {
  let answer: () => void = () => {}
  await using receiver = await startReceiver((response) => {
    answer = () => response.writeHead(429, { 'retry-after': '86400' }).end()
  })
  const timers = manualTimers()
  const defined = { destinations: [{ config: { url: receiver.url } }] }
  await using bench = await openWorkbench(defined, { after: timers.after })
  await bench.commit(deviceIn(1, [100]))
  await receiver.count(1)
  const closing = bench.dispatcher.close()
  answer()
  await closing
  expect(timers.waits()).toEqual([])
})

test('a clock that was ahead before the stop holds no message for longer than its partner asked for [SEC-91]', async () => {
  const records = await openMemoryRecordStore()
  await using receiver = await startReceiver((response) => response.writeHead(503, { 'retry-after': '600' }).end())
  const timers = manualTimers()
  const defined = { destinations: [{ config: { url: receiver.url } }] }
  {
    const clock = () => NOW + 20 * DAY_MS
    await using bench = await openWorkbench(defined, { records, after: timers.after, clock })
    await bench.commit(deviceIn(1, [100]))
    await until(() => timers.waits().length === 2)
  }
  await using bench = await openWorkbench(defined, { records, after: timers.after })
  // The silence it asked for, and the repetition.
  expect(timers.waits()).toEqual([600_000, 600_000])
  expect(await openIn(bench)).toHaveLength(1)
})

test('markers that a store in trouble did not show at the start are read when it is back [SEC-40]', async () => {
  const records = await openMemoryRecordStore()
  await using receiver = await startReceiver()
  const config = { url: receiver.url }
  {
    await using bench = await openWorkbench({ destinations: [{ config, status: 'INACTIVE' as const }] }, { records })
    for (let n = 0; n < 3; n++) await bench.commit(deviceIn(n, [100]))
  }
  const troubles: string[] = []
  const timers = manualTimers()
  await using bench = await openWorkbench(
    { destinations: [{ config }] },
    {
      records: disturbed(records, (call, kind) => {
        const isMarkers = call === 'scan' && kind === Kind.outbox
        if (isMarkers && troubles.length === 0) throw new StoreUnavailableError('away')
      }),
      after: timers.after,
      log: (event) => troubles.push(event),
    },
  )
  await until(() => timers.waits().length === 1)
  timers.advance(1_000)
  await until(() => bench.ended.flatMap((delivery) => delivery.users).length === 3)
  expect(troubles).toEqual(['delivery.store_unavailable'])
})

test('while the store is away one reading of markers waits for it, however often something happens [SEC-44]', async () => {
  let isAway = false
  const troubles: string[] = []
  const defined = { destinations: [{ status: 'INACTIVE' as const }] }
  const timers = manualTimers()
  const records = disturbed(await openMemoryRecordStore(), (call, kind) => {
    if (isAway && call === 'scan' && kind === Kind.outbox) throw new StoreUnavailableError('away')
  })
  await using bench = await openWorkbench(defined, {
    records,
    after: timers.after,
    limits: { queueMax: 2 },
    log: (event) => troubles.push(event),
  })
  for (let n = 0; n < 5; n++) await bench.commit(deviceIn(n, [100]))
  await using receiver = await startReceiver()
  isAway = true
  bench.rules = rulesOf({ destinations: [{ config: { url: receiver.url } }] })
  for (let n = 0; n < 20; n++) {
    bench.dispatcher.rulesChanged()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(troubles).toEqual(['delivery.store_unavailable'])
  isAway = false
  await until(() => {
    timers.advance(1_000)
    return bench.ended.flatMap((delivery) => delivery.users).length === 5
  })
})

test('what a stop leaves of a round does not count a Status 0 as delivered to every partner ID [OUT-41]', async () => {
  await using folder = await openTemporaryStore()
  const timers = manualTimers()
  let isRefusing = false
  await using receiver = await startReceiver((response, request) =>
    response.writeHead(isRefusing && request.body.includes('"b"') ? 500 : 200).end(),
  )
  const defined = { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] }
  const links = [linkOf('a'), linkOf('b')]
  const gone = deviceIn(1, [], { links, segments: segmentsOf({ 100: { at, left: LeaveReason.rule } }) })
  {
    await using bench = await openWorkbench(defined, { records: folder.store, after: timers.after })
    await bench.commit(deviceIn(1, [100], { links }))
    await bench.idle()
    isRefusing = true
    await bench.commit(gone)
    // `a` has its Status 0, `b` waits for its repetition; then the stop.
    await until(() => bench.ended.length === 3 && timers.waits().length === 1)
  }
  isRefusing = false
  await using bench = await openWorkbench(defined, { records: await folder.reopen(), clock: () => NOW + 60_000 })
  await until(() => bench.ended.length === 1)
  await bench.idle()
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]?.told?.active).toEqual([100])
  await bench.commit(gone)
  await bench.idle()
  expect(receiver.requests.slice(-2).flatMap(told).sort()).toEqual(['a: 100-', 'b: 100-'])
})
