import { expect, test, vi } from 'vitest'
import { DESTINATION, deviceIn, NOW, OTHER, until, type Workbench } from '../../src/activation/workbench.conformance.ts'
import type { StoredDelivery } from '../../src/store/delivery-record.ts'
import {
  answering,
  BODY_AT_FAULT,
  FAILURES,
  type Failure,
  HOUR,
  JITTER,
  type Run,
  SCHEDULE,
  startRun,
} from './failing-partner.ts'
import { advanceUntil, healthOf, quiet } from './manual-time.ts'

/**
 * Every documented failure of a receiver, played by the partner's own server, in both modes: how often a message is
 * sent, after which waits, and what becomes of it, of its destination and of others. Waits are read off the receiver's
 * journal where it has one. The network is real; only the clock is turned by hand.
 */

// A date of HTTP is in GMT wherever the server stands.
vi.stubEnv('TZ', 'America/New_York')

/** The waits between the attempts of a message: as its receiver saw them, else by our own journal. */
function waitsOf({ attempts }: StoredDelivery, { bad }: Run): number[] {
  const seen = bad.records.map((record) => record.receivedAtMs)
  const tried = attempts.map((attempt) => attempt.startedAtMs)
  if (seen.length > 0) expect(seen).toEqual(tried)
  return tried.slice(1).map((atMs, at) => atMs - (tried[at] as number))
}

const deadOf = ({ ended }: Workbench) => ended.find((one) => one.destinationId === DESTINATION) as StoredDelivery

/** What every dead letter must show, whatever the mode [SEC-48]. */
async function expectDeadLetter(run: Run, failure: Failure, attempts: number, aamWouldDrop: boolean) {
  const dead = deadOf(run.bench)
  const { reason, httpStatus } = failure
  expect(dead).toMatchObject({ status: 'dead', reason, aamWouldDrop, finishedAtMs: run.time.clock() })
  expect(dead.attempts).toHaveLength(attempts)
  for (const attempt of dead.attempts) {
    const error = reason.startsWith('http_') ? null : reason
    expect(attempt).toMatchObject({ outcome: failure.isUnknown ? 'unknown' : 'failed', httpStatus, error })
  }
  const filter = { page: 0, pageSize: 10, status: 'dead' as const, destinationId: DESTINATION, reason }
  const kept = await run.bench.deliveries.list(filter)
  expect(kept.list.map((one) => one.deliveryId)).toEqual([dead.deliveryId])
  expect(new Set(run.bad.records.map((record) => record.body)).size).toBeLessThanOrEqual(1)
  if (failure.at === undefined) expect(run.bad.records).toHaveLength(attempts)
}

/** Another destination gets its message at once, as if nothing were wrong; nobody was redirected to it [SEC-44]. */
async function expectOthersGoOn({ bench, good, time }: Run) {
  const before = good.records.length
  const atMs = time.clock()
  await bench.commit(deviceIn(50, [100]), [OTHER])
  await until(() => good.records.length === before + 1)
  await quiet(bench, OTHER)
  expect(good.records.at(-1)).toMatchObject({ answer: 200, receivedAtMs: atMs })
  expect(new Set(good.records.map((record) => record.path))).toEqual(new Set(['/in']))
  expect(healthOf(bench, OTHER)).toMatchObject({ breaker: 'closed', failuresInRow: 0, openMessages: 0 })
}

test.each([...FAILURES, ...[201, 202, 204, 410].map((code) => answering(code))])(
  'compat: $name is repeated once within half a second, then dead with $reason and aam_would_drop; others go on [SEC-45] [OUT-21] [OUT-22] [OUT-23] [OUT-24~] [SEC-26] [SEC-44] [SEC-48]',
  async (failure) => {
    await using run = await startRun('compat', failure)
    const { bench, time } = run
    await bench.commit(deviceIn(2, [100]))
    await quiet(bench, DESTINATION)
    await expectOthersGoOn(run)
    await advanceUntil(bench, time, DESTINATION, () => deadOf(bench) !== undefined)
    await expectDeadLetter(run, failure, 2, true)
    for (const waitMs of waitsOf(deadOf(bench), run)) expect(waitMs).toBeLessThanOrEqual(500)
    expect(healthOf(bench, DESTINATION)).toMatchObject({
      breaker: 'closed',
      paused: undefined,
      failuresInRow: BODY_AT_FAULT.includes(failure.httpStatus ?? 0) ? 0 : 2,
      lastFailure: { reason: failure.reason },
      openMessages: 0,
    })
  },
)

