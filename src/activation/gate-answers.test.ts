import { expect, test } from 'vitest'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import { DAY, HOUR, health, KEYS, manualTime, openOf, quiet, stats } from './gate-bench.conformance.ts'
import {
  DESTINATION,
  deviceIn,
  openWorkbench,
  profileIdOf,
  rulesOf,
  startReceiver,
  until,
} from './workbench.conformance.ts'

/** What single answers of a receiver do to the delivery as a whole, with time faked. */

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
