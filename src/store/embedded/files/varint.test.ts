import { expect, test } from 'vitest'
import fc from '../../../testkit/properties.ts'
import { NumberReader, varintBytes } from './varint.ts'

test('numbers up to 2^53 come back, one after another', () => {
  const numbers = fc.array(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
  fc.assert(
    fc.property(numbers, (values) => {
      const reader = new NumberReader(Buffer.concat(values.map(varintBytes)))
      expect(values.map(() => reader.varint())).toEqual(values)
      expect([reader.isBad, reader.isAtEnd]).toEqual([false, true])
    }),
  )
})

test('a number that breaks off or never ends is bad, and nothing behind it is read', () => {
  for (const bytes of [Buffer.of(0x80), Buffer.of(0x80, 0x80), Buffer.alloc(12, 0x80), Buffer.alloc(0)]) {
    const reader = new NumberReader(bytes)
    expect([reader.varint(), reader.isBad]).toEqual([0, true])
    expect(reader.slice(1)).toHaveLength(0)
  }
})

test('a part that is announced longer than what there is is bad, and empty', () => {
  const reader = new NumberReader(Buffer.from([3, 1, 2, 3, 3, 1, 2]))
  expect([...reader.prefixed()]).toEqual([1, 2, 3])
  expect(reader.isBad).toBe(false)
  expect([[...reader.prefixed()], reader.isBad]).toEqual([[], true])
  // What is bad stays bad.
  expect([[...reader.slice(1)], reader.isBad]).toEqual([[], true])
})
