import { expect, test } from 'vitest'
import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import { needsAttention, type Situation } from './attention.ts'

const NOW_MS = Date.UTC(2026, 10, 22, 12)
const well = (destinationId: number, changes: Partial<DestinationHealth> = {}): DestinationHealth => ({
  destinationId: destinationId as DestinationId,
  breaker: 'closed',
  paused: undefined,
  waitingUsers: 0,
  moreOnDisk: false,
  openMessages: 0,
  oldestWaitingMs: undefined,
  failuresInRow: 0,
  lastFailure: undefined,
  lastSuccessMs: NOW_MS,
  refusedInRow: 0,
  refusingSinceMs: undefined,
  refusedMessages: 0,
  nextAttemptMs: undefined,
  isActive: true,
  unusable: undefined,
  ...changes,
})
const situation = (changes: Partial<Situation>): Situation => ({
  health: [],
  deadLetters: [],
  diskShares: [],
  disk: 'ok',
  allowPrivate: false,
  clock: { state: 'trusted', sinceMs: undefined, leapMs: 0 },
  isTimeKept: true,
  clockOffsetMs: 0,
  nowMs: NOW_MS,
  ...changes,
})
const kinds = (changes: Partial<Situation>) =>
  needsAttention(situation(changes)).map(({ kind, destinationId }) => [kind, destinationId])

test('nothing is said of what is well', () => {
  expect(kinds({ health: [well(1), well(2, { waitingUsers: 9, oldestWaitingMs: NOW_MS - 60_000 })] })).toEqual([])
})

test('worst first: a full disk, then by how each destination stands, then what is only to be known [OUT-20] [OPS-25]', () => {
  const lastFailure = { reason: 'http_503', atMs: NOW_MS - 1_000 }
  const old = NOW_MS - 600_000
  const health = [
    well(1, { oldestWaitingMs: old }),
    well(2, {
      ...{ breaker: 'open', refusingSinceMs: old, lastFailure, nextAttemptMs: NOW_MS + 5_000 },
      ...{ waitingUsers: 1_000, openMessages: 16, moreOnDisk: true },
    }),
    well(3, { paused: { reason: 'gone', atMs: old }, breaker: 'half_open' }),
    well(4, { refusedInRow: 1, lastFailure, refusingSinceMs: old }),
    well(5, { refusedMessages: 2, lastFailure }),
    well(6, { paused: { reason: 'operator', atMs: old } }),
    well(7, { unusable: 's2s.auth: unknown', isActive: false }),
    well(8, { isActive: false, oldestWaitingMs: old }),
  ]
  const deadLetters = [{ destinationId: 1, count: 200, reason: 'http_400', sinceMs: old }]
  const all = { health, deadLetters, disk: 'full', allowPrivate: true, clockOffsetMs: 1 } as const
  expect(kinds(all)).toEqual([
    ['disk', null],
    ['unusable', 7],
    ['paused', 3],
    ['breaker_open', 2],
    ['failing', 4],
    ['dead_letters', 1],
    ['paused', 6],
    ['partial', 5],
    ['backlog', 1],
    ['private_destinations', null],
    ['clock', null],
  ])
  expect(needsAttention(situation(all))[3]).toEqual({
    kind: 'breaker_open',
    severity: 'warning',
    destinationId: 2,
    count: 1_000,
    messages: 16,
    deadLetters: null,
    atLeast: true,
    sinceMs: old,
    reason: 'http_503',
    nextAttemptMs: NOW_MS + 5_000,
  })
})

test('of two destinations that stand alike the one where more users wait comes first', () => {
  const lastFailure = { reason: 'timeout', atMs: NOW_MS }
  const failing = (id: number, waitingUsers: number) => well(id, { refusedInRow: 3, lastFailure, waitingUsers })
  expect(kinds({ health: [failing(1, 4), failing(3, 50), failing(2, 1_000)] })).toEqual([
    ['failing', 2],
    ['failing', 3],
    ['failing', 1],
  ])
})

