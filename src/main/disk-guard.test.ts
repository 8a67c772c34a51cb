import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DiskSpace } from '../lib/disk-space.ts'
import type { Log } from '../lib/log.ts'
import { watchDisk } from './disk-guard.ts'

let dataDir = ''
beforeEach(() => {
  vi.useFakeTimers()
  dataDir = mkdtempSync(join(tmpdir(), 'usher-guard-'))
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(dataDir, { recursive: true, force: true })
})

const space = (state: DiskSpace['state'], freeBytes: number): DiskSpace => ({ state, freeBytes, totalBytes: 100 })

test('the state follows the disk both ways, and each change is one line of log [SEC-61]', async () => {
  const lines: string[] = []
  const say = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message} ${(fields as DiskSpace).state}`)
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  let now = space('ok', 50)
  const disk = await watchDisk(dataDir, log, {
    read: async () => now,
    onWorse: () => lines.push('retention runs early'),
  })
  const seen: string[] = []
  for (const next of [space('ok', 40), space('low', 9), space('full', 1), space('ok', 60)]) {
    now = next
    await vi.advanceTimersByTimeAsync(2_000)
    seen.push(`${disk.state()} ${disk.freeBytes()}`)
  }
  disk.close()
  expect(seen).toEqual(['ok 40', 'low 9', 'full 1', 'ok 60'])
  expect(lines).toEqual([
    'warn disk.space low',
    'retention runs early',
    'warn disk.space full',
    'retention runs early',
    'info disk.space ok',
  ])
})

test('a disk that cannot be read keeps its last state and is logged', async () => {
  const lines: string[] = []
  const error = (message: string) => void lines.push(message)
  let reads = 0
  const disk = await watchDisk(
    dataDir,
    { debug() {}, info() {}, warn() {}, error },
    {
      async read() {
        reads += 1
        if (reads === 2) throw new Error('EIO')
        return space('low', 9)
      },
    },
  )
  await vi.advanceTimersByTimeAsync(4_000)
  disk.close()
  expect([disk.state(), reads, lines]).toEqual(['low', 3, ['disk.unreadable']])
})

test('a write that finds no room makes the disk full at once, for ten seconds at least, whatever the figures say; other errors do not [SEC-61]', async () => {
  const lines: string[] = []
  const warn = (message: string) => void lines.push(message)
  const silent = { debug() {}, info() {}, warn, error() {} }
  const disk = await watchDisk(dataDir, silent, { read: async () => space('ok', 50) })
  disk.failed(new Error('an I/O error'))
  expect(disk.state()).toBe('ok')
  const quota = Object.assign(new Error('write'), { code: 'EDQUOT' })
  disk.failed(new Error('profile store: writing failed', { cause: quota }))
  expect([disk.state(), disk.freeBytes()]).toEqual(['full', 0])
  await vi.advanceTimersByTimeAsync(8_000)
  expect(disk.state()).toBe('full')
  await vi.advanceTimersByTimeAsync(4_000)
  expect([disk.state(), disk.freeBytes()]).toEqual(['ok', 50])
  disk.close()
  expect(lines).toContain('disk.space')
})
