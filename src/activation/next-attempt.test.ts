import { expect, test } from 'vitest'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  NOW,
  openWorkbench,
  startReceiver,
  until,
} from './workbench.conformance.ts'

/** When something is tried next is said before, against a real receiver, with time faked. */

function manualTime() {
  const timers = manualTimers()
  let nowMs = NOW
  return {
    after: timers.after,
    clock: () => nowMs,
    random: () => 0.5,
    advance(ms: number) {
      nowMs += ms
      timers.advance(ms)
    },
  }
}

async function openFailing(status: number, headers: Record<string, string> = {}) {
  let isDead = true
  const receiver = await startReceiver((response) => response.writeHead(isDead ? status : 200, headers).end())
  const time = manualTime()
  const bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, usersPerMessage: 1, concurrency: 1 } }] },
    time,
  )
  const health = () => bench.dispatcher.health().find((one) => one.destinationId === DESTINATION)
  const settled = () =>
    until(() => {
      const [stats] = bench.dispatcher.stats().destinations
      return stats?.sending === 0 && (stats.open === stats.retrying || health()?.nextAttemptMs !== undefined)
    })
  return Object.assign(bench, {
    ...{ receiver, time, health, settled },
    recover() {
      isDead = false
    },
    async [Symbol.asyncDispose]() {
      await bench.dispatcher.close(0)
      await receiver[Symbol.asyncDispose]()
    },
  })
}

test.each([
  ['a slowing partner, with new changes beside what waits', 503, {}],
  ['one that only fails, until its breaker opens', 500, {}],
  ['one that asks for silence', 429, { 'retry-after': '40' }],
])(
  'of %s the next try is said to the millisecond, and nothing is tried before [SEC-46] [SEC-47]',
  async (_, status, headers) => {
    await using bench = await openFailing(status, headers)
    const { receiver, time, health } = bench
    await bench.commit(deviceIn(1, [100]))
    await receiver.count(1)
    await bench.settled()
    for (let n = 2; n <= 30; n++) {
      // Somebody new comes now and then.
      if (n % 3 === 0) {
        await bench.commit(deviceIn(n, [100]))
        // It goes at once, or is held.
        await new Promise((resolve) => setTimeout(resolve, 20))
        await bench.settled()
      }
      const before = receiver.requests.length
      const nextMs = health()?.nextAttemptMs as number
      const isProbe = health()?.breaker === 'open'
      expect(nextMs, `after ${before} requests`).toBeGreaterThan(time.clock())
      const open = (await bench.deliveries.list({ page: 0, pageSize: 1000, status: 'retrying' })).list
      const soonest = open.filter((delivery) => bench.dispatcher.attemptMsOf(delivery) === nextMs)
      time.advance(nextMs - time.clock() - 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(receiver.requests.length, `before ${nextMs - NOW}`).toBe(before)
      time.advance(1)
      await receiver.count(before + 1)
      // It was one that said so itself, or one that had no message yet.
      const tried = receiver.requests[before]?.headers['webhook-id']
      const isKnown = open.some(({ deliveryId }) => deliveryId === tried)
      if (isProbe) expect(soonest.length).toBeLessThanOrEqual(1)
      else if (isKnown) expect(soonest.map(({ deliveryId }) => deliveryId as string)).toContain(tried)
      await bench.settled()
    }
  },
)

test('a pause leaves no next try, and neither does an end of what waits [SEC-47]', async () => {
  await using bench = await openFailing(503)
  const { receiver, health } = bench
  await bench.commit(deviceIn(1, [100]))
  await receiver.count(1)
  await until(() => health()?.nextAttemptMs !== undefined)
  await bench.dispatcher.pause(DESTINATION)
  expect(health()?.nextAttemptMs).toBeUndefined()
  const [open] = (await bench.deliveries.list({ page: 0, pageSize: 10 })).list
  expect(open && bench.dispatcher.attemptMsOf(open)).toBeUndefined()
  bench.recover()
  await bench.dispatcher.resume(DESTINATION)
  await bench.idle()
  expect(health()?.nextAttemptMs).toBeUndefined()
})
