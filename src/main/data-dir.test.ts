import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError } from '../config.ts'
import { openDataDir } from './data-dir.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-data-dir-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a data directory that is missing is made, for its owner only', () => {
  const dataDir = join(folder, 'a', 'b')
  openDataDir({ dataDir })
  openDataDir({ dataDir })
  expect(statSync(dataDir).isDirectory()).toBe(true)
  if (process.platform !== 'win32') expect(statSync(dataDir).mode & 0o777).toBe(0o700)
})

test('a file in its place stops the start with the name of the setting [OPS-20]', () => {
  const dataDir = join(folder, 'file')
  writeFileSync(dataDir, '')
  for (const path of [dataDir, join(dataDir, 'inside')]) {
    expect(() => openDataDir({ dataDir: path })).toThrow(ConfigError)
    expect(() => openDataDir({ dataDir: path })).toThrow(/dataDir \(USHER_DATA_DIR, --data-dir\): E.*Allowed: a folder/)
  }
})
