import { expect, test } from 'vitest'
import { unpackSnappy } from './snappy.ts'

/** Literal of up to 60 bytes. */
const literal = (text: string) => Buffer.concat([Buffer.of((text.length - 1) << 2), Buffer.from(text)])
/** Copy with a distance of two bytes. */
const copy = (count: number, distance: number) => Buffer.of(((count - 1) << 2) | 2, distance & 0xff, distance >> 8)
const unpack = (...parts: Buffer[]) => unpackSnappy(Buffer.concat(parts), 1_000)?.toString('latin1')

test('literals and copies, one that overlaps what it makes too, come back as they were', () => {
  expect(unpack(Buffer.of(0))).toBe('')
  expect(unpack(Buffer.of(5), literal('hello'))).toBe('hello')
  expect(unpack(Buffer.of(9), literal('ab'), copy(7, 2))).toBe('ababababa')
  expect(unpack(Buffer.of(4), literal('ab'), copy(2, 2))).toBe('abab')
  // With one byte of distance, and with four.
  expect(unpack(Buffer.of(6), literal('ab'), Buffer.of(0x01, 2))).toBe('ababab')
  expect(unpack(Buffer.of(4), literal('ab'), Buffer.of(0x07, 2, 0, 0, 0))).toBe('abab')
  const long = 'x'.repeat(200)
  expect(unpack(Buffer.of(0xc8, 0x01), Buffer.of(60 << 2, 199), Buffer.from(long))).toBe(long)
})

test('a length may take five bytes, as any number of 32 bits, and not six', () => {
  expect(unpack(Buffer.of(0x81, 0x80, 0x80, 0x80, 0x00), literal('a'))).toBe('a')
  expect(unpack(Buffer.of(0x81, 0x80, 0x80, 0x80, 0x80, 0x00), literal('a'))).toBe(undefined)
})

test('what is cut off, too long, or copies from before the beginning is no text', () => {
  for (const parts of [
    [],
    [Buffer.of(0x80)],
    [Buffer.of(5)],
    [Buffer.of(5), literal('hell')],
    [Buffer.of(4), literal('hello')],
    [Buffer.of(5), literal('hello').subarray(0, 4)],
    [Buffer.of(4), literal('ab'), copy(2, 3)],
    [Buffer.of(4), literal('ab'), copy(2, 0)],
    [Buffer.of(3), literal('ab'), copy(2, 2)],
    [Buffer.of(4), literal('ab'), copy(2, 2).subarray(0, 2)],
    [Buffer.of(0xe9, 0x07), literal('a')],
  ])
    expect(unpack(...parts)).toBe(undefined)
})
