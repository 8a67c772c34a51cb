import { expect, test } from 'vitest'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import {
  DAY,
  DISPATCHER_LIMITS,
  failUntilOpen,
  HOUR,
  health,
  manualTime,
  openOf,
  quiet,
  stats,
} from './gate-bench.conformance.ts'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  NOW,
  openWorkbench,
  startReceiver,
  until,
} from './workbench.conformance.ts'

/** Delivery to one destination as a whole: breaker, pause, what is said of them; against a real receiver, with time faked. */

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
    waitingUsers: 60 - before,
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
