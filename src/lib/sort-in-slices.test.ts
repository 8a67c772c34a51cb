import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { runInSlices } from './slices.ts'
import { sortInSlices } from './sort-in-slices.ts'

const byKey = (a: { key: number }, b: { key: number }) => a.key - b.key

test('what is sorted in slices is in the order of Array.sort, equal items as they came', async () => {
  const items = fc.array(fc.record({ key: fc.integer({ min: 0, max: 9 }), at: fc.integer() }), { maxLength: 200 })
  const property = fc.asyncProperty(items, fc.integer({ min: 1, max: 50 }), async (all, step) => {
    expect(await runInSlices(sortInSlices(all, byKey, step))).toEqual([...all].sort(byKey))
  })
  await fc.assert(property)
})

test('no step of sorting 20,000 items compares more than a run of a thousand takes', () => {
  let compared = 0
  let most = 0
  const items = Array.from({ length: 20_000 }, (_, n) => ({ key: (n * 7_919) % 20_011 }))
  const work = sortInSlices(items, (a, b) => {
    compared++
    return a.key - b.key
  })
  for (let step = work.next(); !step.done; step = work.next()) {
    most = Math.max(most, compared)
    compared = 0
  }
  expect(most).toBeLessThan(15_000)
})
