import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSmallDisk } from '../testkit/small-disk.ts'
import { openDiskReserve, reserveBytes } from './disk-reserve.ts'

const MIB = 1024 * 1024

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'usher-reserve-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('64 MiB are kept, of a small disk an eighth [SEC-61]', () => {
  expect([8 * 1024 * MIB, 512 * MIB, 96 * MIB].map(reserveBytes)).toEqual([64 * MIB, 64 * MIB, 12 * MIB])
})

test('the reserve takes its room, which only its owner can read, and gives it back at once; one of an earlier run is taken over', async () => {
  const path = join(folder(), 'reserve.bin')
  const reserve = openDiskReserve(path, 3 * MIB + 5)
  expect([reserve.isHeld, reserve.release()]).toEqual([false, false])
  await Promise.all([reserve.fill(), reserve.fill()])
  const { size, blocks, mode } = statSync(path)
  expect([size, mode & 0o777, reserve.isHeld]).toEqual([3 * MIB + 5, 0o600, true])
  expect(blocks * 512).toBeGreaterThanOrEqual(3 * MIB)
  expect(openDiskReserve(path, 3 * MIB + 5).isHeld).toBe(true)
  expect([reserve.release(), existsSync(path), reserve.isHeld]).toEqual([true, false, false])
  // Half a reserve, after a crash, is none.
  writeFileSync(path, 'x')
  expect(openDiskReserve(path, 3 * MIB).isHeld).toBe(false)
})

test('where there is no room for it nothing is left behind', async () => {
  using disk = openSmallDisk(8)
  disk.fill(MIB)
  const path = join(disk.folder, 'reserve.bin')
  const reserve = openDiskReserve(path, 4 * MIB)
  await expect(reserve.fill()).rejects.toThrow('ENOSPC')
  expect([reserve.isHeld, existsSync(path)]).toEqual([false, false])
})
