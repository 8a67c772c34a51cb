import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { createRateLimiter } from './rate-limit.ts'

test('a bucket refills with time, to its burst and not beyond [API-35]', () => {
  const limiter = createRateLimiter({ perSecond: 2, burst: 3 })
  const take = (nowMs: number) => limiter.take('token', nowMs)
  expect([take(0), take(0), take(0)].map((verdict) => verdict.remaining)).toEqual([2, 1, 0])
  expect(take(0)).toMatchObject({ allowed: false, retryAfterSeconds: 1, resetSeconds: 2 })
  expect(take(499).allowed).toBe(false)
  expect(take(500).allowed).toBe(true)
  expect(take(60_000)).toMatchObject({ allowed: true, remaining: 2 })
})

test('keys do not share a bucket [SEC-72~]', () => {
  const limiter = createRateLimiter({ perSecond: 1, burst: 1 })
  expect(limiter.take('a', 0).allowed).toBe(true)
  expect(limiter.take('a', 0).allowed).toBe(false)
  expect(limiter.take('b', 0).allowed).toBe(true)
})

test('in any window no more pass than burst and rate allow, and waiting as told always helps [SEC-72~]', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 }),
      (perSecond, burst, gaps) => {
        const limiter = createRateLimiter({ perSecond, burst })
        let nowMs = 0
        let passed = 0
        for (const gap of gaps) {
          nowMs += gap
          const verdict = limiter.take('k', nowMs)
          if (verdict.allowed) passed++
          else expect(verdict.retryAfterSeconds).toBeGreaterThan(0)
        }
        expect(passed).toBeLessThanOrEqual(burst + (nowMs / 1000) * perSecond + 1e-6)
        while (limiter.take('k', nowMs).allowed);
        const { retryAfterSeconds } = limiter.take('k', nowMs)
        expect(limiter.take('k', nowMs + retryAfterSeconds * 1000).allowed).toBe(true)
      },
    ),
  )
})

test('ten thousand callers and more are held without growing', () => {
  const limiter = createRateLimiter({ perSecond: 1, burst: 1 })
  for (let i = 0; i < 10_050; i++) expect(limiter.take(`address ${i}`, 0).allowed).toBe(true)
  // The latest is still known; the first was let go.
  expect(limiter.take('address 10049', 0).allowed).toBe(false)
  expect(limiter.take('address 0', 0).allowed).toBe(true)
})
