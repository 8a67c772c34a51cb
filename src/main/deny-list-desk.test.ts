import { expect, test } from 'vitest'
import { DenyList } from '../collect/deny-list.ts'
import { openDenyListDesk } from './deny-list-desk.ts'

test('an entry is removed by exactly its ID, not by what a lenient reader takes for it', async () => {
  const known = Number.parseInt('abc', 36)
  const asked: number[] = []
  const removed: number[] = []
  const list = Object.assign(Object.create(DenyList.prototype) as DenyList, {
    entryOf: (hash: number) => {
      asked.push(hash)
      return hash === known ? {} : undefined
    },
    remove: (hash: number) => removed.push(hash) > 0,
  })
  const desk = openDenyListDesk(list, { flush: async () => true }, { mayClear: true, clock: () => 0 })
  for (const entryId of ['abc!', 'ABC', ' abc', 'abc.5', '', '-abc', 'abc~~'])
    expect(await desk.remove(entryId), entryId).toBe('unknown')
  expect(removed).toEqual([])
  expect(await desk.remove('abc')).toBe('removed')
  expect(removed).toEqual([known])
  expect(asked).toContain(known)
})
