import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deviceIn, openWorkbench, type Workbench } from '../../src/activation/workbench.conformance.ts'
import type { DestinationId } from '../../src/model/ids.ts'
import { startPartner } from '../../src/partner/partner.ts'
import type { StoredDelivery } from '../../src/store/delivery-record.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { manualTime, quiet } from '../delivery/manual-time.ts'
import { KNOWN } from './bad-certificates.ts'
import { hostileReceivers } from './hostile-receivers.ts'
import { type StartedReceiver, startHostile } from './start-hostile.ts'

/**
 * Receivers that mean harm, on bare sockets, all at once, each as a destination of either mode beside one that is well.
 * Every one must end in its documented state, take no memory, and keep no connection.
 */

/** Receivers asked at once: their floods share this process with us. */
const AT_ONCE = 8
/** What a receiver may have sent: what is read of an answer, at most 512 KiB, and what the kernel holds for both sides. */
const TAKEN_MAX = 4_000_000
/** All receivers and their floods live in this process, too. */
const MEMORY_GROWTH_MAX = 250_000_000
const GOOD = 3_000 as DestinationId
const MODES = ['compat', 'durable'] as const
/** The receivers that wait run into it; the others must end before, also on a busy machine [SEC-45], [SEC-46]. */
const timeoutMsOf = (mode: (typeof MODES)[number], waits: boolean) =>
  mode === 'compat' ? 5_000 : waits ? 1_000 : 15_000

const innerPort = await freePort()
// Those that wait do so together.
const receivers = [...hostileReceivers(innerPort)].sort((a, b) => Number(b.waits === true) - Number(a.waits === true))
const cases = receivers.flatMap((receiver, at) => MODES.map((mode) => ({ ...receiver, mode, at })))
const idOf = (mode: (typeof MODES)[number], at: number) => ((mode === 'compat' ? 1_000 : 2_000) + at) as DestinationId