test.each(FAILURES)(
  'durable: $name is repeated on the schedule, give or take a fifth, then dead with $reason; others go on [SEC-46] [SEC-47] [SEC-26] [SEC-44] [SEC-48]',
  async (failure) => {
    await using run = await startRun('durable', failure)
    const { bench, time } = run
    const attempts = failure.attempts ?? 10
    await bench.commit(deviceIn(2, [100]))
    await quiet(bench, DESTINATION)
    await expectOthersGoOn(run)
    await advanceUntil(bench, time, DESTINATION, () => deadOf(bench) !== undefined)
    await expectDeadLetter(run, failure, attempts, false)

    const waits = waitsOf(deadOf(bench), run)
    // One number of the jitter went to the other destination.
    const jitterOf = (at: number) => JITTER[(at === 0 ? 0 : at + 1) % JITTER.length] as number
    const expected = SCHEDULE.slice(0, attempts - 1).map((waitMs, at) =>
      Math.max(waitMs * jitterOf(at), failure.retryAfterMs?.[at] ?? 0),
    )
    expect(waits).toEqual(expected)
    const isAlive = BODY_AT_FAULT.includes(failure.httpStatus ?? 0)
    expect(healthOf(bench, DESTINATION)).toMatchObject({
      breaker: 'closed',
      // Ten failures in more than 5 days.
      paused: waits.reduce((sum, waitMs) => sum + waitMs) > 5 * 24 * HOUR ? { reason: 'failing' } : undefined,
      failuresInRow: isAlive ? 0 : attempts,
      lastFailure: { reason: failure.reason },
    })
  },
)

test.each([200, 201, 202, 204, 206])('durable: %d is success at the first attempt [SEC-46]', async (answer) => {
  await using run = await startRun('durable', { behaviour: { answer } })
  await run.bench.commit(deviceIn(2, [100]))
  await until(() => run.bench.ended.length === 2)
  expect(deadOf(run.bench)).toMatchObject({ status: 'acknowledged', reason: null, attempts: [{ httpStatus: answer }] })
  expect(run.bad.records).toHaveLength(1)
  expect(healthOf(run.bench, DESTINATION)).toMatchObject({ failuresInRow: 0, lastSuccessMs: NOW })
})

test('compat: 200 is success, and a second attempt that gets it, too [SEC-45] [OUT-21] [OUT-23]', async () => {
  await using run = await startRun('compat', { behaviour: { answer: [200, 500, 200] } })
  for (const user of [2, 3]) {
    await run.bench.commit(deviceIn(user, [100]))
    await advanceUntil(run.bench, run.time, DESTINATION, () => run.bench.ended.length === user)
  }
  const own = run.bench.ended.filter((one) => one.destinationId === DESTINATION)
  expect(own.map((one) => [one.status, one.attempts.map((attempt) => attempt.httpStatus)])).toEqual([
    ['acknowledged', [200]],
    ['acknowledged', [500, 200]],
  ])
  expect(run.bad.records[2]?.body).toBe(run.bad.records[1]?.body)
})

test('durable: 410 pauses the destination at once, no attempt is used up, others go on [SEC-46]', async () => {
  await using run = await startRun('durable', { behaviour: { answer: 410 } })
  const { bench, time, bad } = run
  await bench.commit(deviceIn(2, [100]))
  await quiet(bench, DESTINATION)
  await bench.commit(deviceIn(3, [100]))
  time.advance(5 * 24 * HOUR)
  await quiet(bench, DESTINATION)
  await expectOthersGoOn(run)
  expect(bad.records).toHaveLength(1)
  expect(deadOf(bench)).toBeUndefined()
  expect(healthOf(bench, DESTINATION)).toMatchObject({ paused: { reason: 'gone', atMs: NOW }, openMessages: 1 })
  bad.setBehaviour({})
  await bench.dispatcher.resume(DESTINATION)
  await until(() => bench.ended.filter((one) => one.destinationId === DESTINATION).length === 2)
})
