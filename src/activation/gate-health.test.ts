import { expect, test } from 'vitest'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  NOW,
  openWorkbench,
  startReceiver,
  until,
  type Workbench,
} from './workbench.conformance.ts'

/** What is said of a destination that refuses, or asked for time. */
const health = (bench: Workbench) => bench.dispatcher.health().find((one) => one.destinationId === DESTINATION)

test('a pause and a resume do not make well what only refuses; the next accepted message does [SEC-47~] [OPS-40~]', async () => {
  let status = 400
  await using receiver = await startReceiver((response) => response.writeHead(status).end())
  const timers = manualTimers()
  const config = { url: receiver.url, mode: 'compat' }
  await using bench = await openWorkbench(
    { destinations: [{ config }] },
    { after: timers.after, limits: { compatRetryWaitMs: 0 } },
  )
  const refused = () => health(bench)?.refusedInRow
  const deliver = async () => {
    const before = bench.ended.length
    await bench.commit(deviceIn(1, [100]))
    await until(() => {
      timers.advance(1)
      return bench.ended.length > before
    })
  }
  await deliver()
  expect(refused()).toBe(2)
  await bench.dispatcher.pause(DESTINATION)
  await bench.dispatcher.resume(DESTINATION)
  expect(refused()).toBe(2)
  expect(health(bench)).toMatchObject({ refusingSinceMs: NOW, lastFailure: { reason: 'http_400' } })
  status = 200
  await deliver()
  expect(refused()).toBe(0)
})

test('a wait that the partner asked for is said, until it is over [SEC-100~] [SEC-46~]', async () => {
  await using receiver = await startReceiver((response) => response.writeHead(503, { 'retry-after': '600' }).end())
  let nowMs = NOW
  const config = { url: receiver.url }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { clock: () => nowMs })
  expect(health(bench)?.askedToWaitUntilMs).toBeUndefined()
  await bench.commit(deviceIn(1, [100]))
  await until(() => health(bench)?.refusedInRow === 1)
  expect(health(bench)?.askedToWaitUntilMs).toBe(NOW + 600_000)
  nowMs += 600_000
  expect(health(bench)?.askedToWaitUntilMs).toBeUndefined()
})

test('a wait of our own is not said to be asked for [SEC-46~]', async () => {
  await using receiver = await startReceiver((response) => response.writeHead(503).end())
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100]))
  await until(() => health(bench)?.refusedInRow === 1)
  expect(health(bench)?.nextAttemptMs).toBeGreaterThan(NOW)
  expect(health(bench)?.askedToWaitUntilMs).toBeUndefined()
})
