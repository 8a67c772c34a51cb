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

test('the clock is moved to the last second that can be kept, and no further, however often [OPS-27]', () => {
  const clock = createClock(0, () => 1_000)
  const last = 0xffff_ffff * 1000
  clock.advance(last - 2_000)
  expect(() => clock.advance(2_000)).toThrow('times are kept from 1970 to 2106-02-07')
  expect(clock.advance(1_000)).toBe(last)
  expect(() => clock.advance(1)).toThrow(RangeError)
  expect(clock.now()).toBe(last)
})

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('the clock is not moved by %s ms', (byMs) => {
  const clock = createClock(0, () => 0)
  expect(() => clock.advance(byMs)).toThrow(RangeError)
  expect(clock.now()).toBe(0)
})
