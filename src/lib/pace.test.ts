import { expect, test } from 'vitest'
import { atOnce, openPace } from './pace.ts'

test('of work that is ready together each piece ends with what follows from it before the next, and others get turns', async () => {
  const pace = openPace({ sliceMs: 0 })
  const order: string[] = []
  const piece = async (name: string) => {
    await pace(() => order.push(`${name} begins`))
    await Promise.resolve()
    order.push(`${name} goes on`)
    setImmediate(() => order.push(`an event after ${name}`))
  }
  await Promise.all(['a', 'b', 'c'].map(piece))
  expect(order).toEqual([
    'a begins',
    'a goes on',
    'an event after a',
    'b begins',
    'b goes on',
    'an event after b',
    'c begins',
    'c goes on',
  ])
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
