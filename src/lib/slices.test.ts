import { expect, test } from 'vitest'
import { runInSlices } from './slices.ts'
import { openTurns } from './turns.ts'

function* counting(steps: number): Generator<void, number> {
  let sum = 0
  for (let i = 1; i <= steps; i++) {
    sum += i
    yield
  }
  return sum
}

test('the result is what the generator returns', async () => {
  expect(await runInSlices(counting(1000))).toBe(500_500)
})

test('other work of the event loop runs between slices', async () => {
  const order: string[] = []
  let nowMs = 0
  function* work(): Generator<void, void> {
    order.push('begins')
    setImmediate(() => order.push('other work'))
    for (let i = 0; i < 3; i++) {
      nowMs += 4
      yield
    }
    order.push('ends')
  }
  await runInSlices(
    work(),
    openTurns(() => nowMs),
  )
  expect(order).toEqual(['begins', 'other work', 'ends'])
})

test('an error in the generator rejects', async () => {
  function* failing(): Generator<void, void> {
    yield
    throw new Error('broken rule')
  }
  await expect(runInSlices(failing())).rejects.toThrow('broken rule')
})
