import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { classifyDiskSpace, readDiskSpace } from './disk-space.ts'

const GIB = 1024 ** 3

test.each([
  ['ok', 10 * GIB, 100 * GIB],
  ['low', 10 * GIB - 1, 100 * GIB],
  ['low', 5 * GIB, 100 * GIB],
  ['full', 5 * GIB - 1, 100 * GIB],
  ['ok', GIB, 4 * GIB],
  ['low', GIB - 1, 4 * GIB],
  ['low', GIB / 2, 4 * GIB],
  ['full', GIB / 2 - 1, 4 * GIB],
] as const)('%s at %d free of %d [SEC-61]', (state, free, total) => {
  expect(classifyDiskSpace(free, total)).toBe(state)
})

test('the device of a folder can be read', async () => {
  const space = await readDiskSpace(tmpdir())
  expect(space.freeBytes).toBeGreaterThan(0)
  expect(space.totalBytes).toBeGreaterThan(space.freeBytes)
})
