import { expect, test } from 'vitest'
import { isUnfiltered, readDeliveryFilter, readTime, replayFilter } from './delivery-filter.ts'

test('the address gives a filter, and what cannot be meant is left out', () => {
  expect(
    readDeliveryFilter({
      destinationId: 423,
      segmentId: 7,
      status: 'dead',
      q: 1234,
      page: 2,
      from: '2026-11-20T00:00Z',
    }),
  ).toEqual({
    destinationId: 423,
    segmentId: 7,
    status: 'dead',
    q: '1234',
    page: 2,
    from: '2026-11-20T00:00Z',
  })
  expect(readDeliveryFilter({ destinationId: 'x', status: 'lost', q: '', page: -1, to: 'soon', other: 1 })).toEqual({})
})

test('a page alone is no filter', () => {
  expect(isUnfiltered({ page: 3 })).toBe(true)
  expect(isUnfiltered({ status: 'dead' })).toBe(false)
})

test('a replay by filter names neither page nor free text', () => {
  expect(replayFilter({ destinationId: 1, page: 2, q: 'a' })).toEqual({ destinationId: 1 })
})

test('a typed time is UTC; a day alone is its midnight; what the calendar does not have is refused', () => {
  expect(readTime('2026-11-20 14:07')).toBe('2026-11-20T14:07:00.000Z')
  expect(readTime(' 2026-11-20 ')).toBe('2026-11-20T00:00:00.000Z')
  expect(readTime('')).toBeUndefined()
  expect(['20.11.2026', '2026-02-30', '2026-11-20 25:00', 'soon'].map(readTime)).toEqual([null, null, null, null])
})
