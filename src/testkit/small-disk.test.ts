import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSmallDisk } from './small-disk.ts'

test('a small disk is a real one: it fills to the last byte, refuses the next, and has room again', () => {
  using disk = openSmallDisk(8)
  const write = () => writeFileSync(join(disk.folder, 'more'), Buffer.alloc(100_000))
  write()
  disk.fill(1024 * 1024)
  expect(disk.freeBytes()).toBeLessThanOrEqual(1024 * 1024)
  expect(disk.freeBytes()).toBeGreaterThan(0)
  disk.fill()
  expect(disk.freeBytes()).toBe(0)
  expect(() => writeFileSync(join(disk.folder, 'other'), Buffer.alloc(5_000))).toThrow('ENOSPC')
  disk.free()
  write()
})
