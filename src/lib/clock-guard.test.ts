import { expect, test } from 'vitest'
import { watchClock } from './clock-guard.ts'

const HOUR_MS = 3_600_000

test('a jump of the wall clock is not trusted until three checks agree; slow drift and small steps are [SEC-82]', () => {
  for (const [jumpMs, isJump] of [
    [25 * HOUR_MS, true],
    [-2 * HOUR_MS, true],
    [23 * HOUR_MS, false],
    [-0.5 * HOUR_MS, false],
  ] as const) {
    let wallMs = 1_000_000_000
    let jumps = 0
    const guard = watchClock({ onJump: () => jumps++, wallMs: () => wallMs, monotonicMs: () => 0 })
    expect(guard.isTrusted()).toBe(true)
    wallMs += jumpMs
    expect(guard.isTrusted()).toBe(!isJump)
    expect(jumps).toBe(isJump ? 1 : 0)
    for (let check = 0; check < 2; check++) {
      guard.check()
      expect(guard.isTrusted()).toBe(!isJump)
    }
    guard.check()
    expect(guard.isTrusted()).toBe(true)
    guard.close()
  }
})
