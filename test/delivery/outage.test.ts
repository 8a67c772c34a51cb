import { expect, test } from 'vitest'

import {
  DESTINATION,
  deviceIn,
  OTHER,
  openWorkbench,
  until,
  type Workbench,
} from '../../src/activation/workbench.conformance.ts'
import { startPartner } from '../../src/partner/partner.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { BODY_AT_FAULT, FAILURES, SECOND, startRun } from './failing-partner.ts'
import { advanceUntil, healthOf, manualTime, quiet } from './manual-time.ts'

const DISPATCHER_LIMITS = { concurrency: 16 }

/** What failures of many messages do to a destination: its breaker, what waits meanwhile, and how it all drains. */

const USERS = 40
const REFUSING = FAILURES.filter((failure) => BODY_AT_FAULT.includes(failure.httpStatus ?? 0))
const FAILING = FAILURES.filter((failure) => !REFUSING.includes(failure) && failure.retryAfterMs === undefined)

const endedOf = ({ ended }: Workbench) => ended.filter((one) => one.destinationId === DESTINATION)

async function countedAttempts({ deliveries }: Workbench): Promise<number[]> {
  const filter = { page: 0, pageSize: 1_000, status: 'retrying' as const, destinationId: DESTINATION }
  const { list } = await deliveries.list(filter)
  return list.map(({ attempts }) => attempts.filter((one) => one.uncounted === undefined).length).sort()
}

test.each(FAILING)(
  'durable: $name of 20 messages in a row opens the breaker; then only probes go, none uses up an attempt, and all arrive once it is well [SEC-47] [SEC-44] [SEC-40]',
  async (failure) => {
    await using run = await startRun('durable', failure)
    const { bench, time, bad } = run
    for (let n = 1; n <= USERS; n++) await bench.commit(deviceIn(n, [100]))
    await advanceUntil(bench, time, DESTINATION, () => healthOf(bench, DESTINATION).breaker === 'open')
    const { failuresInRow, lastFailure } = healthOf(bench, DESTINATION)
    // As many more as are sent at one time may have been on their way.
    expect(failuresInRow).toBeGreaterThanOrEqual(20)
    expect(failuresInRow).toBeLessThan(20 + DISPATCHER_LIMITS.concurrency)
    expect(lastFailure).toMatchObject({ reason: failure.reason })
    const before = await countedAttempts(bench)
    for (let probe = 1; probe <= 3; probe++) {
      const failures = failuresInRow + probe
      await advanceUntil(bench, time, DESTINATION, () => healthOf(bench, DESTINATION).failuresInRow === failures)
      expect(healthOf(bench, DESTINATION).breaker).toBe('open')
    }
    expect(await countedAttempts(bench)).toEqual(before)
    expect(endedOf(bench)).toEqual([])
    await bench.commit(deviceIn(50, [100]), [OTHER])
    await quiet(bench, OTHER)
    expect(run.good.records).toHaveLength(2)

    if (failure.at !== undefined) return
    bad.setBehaviour({})
    await advanceUntil(bench, time, DESTINATION, () => endedOf(bench).length === USERS)
    expect(new Set(endedOf(bench).map((one) => one.status))).toEqual(new Set(['acknowledged']))
    expect(bad.state.entries()).toHaveLength(USERS)
    expect(healthOf(bench, DESTINATION)).toMatchObject({ breaker: 'closed', failuresInRow: 0, openMessages: 0 })
  },
)

test.each(REFUSING)(
  'durable: $name is the fault of each body: however many, the breaker stays closed [SEC-46] [SEC-47]',
  async (failure) => {
    await using run = await startRun('durable', failure)
    const { bench, time } = run
    for (let n = 1; n <= USERS; n++) await bench.commit(deviceIn(n, [100]))
    await advanceUntil(bench, time, DESTINATION, () => {
      expect(healthOf(bench, DESTINATION).breaker).toBe('closed')
      return endedOf(bench).length === USERS
    })
    expect(new Set(endedOf(bench).map((one) => `${one.status} ${one.attempts.length}`))).toEqual(new Set(['dead 3']))
    expect(run.bad.records).toHaveLength(3 * USERS)
  },
)

test.each([...FAILING, ...REFUSING])(
  'compat: $name, however often, leaves the breaker closed: each message is sent twice [SEC-45] [OUT-23]',
  async (failure) => {
    await using run = await startRun('compat', failure)
    const { bench, time, bad } = run
    for (let n = 1; n <= USERS; n++) await bench.commit(deviceIn(n, [100]))
    await advanceUntil(bench, time, DESTINATION, () => endedOf(bench).length === USERS)
    expect(healthOf(bench, DESTINATION)).toMatchObject({ breaker: 'closed', paused: undefined })
    expect(new Set(endedOf(bench).map((one) => `${one.status} ${one.attempts.length} ${one.aamWouldDrop}`))).toEqual(
      new Set(['dead 2 true']),
    )
    // What was given up while it connected is not seen by the receiver.
    if (failure.at === undefined && failure.reason !== 'timeout') expect(bad.records).toHaveLength(2 * USERS)
  },
)

test('after an outage the queue drains at the rate limit, and what is new shares it with what is old [SEC-49] [SEC-44]', async () => {
  const time = manualTime()
  await using partner = await startPartner({ port: await freePort(), nowMs: time.clock, behaviour: { answer: 500 } })
  const config = { url: `${partner.url}/in`, usersPerMessage: 1, requestsPerSecond: 5 }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { ...time, random: () => 0.5 })
  const OLD = 19
  for (let n = 1; n <= OLD; n++) await bench.commit(deviceIn(n, [100]))
  await advanceUntil(bench, time, DESTINATION, () => partner.records.length === OLD)
  expect(healthOf(bench, DESTINATION)).toMatchObject({ breaker: 'closed', openMessages: OLD })
  partner.setBehaviour({})
  time.advance(60 * SECOND)
  for (let n = 101; n <= 100 + OLD; n++) await bench.commit(deviceIn(n, [100]))
  await advanceUntil(bench, time, DESTINATION, () => bench.ended.length === 2 * OLD)
  await until(() => partner.records.length === 3 * OLD)

  const drained = partner.records.slice(OLD)
  const isNew = drained.map(({ body }) => /"user-1\d\d"/.test(body))
  for (const half of [isNew.slice(0, OLD), isNew.slice(OLD)]) {
    expect(half.filter(Boolean).length).toBeGreaterThanOrEqual(OLD / 3)
    expect(half.filter((one) => !one).length).toBeGreaterThanOrEqual(OLD / 3)
  }
  for (const { receivedAtMs } of drained) {
    const within = drained.filter((one) => one.receivedAtMs >= receivedAtMs && one.receivedAtMs < receivedAtMs + SECOND)
    expect(within.length).toBeLessThanOrEqual(5)
  }
})
