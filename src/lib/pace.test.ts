import { expect, test } from 'vitest'
import { atOnce, openPace } from './pace.ts'
import { openTurns } from './turns.ts'

test('of work that is ready together each piece ends with what follows from it before the next, and others get turns', async () => {
  let nowMs = 0
  const pace = openPace(openTurns(() => nowMs))
  const order: string[] = []
  const piece = async (name: string) => {
    await pace(() => {
      nowMs += 4
      order.push(`${name} begins`)
    })
    await Promise.resolve()
    order.push(`${name} goes on`)
    setImmediate(() => order.push(`an event after ${name}`))
  }
  await Promise.all(['a', 'b', 'c'].map(piece))
  expect(order.filter((what) => !what.startsWith('an event'))).toEqual([
    'a begins',
    'a goes on',
    'b begins',
    'b goes on',
    'c begins',
    'c goes on',
  ])
  // It came while the turn of b was under way.
  expect(order.indexOf('an event after a')).toBeLessThan(order.indexOf('c begins'))
})

test('work that fails rejects for the one who asked, and the rest is done', async () => {
  const pace = openPace()
  const failing = pace(() => {
    throw new Error('broken rule')
  })
  const next = pace(() => 7)
  await expect(failing).rejects.toThrow('broken rule')
  expect(await next).toBe(7)
})

test('work that cannot wait is done before anything else', () => {
  expect(atOnce(() => 7)).toBe(7)
})
