import { expect, test } from 'vitest'
import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import { isOut, rankOf, STANDINGS, standingOf } from './standing.ts'

const NOW_MS = Date.UTC(2026, 10, 22, 12)
const failure = { reason: 'http_400', atMs: NOW_MS - 1_000 }
const health = (changes: Partial<DestinationHealth>): DestinationHealth => ({
  destinationId: 423 as DestinationId,
  breaker: 'closed',
  paused: undefined,
  waitingUsers: 0,
  moreOnDisk: false,
  openMessages: 0,
  oldestWaitingMs: undefined,
  failuresInRow: 0,
  lastFailure: failure,
  lastSuccessMs: NOW_MS,
  refusedInRow: 0,
  refusingSinceMs: undefined,
  refusedMessages: 0,
  nextAttemptMs: undefined,
  isActive: true,
  unusable: undefined,
  ...changes,
})
const stateOf = (changes: Partial<DestinationHealth>) => standingOf(health(changes), NOW_MS).state

test('the worst that can be said of a destination is said of it [SEC-47]', () => {
  const all: Partial<DestinationHealth> = {
    unusable: 's2s.auth: unknown',
    paused: { reason: 'gone', atMs: NOW_MS },
    isActive: false,
    breaker: 'open',
    refusedInRow: 1,
    refusedMessages: 1,
    oldestWaitingMs: NOW_MS - 300_000,
  }
  const said: string[] = []
  for (const healed of [
    {},
    { unusable: undefined },
    { paused: undefined },
    { isActive: true },
    { breaker: 'closed' },
    { refusedInRow: 0 },
    { refusedMessages: 0 },
    { oldestWaitingMs: NOW_MS - 299_999 },
  ] as const)
    said.push(stateOf(Object.assign(all, healed)))
  expect(said).toEqual(['unusable', 'paused', 'inactive', 'stopped', 'failing', 'partial', 'behind', 'delivering'])
})

test('it is said why, since when, and when something is tried next; never a time that is past', () => {
  const failing = { refusedInRow: 2, refusingSinceMs: NOW_MS - 60_000 }
  expect(standingOf(health({ ...failing, nextAttemptMs: NOW_MS + 5_000 }), NOW_MS)).toEqual({
    state: 'failing',
    reason: 'http_400',
    sinceMs: NOW_MS - 60_000,
    nextAttemptMs: NOW_MS + 5_000,
  })
  expect(standingOf(health({ ...failing, nextAttemptMs: NOW_MS - 5 }), NOW_MS).nextAttemptMs).toBe(NOW_MS)
  // Others wait for their own time, but messages go out.
  expect(standingOf(health({ refusedMessages: 1, nextAttemptMs: NOW_MS + 5_000 }), NOW_MS)).toMatchObject({
    state: 'partial',
    nextAttemptMs: null,
  })
  expect(standingOf(health({ unusable: 's2s.url: wrong' }), NOW_MS)).toMatchObject({ reason: 's2s.url: wrong' })
  expect(standingOf(health({}), NOW_MS)).toMatchObject({ reason: null, sinceMs: null, nextAttemptMs: null })
})

test('what nothing reaches is out; a pause that an operator made stands behind what nobody meant', () => {
  expect(STANDINGS.filter(isOut)).toEqual(['unusable', 'paused', 'stopped', 'failing'])
  const rank = (state: (typeof STANDINGS)[number], reason: string | null = null) => rankOf({ state, reason })
  const order = [rank('unusable'), rank('paused', 'gone'), rank('failing'), rank('paused', 'operator'), rank('partial')]
  expect(order).toEqual([...order].sort((a, b) => a - b))
})
