import { expect, test } from 'vitest'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'

import {
  DESTINATION,
  deviceIn,
  manualTimers,
  NOW,
  openWorkbench,
  profileIdOf,
  rulesOf,
  startReceiver,
  until,
  type Workbench,
} from './workbench.conformance.ts'

const DISPATCHER_LIMITS = { concurrency: 16 }

/** Delivery to one destination as a whole: breaker, pause, slowing, rotation; against a real receiver, with time faked. */

const HOUR = 3_600_000
const DAY = 24 * HOUR
const KEYS = ['old_partner_private_key1', 'new_partner_private_key2']

/** Time that timers and the wall clock share. */
function manualTime() {
  const timers = manualTimers()
  let nowMs = NOW
  return {
    after: timers.after,
    waits: timers.waits,
    clock: () => nowMs,
    random: () => 0.5,
    advance(ms: number) {
      nowMs += ms
      timers.advance(ms)
    },
  }
}

const health = (bench: Workbench) => {
  const found = bench.dispatcher.health().find((one) => one.destinationId === DESTINATION)
  if (found === undefined) throw new Error('no health')
  return found
}
const stats = (bench: Workbench) => bench.dispatcher.stats().destinations[0]
const quiet = (bench: Workbench) => until(() => stats(bench)?.sending === 0)
const openOf = async (bench: Workbench): Promise<readonly StoredDelivery[]> =>
  (await bench.deliveries.list({ page: 0, pageSize: 1000, status: 'retrying' })).list

/** A destination that failed until its breaker opened. */
async function failUntilOpen(bench: Workbench, users = 60) {
  for (let n = 1; n <= users; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => health(bench).breaker === 'open')
  await quiet(bench)
}

test('a dead destination is left alone but for one probe at a time; what waits uses up no attempts [SEC-47] [SEC-44]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  const time = manualTime()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] },
    time,
  )
  await failUntilOpen(bench)
  const before = receiver.requests.length
  expect(before).toBeGreaterThanOrEqual(20)
  expect(before).toBeLessThan(20 + DISPATCHER_LIMITS.concurrency)
  expect(health(bench)).toMatchObject({
    breaker: 'open',
    failuresInRow: before,
    lastFailure: { reason: 'http_500', atMs: NOW },
    lastSuccessMs: undefined,
    paused: undefined,
    oldestWaitingMs: NOW,
    waitingUsers: 60,
    openMessages: before,
  })

  // An hour of it: 5, 10, 20, ... 300 s apart, and nothing else.
  const probes = [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]
  for (const [n, seconds] of probes.entries()) {
    time.advance(seconds * 1000 - 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(receiver.requests.length).toBe(before + n)
    time.advance(1)
    await until(() => receiver.requests.length === before + n + 1 && health(bench).breaker === 'open')
    await quiet(bench)
  }
  const waiting = await openOf(bench)
  const counted = waiting.map(({ attempts }) => attempts.filter((one) => one.uncounted === undefined).length)
  expect([Math.min(...counted), Math.max(...counted)]).toEqual([1, 1])
  expect(waiting.flatMap(({ attempts }) => attempts).filter((one) => one.uncounted === 'probe')).toHaveLength(10)

  isDead = false
  time.advance(300_000)
  await until(() => bench.ended.length === 60)
  expect(bench.ended.every((one) => one.status === 'acknowledged')).toBe(true)
  expect(health(bench)).toMatchObject({ breaker: 'closed', failuresInRow: 0, openMessages: 0, waitingUsers: 0 })
  expect(health(bench).oldestWaitingMs).toBeUndefined()
})

