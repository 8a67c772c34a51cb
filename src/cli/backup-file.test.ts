import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { run } from './program.ts'

let folder = ''
let errors = ''
const at = (name: string) => join(folder, name)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-backup-file-'))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors += String(text)
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

test('a backup takes the place of no folder, link or pipe, and of nothing in the data directory, also with --force [SEC-90~]', async () => {
  await (await startWholeServer(at('data'))).close()
  mkdirSync(at('a-folder'))
  writeFileSync(at('linked'), 'mine')
  symlinkSync(at('linked'), at('a-link'))
  symlinkSync(at('nowhere-yet'), at('a-loose-link'))
  symlinkSync(at('data'), at('link-to-data'))
  execFileSync('mkfifo', [at('a-pipe'), at('busy.part')])
  const data = readdirSync(at('data'))
  for (const [file, why] of [
    ['', 'is empty'],
    [at('a-folder'), 'no file of its own'],
    [at('a-link'), 'no file of its own'],
    [at('a-loose-link'), 'no file of its own'],
    [at('a-pipe'), 'no file of its own'],
    [at('busy'), 'no file of its own'],
    [at('data/optout.key'), 'is in the data directory'],
    [at('data/new'), 'is in the data directory'],
    [at('link-to-data/optout.key'), 'is in the data directory'],
  ] as const) {
    errors = ''
    expect(await run(['backup', file, '--data-dir', at('data'), '--force']), file).toBe(2)
    expect(errors).toContain(why)
  }
  expect(readdirSync(at('data'))).toEqual(data)
  expect(readFileSync(at('linked'), 'utf8')).toBe('mine')
  expect(lstatSync(at('a-pipe')).isFIFO()).toBe(true)
})
