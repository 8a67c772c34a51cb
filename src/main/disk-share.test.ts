import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Log } from '../lib/log.ts'
import type { DestinationId, DeviceId } from '../model/ids.ts'
import { deviceProfileId } from '../model/ids.ts'
import { newDeliveryId } from '../store/delivery-keys.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { type DeliveryStore, openDeliveryStore } from '../store/delivery-store.ts'
import { openTemporaryStore } from '../store/embedded/temporary-store.conformance.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import type { RecordStore } from '../store/record-store.ts'
import { openDiskShares, type Rest, TRIM_BATCH } from './disk-share.ts'

/** Over real stores; only the share and the pause are the test's. */
const NOW = Date.UTC(2026, 10, 22, 12)
const first = 423 as DestinationId
const second = 424 as DestinationId
const anna = deviceProfileId('1'.padStart(38, '0') as DeviceId)
const goOn: Rest = async () => true

function ended(n: number, status: 'acknowledged' | 'superseded' | 'dead', destinationId = first): StoredDelivery {
  const deliveryId = newDeliveryId()
  return {
    deliveryId,
    destinationId,
    status,
    reason: status === 'dead' ? 'http_400' : null,
    createdAtMs: NOW + n,
    finishedAtMs: NOW + n,
    method: 'POST',
    url: 'https://partner.example/in',
    // As random as nothing that a table could compress.
    body: randomBytes(750).toString('base64'),
    users: [{ profileId: anna, revision: 1, active: [100], inactive: [] }],
    attempts: [],
    nextAttemptMs: 0,
    replayOf: null,
    headers: [],
    roundId: deliveryId,
    roundSize: 1,
    attemptsBefore: 0,
    aamWouldDrop: false,
  }
}

async function store(deliveries: DeliveryStore, messages: readonly StoredDelivery[]): Promise<void> {
  for (let at = 0; at < messages.length; at += 50) {
    const some = messages.slice(at, at + 50)
    await deliveries.freeze(some)
    await Promise.all(some.map((one) => deliveries.end(one)))
  }
}

async function openWorld(records: RecordStore) {
  const deliveries = openDeliveryStore(records)
  const lines: [string, string, unknown][] = []
  const say = (level: string) => (message: string, fields?: object) => void lines.push([level, message, fields])
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const paused = new Set<DestinationId>()
  const world = { nowMs: NOW, shareBytes: 0, trims: 0 }
  const shares = openDiskShares({
    deliveries: {
      ...deliveries,
      trim(...call) {
        world.trims += 1
        return deliveries.trim(...call)
      },
    },
    destinations: () => [first, second],
    shareBytes: () => world.shareBytes,
    isPaused: (id) => paused.has(id),
    pause: async (id) => void paused.add(id),
    clock: () => world.nowMs,
    log,
  })
  const kept = async (destinationId: DestinationId, messages: readonly StoredDelivery[]) => {
    const { list } = await deliveries.list({ destinationId, page: 0, pageSize: 10_000 })
    const ids = new Set(list.map((one) => one.deliveryId))
    return messages.map((one) => ids.has(one.deliveryId))
  }
  return Object.assign(world, { deliveries, shares, lines, paused, kept })
}

/** One of ten is dead, one superseded. */
const mixed = (count: number, destinationId = first) =>
  Array.from({ length: count }, (_, n) =>
    ended(n, n % 10 === 0 ? 'dead' : n % 10 === 5 ? 'superseded' : 'acknowledged', destinationId),
  )

test('beyond its share a destination loses its oldest messages, no dead letter, and no other destination any [SEC-44] [SEC-48]', async () => {
  const world = await openWorld(await openMemoryRecordStore())
  const [mine, others] = [mixed(3_000), mixed(300, second)]
  await store(world.deliveries, [...mine, ...others])
  const before = await world.deliveries.bytesOf(first)
  world.shareBytes = before / 1.05
  await world.shares.look(goOn)

  const kept = await world.kept(first, mine)
  const isDead = (n: number) => mine[n]?.status === 'dead'
  expect(kept.filter((isKept, n) => isDead(n) && !isKept)).toEqual([])
  const alive = kept.filter((_, n) => !isDead(n))
  const removed = alive.indexOf(true)
  expect(removed).toBeGreaterThan(0)
  // Oldest first, without a gap.
  expect(alive.slice(removed).every((isKept) => isKept)).toBe(true)
  const after = await world.deliveries.bytesOf(first)
  expect(after / world.shareBytes).toBeLessThan(0.9)
  // By no more than a step and its rounding.
  expect(after / world.shareBytes).toBeGreaterThan(0.9 - 0.01 - TRIM_BATCH / mine.length)
  expect((await world.kept(second, others)).every((isKept) => isKept)).toBe(true)
  expect(world.paused).toEqual(new Set())
  expect(world.lines).toContainEqual(['info', 'disk_share.trimmed', expect.objectContaining({ deliveries: removed })])
  expect(await world.deliveries.get((mine[1] as StoredDelivery).deliveryId)).toBeUndefined()
})

