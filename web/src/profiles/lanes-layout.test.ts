import { expect, test } from 'vitest'
import { layoutLanes } from './lanes-layout.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const trait = {
  sid: 1,
  name: 'Shoes',
  count: 3,
  days: [
    { day: '2026-11-16', count: 1 },
    { day: '2026-11-20', count: 2 },
  ],
  lastRealized: '2026-11-20T00:00:00.000Z',
  expires: '2026-11-25',
}
const segment = {
  sid: 7,
  name: 'Intenders',
  status: 'in' as const,
  since: '2026-11-20T11:00:00.000Z',
  until: null,
  mergeRuleDataSourceId: null,
}

test('what was lies left of now, what will be right of it, all within the edges', () => {
  const { lanes, now } = layoutLanes({ traits: [trait], segments: [segment] }, NOW)
  for (const { spans, ticks } of lanes) {
    for (const { from, to, isAhead } of spans) {
      expect(from).toBeGreaterThanOrEqual(isAhead ? now : 0)
      expect(to).toBeLessThanOrEqual(isAhead ? 1 : now)
      expect(to).toBeGreaterThanOrEqual(from)
    }
    for (const { at } of ticks) expect(at).toBeLessThanOrEqual(now)
  }
})

test('a membership without an end runs to the edge, one with an end stops there', () => {
  const { lanes } = layoutLanes({ traits: [trait], segments: [segment] }, NOW)
  expect(lanes[1]?.spans[1]?.to).toBe(1)
  expect(lanes[0]?.spans[1]?.to).toBeLessThan(1)
})

test('a segment that was left shows the moment of leaving only', () => {
  const { lanes } = layoutLanes({ traits: [], segments: [{ ...segment, status: 'out' }] }, NOW)
  expect(lanes[0]).toMatchObject({ spans: [], isIn: false })
  expect(lanes[0]?.ticks).toHaveLength(1)
})

test('a profile of which nothing is known has an axis all the same', () => {
  expect(layoutLanes({ traits: [], segments: [] }, NOW).dates.length).toBeGreaterThan(2)
})
