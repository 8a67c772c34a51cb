import { expect, test } from 'vitest'
import { createClock } from './clock.ts'

test('the clock runs with the machine, shifted by the offset, and can be moved forward [OPS-27]', () => {
  let machine = 1_000
  const clock = createClock(500, () => machine)
  expect(clock.now()).toBe(1_500)
  machine = 2_000
  expect(clock.now()).toBe(2_500)
  expect(clock.advance(86_400_000)).toBe(86_402_500)
  expect(clock.now()).toBe(86_402_500)
  expect(clock.offsetMs()).toBe(86_400_500)
})

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('the clock is not moved by %s ms', (byMs) => {
  const clock = createClock(0, () => 0)
  expect(() => clock.advance(byMs)).toThrow(RangeError)
  expect(clock.now()).toBe(0)
})