test('dead letters that fill the share pause the destination, once; resumed while it is full it is paused again [SEC-44]', async () => {
  const world = await openWorld(await openMemoryRecordStore())
  const mine = Array.from({ length: 250 }, (_, n) => ended(n, n < 240 ? 'dead' : 'acknowledged'))
  await store(world.deliveries, [...mine, ...mixed(10, second)])
  world.shareBytes = 0.9 * (await world.deliveries.bytesOf(first))
  await world.shares.look(goOn)
  expect([...world.paused]).toEqual([first])
  expect(await world.kept(first, mine)).toEqual(mine.map((one) => one.status === 'dead'))
  expect(world.shares.levels()).toEqual([{ destinationId: first, level: 'full', sinceMs: NOW }])

  // Nothing can have ended meanwhile: it is not gone through again.
  const { trims } = world
  await world.shares.look(goOn)
  expect(world.trims).toBe(trims)

  world.paused.clear()
  await world.shares.look(goOn)
  expect([...world.paused]).toEqual([first])
  expect(world.lines.filter(([, message]) => message === 'disk_share.reached')).toHaveLength(1)

  world.paused.clear()
  world.shareBytes *= 2
  await world.shares.look(goOn)
  expect([...world.paused]).toEqual([])
  expect(world.shares.levels()).toEqual([])
})

test('at 80 % there is one warning, and another only after it fell below 70 % [SEC-44]', async () => {
  const world = await openWorld(await openMemoryRecordStore())
  await store(world.deliveries, mixed(20))
  const bytes = await world.deliveries.bytesOf(first)
  const levels: (string | undefined)[] = []
  for (const fill of [0.79, 0.81, 0.75, 0.85, 0.69, 0.75, 0.8]) {
    world.nowMs += 60_000
    world.shareBytes = bytes / fill
    await world.shares.look(goOn)
    levels.push(world.shares.levels()[0]?.level)
  }
  expect(levels).toEqual([undefined, 'near', 'near', 'near', undefined, undefined, 'near'])
  expect(world.shares.levels()[0]?.sinceMs).toBe(NOW + 7 * 60_000)
  expect(world.lines.map(([level, message]) => `${level} ${message}`)).toEqual([
    'warn disk_share.reached',
    'warn disk_share.reached',
  ])
})

test.each([
  { fill: 1.05, rests: true },
  { fill: 1.15, rests: false },
])('at $fill of the share it leaves time to others: $rests [SEC-44]', async ({ fill, rests }) => {
  const world = await openWorld(await openMemoryRecordStore())
  await store(world.deliveries, mixed(500))
  world.shareBytes = (await world.deliveries.bytesOf(first)) / fill
  const used: number[] = []
  await world.shares.look(async (usedMs) => used.push(usedMs) < 1)
  expect((used[0] ?? 0) > 0).toBe(rests)
})

test('it stops in the middle when everything closes, and then pauses nothing', async () => {
  const world = await openWorld(await openMemoryRecordStore())
  await store(world.deliveries, mixed(500))
  world.shareBytes = 1
  let rests = 0
  await world.shares.look(async () => ++rests < 2)
  expect(world.trims).toBe(2)
  expect([...world.paused]).toEqual([])
})

test('in tables on the device: room is given back at once, and what was removed is not counted again [SEC-44]', async () => {
  await using opened = await openTemporaryStore()
  const mine = mixed(4_000)
  await store(openDeliveryStore(opened.store), mine)
  // What the log of the last run held goes into tables.
  const records = await opened.reopen()
  const world = await openWorld(records)
  const before = { mine: await world.deliveries.bytesOf(first), all: (await records.stats()).diskBytes }
  // Bodies of 1,000 random characters take 750 bytes; each has a head and a summary.
  expect(before.mine).toBeGreaterThan(4_000 * 750)
  world.shareBytes = before.mine / 1.3
  await world.shares.look(goOn)
  const after = { mine: await world.deliveries.bytesOf(first), all: (await records.stats()).diskBytes }
  expect(after.mine).toBeLessThan(0.9 * world.shareBytes)
  expect(after.mine).toBeGreaterThan(0.8 * world.shareBytes)
  expect(before.all - after.all).toBeGreaterThan(0.7 * (before.mine - after.mine))

  const keptBefore = await world.kept(first, mine)
  await world.shares.look(goOn)
  expect(await world.kept(first, mine)).toEqual(keptBefore)
  expect(world.paused).toEqual(new Set())
})
