import { expect, test } from 'vitest'
import { isOn, machineClock, resume } from './clock-moment.ts'

test('this machine tells its time, and how long it has been running: one goes with the other', async () => {
  const machine = machineClock()
  const before = machine.read()
  expect(Math.abs(before.wallMs - Date.now())).toBeLessThan(5_000)
  expect(before.uptimeMs).toBeGreaterThan(0)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const after = machine.read()
  expect(after.uptimeMs - before.uptimeMs).toBeGreaterThanOrEqual(80)
  expect(after.bootId).toBe(before.bootId)
  expect(isOn(before, after)).toBe(true)
})

test('a clock is on its line within ten minutes; after a restart of the machine it may be ahead, and not behind', () => {
  const line = { wallMs: 1_000_000_000_000, uptimeMs: 50_000, bootId: 'a' }
  const at = (aheadMs: number, bootId = 'a', uptimeMs = 60_000) => ({
    wallMs: line.wallMs + 10_000 + aheadMs,
    uptimeMs,
    bootId,
  })
  expect([-600_000, 0, 600_000].map((ms) => isOn(line, at(ms)))).toEqual([true, true, true])
  expect([-600_001, 600_001].map((ms) => isOn(line, at(ms)))).toEqual([false, false])
  for (const other of [at(0, 'b'), at(0, 'a', 40_000), at(0, '')]) {
    const resumed = resume(line, other, 86_400_000)
    const aheadBy = (ms: number) => isOn(resumed, { ...other, wallMs: line.wallMs + ms })
    expect([-600_001, -600_000, 0, 86_400_000, 86_400_001].map(aheadBy)).toEqual([false, true, true, true, false])
  }
  expect(resume(line, at(0), 86_400_000)).toBe(line)
})
