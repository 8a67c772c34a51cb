import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { openDataDir } from './data-dir.ts'

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-layout-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const refusal = () => {
  try {
    openDataDir({ dataDir })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test('a data directory says how its records are laid out, from the first start on, and later ones go on [SEC-60~]', async () => {
  await (await startWholeServer(dataDir)).close()
  expect(readFileSync(join(dataDir, 'layout'), 'utf8')).toBe('2\n')
  await (await startWholeServer(dataDir)).close()
})

test.each([
  [
    'no file says it',
    undefined,
    'an older version of Usher, which keeps its records in another way (layout 1, this version: 2)',
  ],
  [
    'the number is lower',
    '1\n',
    'an older version of Usher, which keeps its records in another way (layout 1, this version: 2)',
  ],
  [
    'the number is higher',
    '3\n',
    'a newer version of Usher, which keeps its records in another way (layout 3, this version: 2)',
  ],
  ['the file says nothing', 'two\n', 'an older version of Usher'],
])('one that is laid out in another way is refused with what to do, and left as it is: %s', (_case, layout, said) => {
  mkdirSync(join(dataDir, 'profiles'))
  writeFileSync(join(dataDir, 'profiles', 'CURRENT'), 'MANIFEST-000001\n')
  if (layout !== undefined) writeFileSync(join(dataDir, 'layout'), layout)
  const before = readdirSync(dataDir)
  expect(refusal()).toContain(said)
  expect(refusal()).toMatch(
    /Nothing was changed\. Start the version that wrote it, or begin anew in an empty folder \(--data-dir/,
  )
  expect(readdirSync(dataDir)).toEqual(before)
})

test('an empty folder, or one in which nothing was begun, is of no layout', () => {
  writeFileSync(join(dataDir, 'catalog.sqlite'), '')
  expect(refusal()).toBe(undefined)
})