const started: StartedReceiver[] = []
const memory = () => {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
let bench: Workbench
let inner: StartedReceiver
let finish: (() => Promise<void>) | undefined
let memoryBefore = 0
let memoryPeak = 0
let goodSent = 0
let goodAnswered = 0

beforeAll(async () => {
  inner = await startInner()
  for (const receiver of receivers) started.push(await startHostile(receiver))
  const time = manualTime()
  const good = await startPartner({ port: await freePort(), nowMs: time.clock })
  const destinations = cases.map(({ mode, at, waits = false }) => ({
    id: idOf(mode, at),
    config: { url: started[at]?.url, mode, ...(mode === 'durable' && { timeoutMs: timeoutMsOf(mode, waits) }) },
  }))
  bench = await openWorkbench(
    { destinations: [...destinations, { id: GOOD, config: { url: `${good.url}/in`, usersPerMessage: 1 } }] },
    {
      ...time,
      random: () => 0.5,
      log: () => {},
      limits: { compatTimeoutMs: timeoutMsOf('compat', true) },
      egress: { extraCa: KNOWN },
    },
  )
  finish = async () => {
    await bench[Symbol.asyncDispose]()
    await Promise.all([...started.map((one) => one.close()), inner.close(), good.close()])
  }
  memoryBefore = memory()
  const watch = setInterval(() => {
    memoryPeak = Math.max(memoryPeak, memory())
  }, 20)
  const quietAll = async (ids: readonly DestinationId[]) => {
    let isOver = false
    const over = Promise.all(ids.map((id) => quiet(bench, id))).then(() => {
      isOver = true
    })
    while (!isOver) {
      await bench.commit(deviceIn(10 + goodSent++, [100]), [GOOD])
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await over
    goodAnswered = bench.ended.filter((one) => one.destinationId === GOOD && one.status === 'acknowledged').length
  }
  for (let from = 0; from < destinations.length; from += AT_ONCE * MODES.length) {
    const ids = destinations.slice(from, from + AT_ONCE * MODES.length).map(({ id }) => id)
    await bench.commit(deviceIn(1, [100]), ids)
    await quietAll(ids)
    // Half a second more brings the one repetition of compat, and none of durable.
    time.advance(500)
    await quietAll(ids)
  }
  clearInterval(watch)
}, 120_000)

afterAll(() => finish?.())

/** Counts who was led to it. */
async function startInner(): Promise<StartedReceiver> {
  const { createServer } = await import('node:net')
  let accepted = 0
  const server = createServer((socket) => {
    accepted += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(innerPort, '127.0.0.1', resolve))
  return {
    url: '',
    accepted: () => accepted,
    open: () => 0,
    takenMax: () => 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function deliveryOf(destinationId: DestinationId): Promise<StoredDelivery | undefined> {
  const { list } = await bench.deliveries.list({ page: 0, pageSize: 10, destinationId })
  const found = list[0]
  return found && (await bench.deliveries.get(found.deliveryId))
}

describe('a receiver that', () => {
  test.each(cases)(
    '$name, $mode: ends as $ends [SEC-26] [SEC-27] [SEC-28~] [SEC-45] [SEC-46] [OUT-21] [OUT-22]',
    async ({ mode, at, ends, isUnknown, httpStatus = null, excerpt, waits = false }) => {
      const delivery = await deliveryOf(idOf(mode, at))
      if (ends === 'acknowledged') {
        expect(delivery).toMatchObject({ status: 'acknowledged', reason: null, attempts: [{ httpStatus: 200 }] })
        if (excerpt !== undefined) expect(delivery?.attempts[0]?.responseExcerpt).toBe(excerpt)
        return
      }
      expect(delivery).toMatchObject(
        mode === 'compat' ? { status: 'dead', reason: ends, aamWouldDrop: true } : { status: 'retrying', reason: ends },
      )
      expect(delivery?.attempts).toHaveLength(mode === 'compat' ? 2 : 1)
      for (const attempt of delivery?.attempts ?? []) {
        expect(attempt).toMatchObject({ httpStatus, error: ends.startsWith('http_') ? null : ends })
        if (isUnknown !== undefined) expect(attempt.outcome).toBe(isUnknown ? 'unknown' : 'failed')
        // Its end is the deadline or comes before it; the turn of a busy process is not the receiver's.
        expect(attempt.durationMs).toBeLessThan(timeoutMsOf(mode, waits) + 2_000)
      }
    },
  )
})

test('nobody is led to an address inside [SEC-26]', () => {
  expect(inner.accepted()).toBe(0)
})

test('no answer is read beyond its bound, however long it is [SEC-27]', () => {
  const taken = started.map((one, at) => [receivers[at]?.name, one.takenMax()] as const)
  console.log(`most bytes taken: ${JSON.stringify([...taken].sort((a, b) => b[1] - a[1]).slice(0, 5))}`)
  expect(taken.filter(([, bytes]) => bytes > TAKEN_MAX)).toEqual([])
})

test('memory stays bounded while all of them are at it [SEC-27] [SEC-44]', () => {
  console.log(`memory: ${memoryBefore} bytes before, at most ${memoryPeak}`)
  expect(memoryPeak - memoryBefore).toBeLessThan(MEMORY_GROWTH_MAX)
})

test('the destination beside them got every message meanwhile [SEC-44]', () => {
  console.log(`${goodAnswered} of ${goodSent} messages to the well destination acknowledged meanwhile`)
  expect(goodSent).toBeGreaterThan(10)
  expect(goodAnswered).toBeGreaterThanOrEqual(goodSent - 2)
})

test('no connection is left to any of them once its time is over, but an idle one for reuse where the answer was whole [SEC-27]', async () => {
  const most = (at: number) => (receivers[at]?.isWhole === true ? MODES.length : 0)
  const left = () => started.flatMap((one, at) => (one.open() > most(at) ? [receivers[at]?.name] : []))
  const untilMs = performance.now() + 6_000
  while (left().length > 0 && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(left()).toEqual([])
  // Each was asked: once by durable, once or twice by compat.
  expect(started.map((one) => one.accepted()).filter((count) => count < 2 || count > 4)).toEqual([])
})
