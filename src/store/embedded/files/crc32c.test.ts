import { expect, test } from 'vitest'
import { crc32c, findEnd, findWrongByte, maskCrc, unmaskCrc } from './crc32c.ts'

test('checksums of the examples of RFC 3720 B.4', () => {
  const rising = Buffer.from(Array.from({ length: 32 }, (_, i) => i))
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(rising)).toBe(0x46dd794e)
  expect(crc32c(Buffer.from(rising).reverse())).toBe(0x113fdb5c)
  expect(crc32c(Buffer.from('xx123456789x'), 2, 11)).toBe(0xe3069283)
})

test('a masked checksum is another number, and comes back', () => {
  for (const crc of [0, 1, 0xe3069283, 0xffffffff]) {
    expect(maskCrc(crc)).not.toBe(crc)
    expect(unmaskCrc(maskCrc(crc))).toBe(crc)
  }
})

test('every single flipped bit is found where it is', () => {
  const bytes = Buffer.from('what a device makes of this is not what was written to it'.repeat(3))
  const crc = crc32c(bytes, 5, 150)
  for (let at = 5; at < 150; at++) {
    for (const xor of [1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x5a]) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] as number) ^ xor
      expect(findWrongByte(damaged, 5, 150, crc)).toEqual({ at, xor })
    }
  }
})

test('two wrong bytes are not taken for one', () => {
  const bytes = Buffer.from('0123456789'.repeat(10))
  const crc = crc32c(bytes)
  bytes[10] = 0
  bytes[60] = 0
  expect(findWrongByte(bytes, 0, bytes.length, crc)).toBeUndefined()
})

test('an end is found where its checksum fits, and nowhere else', () => {
  const bytes = Buffer.from('0123456789'.repeat(10))
  expect(findEnd(bytes, 3, 100, crc32c(bytes, 3, 57), () => true)).toBe(57)
  expect(findEnd(bytes, 3, 100, crc32c(bytes, 3, 57), () => false)).toBeUndefined()
  expect(findEnd(bytes, 3, 50, crc32c(bytes, 3, 57), () => true)).toBeUndefined()
})
