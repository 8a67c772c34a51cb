import { expect, test } from 'vitest'
import { openPace } from './pace.ts'
import { runInSlices } from './slices.ts'
import { openTurns } from './turns.ts'

/** Time that passes only where work is done. */
function manualTurns() {
  let nowMs = 0
  const turns = openTurns(() => nowMs)
  return { turns, spend: (ms: number) => (nowMs += ms) }
}

/** Counts the turns of the event loop until it is stopped. */
function countTurns() {
  let count = 0
  let isOver = false
  const next = () => {
    count += 1
    if (!isOver) setImmediate(next)
  }
  setImmediate(next)
  return { count: () => count, stop: () => (isOver = true) }
}

test('all work together holds a turn for 4 ms, however many pieces of it there are', async () => {
  const { turns, spend } = manualTurns()
  const loop = countTurns()
  const spentIn = new Map<number, number>()
  function* work(): Generator<void, void> {
    for (let step = 0; step < 10; step++) {
      spend(1)
      spentIn.set(loop.count(), (spentIn.get(loop.count()) ?? 0) + 1)
      yield
    }
  }
  await Promise.all(Array.from({ length: 8 }, () => runInSlices(work(), turns)))
  loop.stop()
  expect([...spentIn.values()].reduce((sum, ms) => sum + ms)).toBe(80)
  // The turn in which it begins and the first that is given may lie in one count.
  expect(Math.max(...spentIn.values())).toBeLessThanOrEqual(8)
  expect(spentIn.size).toBeGreaterThanOrEqual(15)
})

test('what fits into a turn is done at once', () => {
  const { turns, spend } = manualTurns()
  const done: string[] = []
  function* work(name: string): Generator<void, void> {
    spend(1)
    yield
    done.push(name)
  }
  for (const name of ['a', 'b', 'c']) void runInSlices(work(name), turns)
  expect(done).toEqual(['a', 'b', 'c'])
})

test('of those who wait nobody is passed by', async () => {
  const { turns, spend } = manualTurns()
  const ended: number[] = []
  function* work(name: number, steps: number): Generator<void, void> {
    for (let step = 0; step < steps; step++) {
      spend(3)
      yield
    }
    ended.push(name)
  }
  await Promise.all([9, 1, 2, 1].map((steps, name) => runInSlices(work(name, steps), turns)))
  expect(ended).toEqual([1, 3, 2, 0])
})

test('pieces that are ready together share the turn with work in slices, and each goes on before the next', async () => {
  const { turns, spend } = manualTurns()
  const pace = openPace(turns)
  const order: string[] = []
  const piece = async (name: string) => {
    await pace(() => {
      spend(3)
      order.push(`${name} begins`)
    })
    await Promise.resolve()
    order.push(`${name} goes on`)
    setImmediate(() => order.push(`an event after ${name}`))
  }
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(piece))
  expect(order.filter((what) => !what.startsWith('an event'))).toEqual(
    ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((name) => [`${name} begins`, `${name} goes on`]),
  )
  // Two pieces of 3 ms take up a turn; what they left for others comes while the next one is under way.
  for (const event of ['an event after a', 'an event after b'])
    expect([
      order.indexOf('b goes on') < order.indexOf(event),
      order.indexOf(event) < order.indexOf('e begins'),
    ]).toEqual([true, true])
})
