import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Log } from '../lib/log.ts'
import type { DestinationId } from '../model/ids.ts'
import { DAY_MS } from '../model/time.ts'
import { type DeliveryPlace, newDeliveryId } from '../store/delivery-keys.ts'
import { PURGE_BATCH, startRetention } from './retention.ts'

const NOW = Date.UTC(2026, 10, 22, 12)
const HOUR_MS = 3_600_000
const last: DeliveryPlace = { destinationId: 423 as DestinationId, createdAtMs: 0, deliveryId: newDeliveryId() }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Deliveries by the moment they were created; that they are removed from the store is shown by its own suite. */
function openShelf(createdAtMs: number[]) {
  const calls: number[] = []
  /** Purges before each look at the shares. */
  const looks: number[] = []
  const reclaimed: [DestinationId, number, number][] = []
  const lines: [string, unknown][] = []
  const record = (message: string, fields: unknown) => void lines.push([message, fields])
  const log: Log = { debug: record, info: record, warn: record, error: record }
  return {
    shelf: createdAtMs,
    calls,
    lines,
    log,
    historyDays: 30,
    reclaimed,
    looks,
    isDiskLow: () => false,
    destinations: () => [423 as DestinationId],
    shares: { look: async () => void looks.push(calls.length) },
    deliveries: {
      async reclaim(destinationId: DestinationId, fromMs: number, toMs: number) {
        reclaimed.push([destinationId, fromMs, toMs])
      },
      async purge(beforeMs: number, limit: number) {
        calls.push(limit)
        const old = createdAtMs.filter((atMs) => atMs < beforeMs).slice(0, limit)
        createdAtMs.splice(0, createdAtMs.length, ...createdAtMs.filter((atMs) => !old.includes(atMs)))
        return { removed: old.length, next: old.length < limit ? undefined : last }
      },
    },
  }
}

test('at the start and every hour deliveries older than 30 days are forgotten, and only they [SEC-48] [SEC-82~]', async () => {
  let nowMs = NOW
  const kept = NOW - 30 * DAY_MS
  const world = openShelf([kept - 2, kept - 1, kept, NOW])
  const retention = startRetention({ ...world, mayForget: () => true, clock: () => nowMs })
  await vi.advanceTimersByTimeAsync(0)
  expect(world.shelf).toEqual([kept, NOW])
  expect(world.lines).toEqual([['retention.purged', { deliveries: 2, olderThanDays: 30 }]])

  nowMs += HOUR_MS
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(world.shelf).toEqual([NOW])
  nowMs += HOUR_MS
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  // Nothing to do is nothing to say.
  expect(world.lines).toHaveLength(2)
  await retention.close()
})

test('many are removed in bounded batches, with one line in the end', async () => {
  const world = openShelf(Array.from({ length: 2 * PURGE_BATCH + 1 }, (_, at) => at))
  const retention = startRetention({ ...world, mayForget: () => true, clock: () => NOW })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(world.calls).toEqual([PURGE_BATCH, PURGE_BATCH, PURGE_BATCH])
  expect(world.lines).toEqual([['retention.purged', { deliveries: 2 * PURGE_BATCH + 1, olderThanDays: 30 }]])
  await retention.close()
})

test('a moved clock is noticed at once, a failure is logged and tried again, and nothing runs after the end', async () => {
  let nowMs = NOW
  const world = openShelf([NOW])
  const retention = startRetention({ ...world, mayForget: () => true, clock: () => nowMs })
  await vi.advanceTimersByTimeAsync(0)
  nowMs += 31 * DAY_MS
  const { purge } = world.deliveries
  world.deliveries.purge = () => Promise.reject(new Error('the disk'))
  retention.kick()
  await vi.advanceTimersByTimeAsync(0)
  expect(world.lines.map(([message]) => message)).toEqual(['retention.failed'])
  world.deliveries.purge = purge
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(world.shelf).toEqual([])
  await retention.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('while the clock of the machine is not trusted nothing is removed [SEC-82~]', async () => {
  let isTrusted = false
  const world = openShelf([0])
  const retention = startRetention({ ...world, mayForget: () => isTrusted, clock: () => NOW })
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(world.shelf).toEqual([0])
  isTrusted = true
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(world.shelf).toEqual([])
  await retention.close()
})

test('shares are looked at every minute, what is old every hour [SEC-44] [SEC-48]', async () => {
  const world = openShelf([])
  const retention = startRetention({ ...world, mayForget: () => true, clock: () => NOW })
  await vi.advanceTimersByTimeAsync(59 * 60_000)
  expect([world.looks.length, world.calls.length]).toEqual([60, 1])
  await vi.advanceTimersByTimeAsync(60_000)
  expect([world.looks.length, world.calls.length]).toEqual([61, 2])
  await retention.close()
})

test.each([1, 90])('they are kept %d days where that is configured [SEC-48]', async (historyDays) => {
  const kept = NOW - historyDays * DAY_MS
  const world = openShelf([kept - 1, kept])
  const retention = startRetention({ ...world, historyDays, mayForget: () => true, clock: () => NOW })
  await vi.advanceTimersByTimeAsync(0)
  expect(world.shelf).toEqual([kept])
  await retention.close()
})

test('a disk that becomes low makes it run early, and what it removed is given back at once [SEC-61]', async () => {
  let nowMs = NOW
  let isLow = false
  const world = openShelf([NOW - 30 * DAY_MS])
  const retention = startRetention({ ...world, isDiskLow: () => isLow, mayForget: () => true, clock: () => nowMs })
  await vi.advanceTimersByTimeAsync(0)
  nowMs += 60_000
  await vi.advanceTimersByTimeAsync(60_000)
  expect([world.shelf.length, world.calls.length]).toEqual([1, 1])
  isLow = true
  retention.kick()
  await vi.advanceTimersByTimeAsync(0)
  expect(world.shelf).toEqual([])
  expect(world.reclaimed).toEqual([[423, 0, nowMs - 30 * DAY_MS]])
  await retention.close()
})
