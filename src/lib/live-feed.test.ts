import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openLiveFeed } from './live-feed.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const rates = () => ({ eventsPerSecond: 7 })
const flood = (feed: ReturnType<typeof openLiveFeed>) => {
  for (let count = 0; count < 100; count++)
    for (const kind of ['event', 'membership', 'delivery'] as const) if (feed.wants(kind)) feed.send(kind, { count })
}

describe('the live feed [OPS-45~]', () => {
  test('without a reader nothing is wanted and no timer runs', () => {
    const feed = openLiveFeed({ rates })
    expect(feed.wants('event')).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
    const end = feed.subscribe(() => {})
    expect([feed.wants('event'), vi.getTimerCount()]).toEqual([true, 1])
    end?.()
    expect([feed.wants('event'), vi.getTimerCount()]).toEqual([false, 0])
  })

  test('tells at most twenty items a second in total, rare kinds among them, and the rates each second', () => {
    const feed = openLiveFeed({ rates })
    const seen: string[] = []
    feed.subscribe((text) => seen.push(text))
    for (let second = 1; second <= 3; second++) {
      flood(feed)
      const kinds = seen.map((text) => /^event: (\w+)\ndata: \{.*\}\n\n$/.exec(text)?.[1])
      expect(kinds).toHaveLength(20)
      expect(new Set(kinds)).toEqual(new Set(['event', 'membership', 'delivery']))
      seen.length = 0
      vi.advanceTimersByTime(1_000)
      expect(seen).toEqual(['event: rates\ndata: {"eventsPerSecond":7}\n\n'])
      seen.length = 0
    }
    feed.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a flood of events alone leaves room for a delivery', () => {
    const feed = openLiveFeed({ rates })
    feed.subscribe(() => {})
    let events = 0
    while (feed.wants('event')) {
      feed.send('event', {})
      events += 1
    }
    expect(events).toBeLessThan(20)
    expect(feed.wants('delivery')).toBe(true)
    feed.close()
  })

  test('readers are limited, and a place comes free', () => {
    const feed = openLiveFeed({ rates, readersMax: 2 })
    const first = feed.subscribe(() => {})
    feed.subscribe(() => {})
    expect(feed.subscribe(() => {})).toBeUndefined()
    first?.()
    expect(feed.subscribe(() => {})).toBeDefined()
    feed.close()
  })
})
