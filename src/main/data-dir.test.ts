import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../config.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { openDataDir } from './data-dir.ts'
import { verifyDataDir } from './verify-data-dir.ts'

const isPosix = process.platform !== 'win32'
const isRoot = process.geteuid?.() === 0
const NOBODY = 65_534

let folder = ''
const umask = process.umask()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-data-dir-'))
  chmodSync(folder, 0o755)
})
afterEach(() => {
  process.umask(umask)
  rmSync(folder, { recursive: true, force: true })
})

/** Under a user who is not root, which may do everything. */
function asUser<Result>(work: () => Result): Result {
  if (!isRoot) return work()
  process.seteuid?.(NOBODY)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
  }
}

/** A folder as an operator makes it beforehand, whatever the umask is. */
function make(name: string, mode: number, owner?: number): string {
  const path = join(folder, name)
  mkdirSync(path)
  chmodSync(path, mode)
  if (owner !== undefined) chownSync(path, owner, owner)
  return path
}

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

/** Modes of all that is below, by path. */
function openToOthers(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .concat(path)
    .filter((one) => (statSync(one).mode & 0o077) !== 0)
}

test('a data directory that is missing is made, for its owner only', () => {
  const dataDir = join(folder, 'a', 'b')
  expect(openDataDir({ dataDir })).toEqual([])
  expect(openDataDir({ dataDir })).toEqual([])
  expect(readdirSync(dataDir)).toEqual([])
  if (isPosix) expect([modeOf(join(folder, 'a')), modeOf(dataDir)]).toEqual(['700', '700'])
})

describe('what cannot be a data directory stops the start with the name of the setting and the reason [OPS-20]', () => {
  const refusal = (dataDir: string) => {
    try {
      openDataDir({ dataDir })
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      return (error as Error).message
    }
    return 'accepted'
  }
  const form = /dataDir \(USHER_DATA_DIR, --data-dir\): (.+)\. Allowed: a folder that this user may write to$/

  test('a file in its place, or in its path', () => {
    const dataDir = join(folder, 'file')
    writeFileSync(dataDir, '')
    expect(form.exec(refusal(dataDir))?.[1]).toBe(`EEXIST, ${dataDir}: something that is no folder is in its place`)
    const inside = join(dataDir, 'inside', 'deep')
    expect(form.exec(refusal(inside))?.[1]).toBe(`ENOTDIR, ${inside}: a part of the path is a file`)
  })

  test.skipIf(!isPosix)('a link to nothing, a link to itself, a path or a name that is too long', () => {
    symlinkSync(join(folder, 'nothing'), join(folder, 'dangling'))
    symlinkSync(join(folder, 'loop'), join(folder, 'loop'))
    expect(refusal(join(folder, 'dangling'))).toMatch(form)
    expect(refusal(join(folder, 'loop'))).toContain('a link that leads to itself')
    expect(refusal(join(folder, 'x'.repeat(300)))).toContain('the path is too long')
    const deep = join(folder, ...new Array<string>(25).fill('y'.repeat(200)))
    expect(refusal(deep)).toContain('the path is too long')
    expect(refusal(deep).length).toBeLessThan(600)
  })

  test.skipIf(process.platform !== 'linux')('a place where nobody can make folders or files', () => {
    for (const dataDir of [
      '/proc/nothing',
      '/proc/nothing/deep',
      '/proc/self',
      '/sys/nothing',
      '/dev/null',
      '/dev/null/x',
    ])
      expect(refusal(dataDir), dataDir).toMatch(form)
  })

  test.skipIf(!isPosix)('a folder that this user may not write to, or not enter', () => {
    for (const mode of [0o555, 0o600, 0o000]) {
      const dataDir = make(`of-${mode}`, mode, isRoot ? NOBODY : undefined)
      expect(
        asUser(() => refusal(dataDir)),
        modeOf(dataDir),
      ).toContain('this user has no right to write there')
      expect(
        asUser(() => refusal(join(dataDir, 'missing'))),
        modeOf(dataDir),
      ).toContain('this user has no right')
    }
  })
})

