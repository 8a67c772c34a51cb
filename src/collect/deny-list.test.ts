import { expect, test } from 'vitest'
import { DeniedDevice, declaredKind } from '../model/deny-entry.ts'
import { DenyList } from './deny-list.ts'
import { DEFAULT_EDGE_CONFIG } from './edge-config.ts'
import { hashOf, RequestCounter } from './request-counter.ts'

const BLOCKS_MAX = 100_000

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 10, 22)

function callsUntilDenied(list: DenyList, kind: number, startMs: number, stepMs: number, max = 20_000): number {
  for (let i = 0; i < max; i++) if (list.isDenied(kind, 'x', startMs + i * stepMs)) return i
  return -1
}

test('the default limits: 120 a minute for a device, 300 for a person; 5,000 and 10,000 a day [COL-146] [SEC-10]', () => {
  const list = () => new DenyList(DEFAULT_EDGE_CONFIG.denyList)
  expect(callsUntilDenied(list(), DeniedDevice.uuid, START_MS, 1)).toBe(120)
  expect(callsUntilDenied(list(), DeniedDevice.ecid, START_MS, 1)).toBe(120)
  expect(callsUntilDenied(list(), declaredKind(20914, true), START_MS, 1)).toBe(120)
  expect(callsUntilDenied(list(), declaredKind(123, false), START_MS, 1)).toBe(300)
  expect(callsUntilDenied(list(), DeniedDevice.uuid, START_MS, 5000)).toBe(5000)
  expect(callsUntilDenied(list(), declaredKind(123, false), START_MS, 2000)).toBe(10_000)
  expect(callsUntilDenied(list(), DeniedDevice.uuid, START_MS, 60_000, 3000)).toBe(-1)
})

test('a block lasts an hour, then a day, then for good [COL-150]', () => {
  const list = new DenyList({ ...DEFAULT_EDGE_CONFIG.denyList, deviceCallsPerMinute: 1 })
  const provoke = (atMs: number) => {
    list.isDenied(DeniedDevice.uuid, 'x', atMs)
    return list.isDenied(DeniedDevice.uuid, 'x', atMs)
  }
  const isDenied = (atMs: number) => list.isDenied(DeniedDevice.uuid, 'x', atMs)
  expect(provoke(START_MS)).toBe(true)
  expect([isDenied(START_MS + HOUR_MS - 1), isDenied(START_MS + HOUR_MS)]).toEqual([true, false])
  expect(provoke(START_MS + 2 * HOUR_MS)).toBe(true)
  expect([isDenied(START_MS + 2 * HOUR_MS + DAY_MS - 1), isDenied(START_MS + 2 * HOUR_MS + DAY_MS)]).toEqual([
    true,
    false,
  ])
  expect(provoke(START_MS + 3 * DAY_MS)).toBe(true)
  expect(isDenied(START_MS + 4000 * DAY_MS)).toBe(true)
  expect([...list.entries(START_MS + 3 * DAY_MS)]).toMatchObject([
    { kind: DeniedDevice.uuid, id: 'x', cause: 'minute', times: 3, firstMs: START_MS },
  ])
})

test('a block that a clock far ahead made is over when the clock is right; one that stays, stays [COL-150] [SEC-82~]', () => {
  const list = new DenyList(DEFAULT_EDGE_CONFIG.denyList)
  const aheadMs = START_MS + 40 * DAY_MS
  for (let call = 0; call < 121; call++) list.isDenied(-1, 'a', aheadMs)
  expect(list.isDenied(-1, 'a', aheadMs + 1)).toBe(true)
  expect(list.isDenied(-1, 'a', START_MS)).toBe(false)
  expect([...list.entries(START_MS)]).toEqual([])
  const forGood = { kind: -1, cause: 'minute', times: 3, count: 1, untilMs: Number.POSITIVE_INFINITY } as const
  list.restore([{ ...forGood, id: 'b', firstMs: aheadMs, lastMs: aheadMs }])
  expect(list.isDenied(-1, 'b', START_MS)).toBe(true)
})