test('a breaker is still open after a restart, and so is a pause [SEC-47]', async () => {
  const records = await openMemoryRecordStore()
  const time = manualTime()
  await using receiver = await startReceiver((response) => response.writeHead(500).end())
  const defined = { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] }
  {
    await using bench = await openWorkbench(defined, { ...time, records })
    await failUntilOpen(bench)
  }
  const before = receiver.requests.length
  {
    await using bench = await openWorkbench(defined, { ...time, records })
    await until(() => stats(bench)?.queued === 60 - before)
    expect(health(bench)).toMatchObject({ breaker: 'open', openMessages: before, lastFailure: { reason: 'http_500' } })
    expect(receiver.requests.length).toBe(before)
    await bench.dispatcher.pause(DESTINATION)
  }
  await using bench = await openWorkbench(defined, { ...time, records })
  expect(health(bench).paused).toEqual({ reason: 'operator', atMs: NOW })
  time.advance(HOUR)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(receiver.requests.length).toBe(before)
})

test('after 5 days of only failures it is paused and its owner told; messages stay, and all go once it is resumed [SEC-47]', async () => {
  let isDead = true
  const told: unknown[] = []
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  const time = manualTime()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] },
    { ...time, log: (event, fields) => told.push([event, fields]) },
  )
  await failUntilOpen(bench)
  const probe = async (ms: number) => {
    const before = receiver.requests.length
    time.advance(ms)
    await until(() => receiver.requests.length > before)
    await quiet(bench)
  }
  for (const seconds of [5, 10, 20, 40, 80, 160]) await probe(seconds * 1000)
  await probe(5 * DAY - HOUR)
  expect(health(bench).paused).toBeUndefined()
  await probe(HOUR)
  await until(() => health(bench).paused !== undefined)
  expect(health(bench).paused).toMatchObject({ reason: 'failing' })
  expect(told).toEqual([['delivery.paused', { destinationId: DESTINATION, reason: 'failing' }]])
  expect(bench.ended).toEqual([])
  const before = receiver.requests.length
  time.advance(30 * DAY)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(receiver.requests.length).toBe(before)

  isDead = false
  await bench.dispatcher.resume(DESTINATION)
  await until(() => bench.ended.length === 60)
  expect(bench.ended.every((one) => one.status === 'acknowledged')).toBe(true)
  expect(health(bench)).toMatchObject({ breaker: 'closed', paused: undefined, failuresInRow: 0 })
})

test('an operator pauses and resumes: nothing is sent meanwhile, the newest state goes afterwards [SEC-47] [SEC-43~]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  expect(bench.dispatcher.health()).toMatchObject([{ destinationId: DESTINATION, breaker: 'closed', waitingUsers: 0 }])
  await bench.dispatcher.pause(DESTINATION)
  await bench.commit(deviceIn(1, [100]))
  await bench.commit(deviceIn(1, [100, 101]))
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(receiver.requests).toEqual([])
  expect(health(bench)).toMatchObject({ waitingUsers: 1, paused: { reason: 'operator' }, oldestWaitingMs: NOW })
  await bench.dispatcher.resume(DESTINATION)
  await bench.idle()
  expect(receiver.requests).toHaveLength(1)
  expect(receiver.requests[0]?.body).toContain('"101"')
  expect(health(bench)).toMatchObject({ paused: undefined, lastSuccessMs: NOW })
})

test('410 pauses the destination; its message stays and goes out once it is resumed [SEC-46]', async () => {
  let isGone = true
  const events: string[] = []
  await using receiver = await startReceiver((response) => response.writeHead(isGone ? 410 : 200).end())
  const time = manualTime()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url } }] },
    { ...time, log: (event) => events.push(event) },
  )
  await bench.commit(deviceIn(1, [100]))
  await until(() => health(bench).paused !== undefined)
  expect(health(bench)).toMatchObject({ paused: { reason: 'gone' }, lastFailure: { reason: 'http_410' } })
  expect(events).toEqual(['delivery.paused'])
  await bench.commit(deviceIn(2, [100]))
  time.advance(10 * DAY)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect([receiver.requests.length, bench.ended]).toEqual([1, []])
  isGone = false
  await bench.dispatcher.resume(DESTINATION)
  await until(() => bench.ended.length === 2)
  expect(bench.ended.map((one) => one.status)).toEqual(['acknowledged', 'acknowledged'])
})