describe.skipIf(!isPosix)('a data directory that stands open is closed to other users [SEC-92~] [SEC-62~]', () => {
  test.each([0o755, 0o777, 0o750, 0o711, 0o2775, 0o1777])('made beforehand with mode %o', (mode) => {
    const dataDir = make('made', mode)
    const warnings = openDataDir({ dataDir })
    expect(warnings).toEqual([expect.stringContaining(`(mode ${mode.toString(8).padStart(4, '0')}); it is now closed`)])
    expect(modeOf(dataDir)).toBe('700')
    expect(openDataDir({ dataDir })).toEqual([])
  })

  test('all that a server makes in it is for its owner alone, also under an open umask', async () => {
    process.umask(0)
    const dataDir = make('made', 0o755)
    {
      await using usher = await startWholeServer(dataDir)
      await usher.api('POST', '/v1/datasources/', { dataSourceId: 2001, name: 'Shop' })
      await fetch(`${usher.edgeUrl}/event?c_a=b`)
      expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(['catalog.sqlite', 'catalog.sqlite-wal', 'profiles']))
      expect(openToOthers(dataDir)).toEqual([])
    }
    expect(openToOthers(dataDir)).toEqual([])
    process.umask(0)
    await verifyDataDir(loadConfig({ env: { USHER_DATA_DIR: dataDir } }), () => {})
    expect(openToOthers(dataDir)).toEqual([])
  })

  test('what an earlier start left open is closed, and named; links and files of others are left alone', () => {
    const dataDir = make('used', 0o755)
    const outside = join(folder, 'outside')
    writeFileSync(outside, '', { mode: 0o644 })
    mkdirSync(join(dataDir, 'profiles'))
    for (const name of [
      'catalog.sqlite',
      'catalog.sqlite-wal',
      'catalog.sqlite-shm',
      'profiles/000005.ldb',
      'notes.txt',
    ]) {
      writeFileSync(join(dataDir, name), '')
      chmodSync(join(dataDir, name), 0o644)
    }
    chmodSync(join(dataDir, 'profiles'), 0o755)
    symlinkSync(outside, join(dataDir, 'profiles', 'link'))
    const warnings = openDataDir({ dataDir })
    expect(warnings).toHaveLength(2)
    expect(warnings[1]).toContain('rights to 5 of the files')
    expect(warnings[1]).toContain(join(dataDir, 'catalog.sqlite'))
    expect([modeOf(outside), modeOf(join(dataDir, 'notes.txt'))]).toEqual(['644', '644'])
    for (const name of [
      '',
      'catalog.sqlite',
      'catalog.sqlite-wal',
      'catalog.sqlite-shm',
      'profiles',
      'profiles/000005.ldb',
    ])
      expect(statSync(join(dataDir, name)).mode & 0o077, name).toBe(0)
    // In a folder that was closed nobody could get at them: closed as well, without an alarm.
    chmodSync(join(dataDir, 'catalog.sqlite'), 0o644)
    expect(openDataDir({ dataDir })).toEqual([])
    expect(modeOf(join(dataDir, 'catalog.sqlite'))).toBe('600')
  })

  test('an open folder with files of somebody else is refused and left as it is', () => {
    const dataDir = make('project', 0o755)
    writeFileSync(join(dataDir, 'package.json'), '{}')
    expect(() => openDataDir({ dataDir })).toThrow(
      /holds files of others and is open to other users.*mode 0755.*chmod 700/,
    )
    expect([modeOf(dataDir), readdirSync(dataDir)]).toEqual(['755', ['package.json']])
    openDataDir({ dataDir: join(dataDir, 'usher') })
    chmodSync(dataDir, 0o700)
    expect(openDataDir({ dataDir })).toEqual([])
  })

  test.skipIf(!isRoot)(
    'a folder that belongs to somebody else is used while only he can change it, with a warning',
    () => {
      const dataDir = make('of-root', 0o775)
      chownSync(dataDir, 0, NOBODY)
      process.setegid?.(NOBODY)
      const warnings = asUser(() => openDataDir({ dataDir }))
      expect(warnings).toEqual([
        expect.stringContaining(`${dataDir} belongs to user 0 and is open to others (mode 0775)`),
      ])
      expect(modeOf(dataDir)).toBe('775')
      chmodSync(dataDir, 0o777)
      expect(() => asUser(() => openDataDir({ dataDir }))).toThrow(/belongs to user 0, and every user.*may write there/)
      process.setegid?.(0)
      // Root may close what belongs to others.
      chownSync(dataDir, NOBODY, NOBODY)
      expect(openDataDir({ dataDir })).toHaveLength(1)
      expect(modeOf(dataDir)).toBe('700')
      expect(existsSync(join(dataDir, 'catalog.sqlite'))).toBe(false)
    },
  )

  test('a link to a folder is followed: it is the folder that is closed', () => {
    const dataDir = make('real', 0o755)
    symlinkSync(dataDir, join(folder, 'link'))
    expect(openDataDir({ dataDir: join(folder, 'link') })).toHaveLength(1)
    expect(modeOf(dataDir)).toBe('700')
  })
})
