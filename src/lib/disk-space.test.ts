import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { classifyDiskSpace, DiskFullError, isDiskFull, readDiskSpace } from './disk-space.ts'

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

test('every way of saying that there is no room is understood, also as a cause, and nothing else is', () => {
  const coded = (code: string, message = 'it failed') => Object.assign(new Error(message), { code })
  const full = [
    coded('ENOSPC'),
    coded('EDQUOT'),
    coded('SQLITE_FULL'),
    new Error('IO error: /data/profiles/000005.log: No space left on device'),
    new Error('database or disk is full'),
    new DiskFullError('no room'),
  ]
  for (const error of full) {
    expect(isDiskFull(error), error.message).toBe(true)
    expect(isDiskFull(new Error('store', { cause: new Error('batch', { cause: error }) })), error.message).toBe(true)
  }
  for (const error of [coded('EIO'), coded('SQLITE_BUSY'), new Error('full of hope'), undefined, 'ENOSPC', {}])
    expect(isDiskFull(error)).toBe(false)
})