test('a pause for the disk share sends nothing, is told once, outlives a restart, and gives way to an operator [SEC-44]', async () => {
  await using receiver = await startReceiver()
  const records = await openMemoryRecordStore()
  const events: unknown[] = []
  const defined = { destinations: [{ config: { url: receiver.url } }] }
  {
    await using bench = await openWorkbench(defined, { records, log: (event, fields) => events.push([event, fields]) })
    await bench.dispatcher.pause(DESTINATION, 'quota')
    await bench.dispatcher.pause(DESTINATION, 'quota')
    expect(events).toEqual([['delivery.paused', { destinationId: DESTINATION, reason: 'quota' }]])
    await bench.commit(deviceIn(1, [100]))
  }
  await using bench = await openWorkbench(defined, { records })
  await until(() => health(bench).waitingUsers === 1)
  expect([receiver.requests, health(bench).paused?.reason]).toEqual([[], 'quota'])
  await bench.dispatcher.pause(DESTINATION)
  await bench.dispatcher.pause(DESTINATION, 'quota')
  expect(health(bench).paused?.reason).toBe('operator')
  await bench.dispatcher.resume(DESTINATION)
  await bench.idle()
  expect(receiver.requests).toHaveLength(1)
})

test.each([429, 502, 503, 504])(
  '%d slows the whole destination: a pause, then one request at a time [SEC-46]',
  async (status) => {
    let isBusy = true
    let atOnce = 0
    let atOnceMax = 0
    await using receiver = await startReceiver((response) => {
      atOnceMax = Math.max(atOnceMax, ++atOnce)
      setTimeout(() => {
        atOnce -= 1
        response.writeHead(isBusy ? status : 200).end()
      }, 5)
    })
    const time = manualTime()
    await using bench = await openWorkbench(
      { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] },
      time,
    )
    await bench.commit(deviceIn(1, [100]))
    await until(() => health(bench).failuresInRow === 1)
    await quiet(bench)
    expect(time.waits()).toEqual([1_000, 5_000])
    for (let n = 2; n <= 20; n++) await bench.commit(deviceIn(n, [100]))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(receiver.requests).toHaveLength(1)
    isBusy = false
    time.advance(1_000)
    await receiver.count(4)
    // One more after each success: not all at once.
    expect(atOnceMax).toBeLessThanOrEqual(4)
    await until(() => bench.ended.length === 19)
  },
)

test('500 is the fault of one message: the others go on [SEC-46]', async () => {
  await using receiver = await startReceiver((response, request) =>
    response.writeHead(request.body.includes('user-1"') ? 500 : 200).end(),
  )
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] },
    manualTime(),
  )
  for (let n = 1; n <= 9; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => bench.ended.length === 8)
  expect(bench.ended.map(({ status }) => status)).toEqual(Array(8).fill('acknowledged'))
})

test.each([
  ['120', 120_000],
  ['8.5', 9_000],
  ['20, 8.5', 20_000],
  ['Sun, 22 Nov 2026 12:02:00 GMT', 120_000],
  ['9999999', DAY],
])(
  'Retry-After %j silences the destination so long, up to a day, also over a restart [SEC-46] [SEC-100]',
  async (value, waitMs) => {
    const records = await openMemoryRecordStore()
    const time = manualTime()
    let isBusy = true
    await using receiver = await startReceiver((response) => {
      if (isBusy) response.writeHead(429, { 'retry-after': value }).end()
      else response.end()
    })
    const defined = { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] }
    {
      await using bench = await openWorkbench(defined, { ...time, records })
      await bench.commit(deviceIn(1, [100]))
      await until(() => health(bench).failuresInRow === 1)
      await quiet(bench)
    }
    isBusy = false
    await using bench = await openWorkbench(defined, { ...time, records })
    await bench.commit(deviceIn(2, [100]))
    time.advance(waitMs - 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(receiver.requests).toHaveLength(1)
    time.advance(1)
    await until(() => bench.ended.length === 2)
  },
)