test('where nobody waits at a destination that refuses, its dead letters stand in its one item; else they have their own', () => {
  const lastFailure = { reason: 'http_400', atMs: NOW_MS }
  const deadLetters = [{ destinationId: 1, count: 11, reason: 'http_400', sinceMs: NOW_MS }]
  const told = (waitingUsers: number, more: Partial<DestinationHealth> = { refusedInRow: 3 }) =>
    needsAttention(situation({ health: [well(1, { lastFailure, waitingUsers, ...more })], deadLetters })).map(
      ({ kind, count, deadLetters }) => [kind, count, deadLetters],
    )
  expect(told(0)).toEqual([['failing', 0, 11]])
  expect(told(2)).toEqual([
    ['failing', 2, null],
    ['dead_letters', 11, null],
  ])
  // What a pause waits for is not in the dead letters.
  const paused = { paused: { reason: 'gone', atMs: NOW_MS } } as const
  expect(told(0, paused)).toEqual([
    ['paused', 0, null],
    ['dead_letters', 11, null],
  ])
})

test('a low disk and a clock that leapt are warnings, above what is only to be known [SEC-61] [SEC-82~] [OPS-25]', () => {
  const clock = { state: 'held', sinceMs: NOW_MS - 60_000, leapMs: 40 * 86_400_000 } as const
  const items = needsAttention(situation({ disk: 'low', allowPrivate: true, clock }))
  expect(items[1]).toMatchObject({ reason: 'ahead', sinceMs: NOW_MS - 60_000 })
  // A time that cannot be kept is worse than a leap, and the one item about the clock.
  expect(needsAttention(situation({ isTimeKept: false, clock }))).toMatchObject([
    { kind: 'clock', severity: 'critical', reason: 'out_of_range' },
  ])
  const back = situation({ clock: { state: 'followed', sinceMs: NOW_MS, leapMs: -3_600_000 } })
  expect(needsAttention(back)).toMatchObject([{ kind: 'clock', reason: 'back' }])
  expect(items.map(({ kind, severity }) => [kind, severity])).toEqual([
    ['disk', 'warning'],
    ['clock', 'warning'],
    ['private_destinations', 'info'],
  ])
})

test('a destination that nearly fills its disk share, or does, is a warning of its own beside its pause [SEC-44]', () => {
  const diskShares = [
    { destinationId: 1, level: 'near', sinceMs: NOW_MS - 60_000 },
    { destinationId: 3, level: 'full', sinceMs: NOW_MS },
  ] as const
  const health = [well(3, { paused: { reason: 'quota', atMs: NOW_MS } })]
  const items = needsAttention(situation({ health, diskShares }))
  expect(items.map(({ kind, destinationId, reason }) => [kind, destinationId, reason])).toEqual([
    ['paused', 3, 'quota'],
    ['disk_share', 1, 'near'],
    ['disk_share', 3, 'full'],
  ])
  expect(items[1]).toMatchObject({ severity: 'warning', count: null, sinceMs: NOW_MS - 60_000 })
})

test('a destination is told as failing from the first attempt on that it refused, a body too; not after it accepted one [SEC-47]', () => {
  const after = (refusedInRow: number, reason = 'http_503') =>
    needsAttention(situation({ health: [well(1, { refusedInRow, lastFailure: { reason, atMs: NOW_MS } })] }))
  expect(after(0)).toEqual([])
  expect(after(1)).toMatchObject([{ kind: 'failing', reason: 'http_503', sinceMs: NOW_MS }])
  expect(after(1, 'http_400')).toMatchObject([{ kind: 'failing', reason: 'http_400' }])
})

test('what the device damaged needs attention until it is settled, more when something is lost [SEC-60]', () => {
  const item = {
    destinationId: null,
    messages: null,
    deadLetters: null,
    atLeast: false,
    kind: 'damage',
    nextAttemptMs: null,
  }
  const damage = { files: 0, isLost: false, records: 0, unlistedOptOuts: 0, sinceMs: null }
  expect(needsAttention(situation({ damage }))).toEqual([])
  expect(needsAttention(situation({ damage: { ...damage, files: 1, sinceMs: 5 } }))).toEqual([
    { ...item, severity: 'warning', count: 1, sinceMs: 5, reason: 'corrected' },
  ])
  expect(needsAttention(situation({ damage: { ...damage, files: 2, isLost: true, records: 3, sinceMs: 5 } }))).toEqual([
    { ...item, severity: 'critical', count: 3, sinceMs: null, reason: 'records' },
    { ...item, severity: 'critical', count: 2, sinceMs: 5, reason: 'lost' },
  ])
  expect(needsAttention(situation({ damage: { ...damage, unlistedOptOuts: 4 } }))).toEqual([
    { ...item, kind: 'opt_out_list', severity: 'critical', count: 4, sinceMs: null, reason: null },
  ])
})
