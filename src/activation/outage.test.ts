import { expect, test } from 'vitest'
import type { Outcome } from './classify.ts'
import { Outage } from './outage.ts'
import { deviceIn, manualTimers, openWorkbench, startReceiver, until } from './workbench.conformance.ts'

const acknowledged: Outcome = { status: 'acknowledged' }
const failed = (httpStatus: number): Outcome => ({
  status: 'failed',
  reason: `http_${httpStatus}`,
  httpStatus,
  retryAfterMs: undefined,
})

test('the first acknowledgement after 20 failures in a row ends an outage, the next does not [SEC-47]', () => {
  const outage = new Outage(manualTimers().after, 100)
  for (let n = 0; n < 19; n++) outage.isEndedBy(failed(503))
  expect(outage.isEndedBy(acknowledged)).toBe(false)
  for (let n = 0; n < 20; n++) outage.isEndedBy(failed(503))
  expect([outage.isEndedBy(acknowledged), outage.isEndedBy(acknowledged)]).toEqual([true, false])
})

test('refused bodies are no outage: others being accepted must not use up their attempts [SEC-46]', () => {
  const outage = new Outage(manualTimers().after, 100)
  for (let n = 0; n < 50; n++) outage.isEndedBy(failed(400))
  expect(outage.isEndedBy(acknowledged)).toBe(false)
})

test('probes come after 5 s, then ever later, at most 5 min apart: a dead destination stays bounded [SEC-47] [SEC-44]', () => {
  const timers = manualTimers()
  const outage = new Outage(timers.after, 100)
  const waits: number[] = []
  for (let n = 0; n < 9; n++) {
    expect(outage.mayProbe(() => {})).toBe(false)
    const [waitMs = 0] = timers.waits()
    waits.push(waitMs / 1000)
    timers.advance(waitMs)
    expect(outage.mayProbe(() => {})).toBe(true)
    outage.probed()
  }
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300])
})

test('a destination that is back hears of all that waited within minutes, not after hours [SEC-46] [SEC-47] [SEC-49]', async () => {
  let isDead = true
  let atOnce = 0
  let atOnceMax = 0
  await using receiver = await startReceiver((response) => {
    atOnceMax = Math.max(atOnceMax, ++atOnce)
    setTimeout(() => {
      atOnce -= 1
      response.writeHead(isDead ? 503 : 200).end()
    }, 10)
  })
  const timers = manualTimers()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, usersPerMessage: 1 } }] },
    { after: timers.after, limits: { openMax: 5, concurrency: 2 }, random: () => 0.5 },
  )
  const stats = () => bench.dispatcher.stats().destinations[0]
  for (let n = 1; n <= 12; n++) await bench.commit(deviceIn(n, [100]))
  // Three failures each: the next attempt is half an hour, then two hours away.
  for (const seconds of [5, 300, 1_800]) {
    await until(() => stats()?.sending === 0 && (stats()?.retrying ?? 0) >= 5)
    timers.advance(seconds * 1000)
  }
  await until(() => stats()?.sending === 0)
  expect(bench.ended).toEqual([])
  isDead = false
  atOnceMax = 0
  timers.advance(300_000)
  await until(() => bench.ended.length === 12)
  await bench.idle()
  expect(bench.ended.every((delivery) => delivery.status === 'acknowledged')).toBe(true)
  expect(atOnceMax).toBeLessThanOrEqual(2)
})