test('after 30 days the count of blocks begins anew [COL-150]', () => {
  const list = new DenyList({ ...DEFAULT_EDGE_CONFIG.denyList, deviceCallsPerMinute: 1 })
  for (const day of [0, 31, 62, 93]) {
    list.isDenied(-1, 'x', START_MS + day * DAY_MS)
    list.isDenied(-1, 'x', START_MS + day * DAY_MS)
    expect(list.isDenied(-1, 'x', START_MS + day * DAY_MS + HOUR_MS)).toBe(false)
  }
})

test('an entry of a declared ID holds for its data source alone [COL-150]', () => {
  const list = new DenyList({ ...DEFAULT_EDGE_CONFIG.denyList, personCallsPerMinute: 1 })
  list.isDenied(5, 'x', START_MS)
  expect([list.isDenied(5, 'x', START_MS), list.isDenied(6, 'x', START_MS)]).toEqual([true, false])
})

test('the counter never counts too high, however many names share it, and does not lose a busy one [COL-146]', () => {
  const counter = new RequestCounter(60_000, 256)
  const busy = hashOf(-1, 'busy')
  let seen = 0
  for (let i = 0; i < 1000; i++) {
    seen = Math.max(seen, counter.add(busy, START_MS))
    for (let other = 0; other < 20; other++)
      expect(counter.add(hashOf(-1, `id-${i}-${other}`), START_MS)).toBeLessThanOrEqual(2)
  }
  expect(seen).toBeGreaterThan(500)
  expect(seen).toBeLessThanOrEqual(1000)
})

test('a window slides: what lies a window back counts no more [COL-146]', () => {
  const counter = new RequestCounter(1000, 16)
  const hash = hashOf(0, 'a')
  for (let i = 0; i < 100; i++) counter.add(hash, 999)
  expect(counter.add(hash, 1500)).toBe(51)
  expect(counter.add(hash, 3000)).toBe(1)
})

test('a block begins a new count: the calls that led to it do not lead to the next one [COL-150]', () => {
  const list = new DenyList({ ...DEFAULT_EDGE_CONFIG.denyList, deviceCallsPerDay: 50 })
  expect(callsUntilDenied(list, DeniedDevice.uuid, START_MS, 10_000)).toBe(50)
  const afterMs = START_MS + 2 * HOUR_MS
  expect(callsUntilDenied(list, DeniedDevice.uuid, afterMs, 10_000)).toBe(50)
})

test('an entry that was taken off is counted from nothing [COL-150]', () => {
  const list = new DenyList({ ...DEFAULT_EDGE_CONFIG.denyList, deviceCallsPerMinute: 3 })
  expect(callsUntilDenied(list, -1, START_MS, 1)).toBe(3)
  const [entry] = [...list.entries(START_MS)]
  expect(list.remove(entry?.hash ?? 0)).toBe(true)
  expect(list.remove(entry?.hash ?? 0)).toBe(false)
  expect(callsUntilDenied(list, -1, START_MS, 1)).toBe(3)
  expect([...list.entries(START_MS)]).toMatchObject([{ times: 1 }])
})

test('at most 100,000 blocks are held; the one that began first gives way, and is told to the keeper [COL-146]', () => {
  const list = new DenyList(DEFAULT_EDGE_CONFIG.denyList)
  const entry = { kind: -1, cause: 'minute', times: 1, lastMs: 0, count: 1, untilMs: Number.POSITIVE_INFINITY } as const
  const kept = Array.from({ length: BLOCKS_MAX + 2 }, (_, at) => ({ ...entry, id: `id-${at}`, firstMs: at }))
  list.restore(kept.reverse())
  const ids = new Set([...list.entries(START_MS)].map(({ id }) => id))
  expect([ids.size, ids.has('id-0'), ids.has('id-1'), ids.has('id-2')]).toEqual([BLOCKS_MAX, false, false, true])
  expect(list.takeChanges()).toEqual(new Set([hashOf(-1, 'id-0'), hashOf(-1, 'id-1')]))
})