test('a later answer that asks for more than is left of the silence prolongs it [SEC-100]', async () => {
  const time = manualTime()
  const held: (() => void)[] = []
  await using receiver = await startReceiver((response, _request, number) => {
    if (number > 2) response.end()
    else held.push(() => response.writeHead(429, { 'retry-after': number === 1 ? '60' : '30' }).end())
  })
  const defined = { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] }
  await using bench = await openWorkbench(defined, time)
  for (let n = 1; n <= 2; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => held.length === 2)
  held[0]?.()
  await until(() => health(bench).failuresInRow === 1)
  time.advance(50_000)
  held[1]?.()
  await until(() => health(bench).failuresInRow === 2)
  await bench.commit(deviceIn(3, [100]))
  time.advance(29_999)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(receiver.requests).toHaveLength(2)
  time.advance(1)
  await until(() => receiver.requests.length > 2)
})

test('compat keeps neither breaker nor pauses: each message is tried twice, come what may [SEC-45] [OUT-23]', async () => {
  await using receiver = await startReceiver((response) => response.writeHead(503, { 'retry-after': '60' }).end())
  await using bench = await openWorkbench({
    destinations: [{ config: { url: receiver.url, mode: 'compat', usersPerMessage: 1 } }],
  })
  for (let n = 1; n <= 30; n++) await bench.commit(deviceIn(n, [100]))
  await until(() => bench.ended.length === 30)
  expect(receiver.requests).toHaveLength(60)
  expect(health(bench)).toMatchObject({ breaker: 'closed', failuresInRow: 60 })
  await bench.dispatcher.pause(DESTINATION)
  await bench.commit(deviceIn(31, [100]))
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(receiver.requests).toHaveLength(60)
})

test.each([401, 403])('%d in the hour after the old key was removed uses up no attempt [SEC-54~]', async (status) => {
  await using receiver = await startReceiver((response) => response.writeHead(status).end())
  const time = manualTime()
  const rulesWith = (keys: readonly string[]) => ({
    destinations: [{ config: { url: receiver.url, auth: { type: 'hmac', keys: keys.map((key) => ({ key })) } } }],
  })
  await using bench = await openWorkbench(rulesWith(KEYS), time)
  bench.rules = rulesOf(rulesWith(KEYS.slice(1)))
  bench.dispatcher.rulesChanged()
  await bench.commit(deviceIn(1, [100]))
  const attempts = async () => (await openOf(bench))[0]?.attempts
  for (let n = 1; n <= 12; n++) {
    await until(() => receiver.requests.length === n && stats(bench)?.sending === 0)
    time.advance(60_000)
  }
  await receiver.count(13)
  await quiet(bench)
  expect(bench.ended).toEqual([])
  expect(await attempts()).toMatchObject([{ number: 1, httpStatus: status, uncounted: 'key_rotation' }])
  time.advance(HOUR)
  await receiver.count(14)
  await quiet(bench)
  const [, counted] = (await attempts()) ?? []
  expect(counted).toMatchObject({ number: 2, httpStatus: status })
  expect(counted).not.toHaveProperty('uncounted')
})

test('a deleted destination leaves no state behind [SEC-47]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.dispatcher.pause(DESTINATION)
  await bench.commit(deviceIn(1, [100]))
  expect((await bench.deliveries.destinationStates()).size).toBe(1)
  bench.rules = rulesOf({ destinations: [] })
  bench.dispatcher.rulesChanged()
  await until(async () => (await bench.deliveries.destinationStates()).size === 0)
  await bench.idle()
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]?.isOwed).toBe(false)
})
