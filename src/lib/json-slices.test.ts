import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { jsonInSlices } from './json-slices.ts'
import { runInSlices } from './slices.ts'

const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(undefined, Number.NaN, -0, '"\u2028\ud800', 'x'.repeat(500)),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value'), { maxLength: 8 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 8 }),
  ),
})).value

test('the pieces together are the text that JSON.stringify gives, whatever their size', async () => {
  const property = fc.asyncProperty(anything, fc.integer({ min: 1, max: 40 }), async (value, sizeMax) => {
    fc.pre(value !== undefined)
    const pieces = await runInSlices(jsonInSlices(value, sizeMax))
    expect(pieces.join('')).toBe(JSON.stringify(value))
  })
  await fc.assert(property)
})

test('no piece holds more than it may, in wide lists, deep trees and objects of many members', () => {
  const wide = Array.from({ length: 10_000 }, (_, n) => ({ n, name: `trait ${n}` }))
  let deep: object = {}
  for (let n = 0; n < 500; n++) deep = { n, children: [deep, { n }] }
  const members = Object.fromEntries(wide.map((one, n) => [`m${n}`, one]))
  for (const value of [wide, deep, members, { list: wide, tree: deep }]) {
    const work = jsonInSlices(value, 100)
    let steps = 0
    let step = work.next()
    for (; !step.done; step = work.next()) steps++
    const longest = Math.max(...step.value.map((piece) => piece.length))
    expect(longest).toBeLessThan(6_000)
    expect(steps).toBeGreaterThanOrEqual(step.value.length - 1)
  }
})
