import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readLog } from './files/log-file.ts'
import { writeLogFile } from './mend-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-mend-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Record n is n bytes of it, larger ones over many blocks. */
const record = (bytes: number, n: number) => Buffer.alloc(bytes, n)

test.each([
  ['nothing', []],
  ['a few', [record(1, 1), record(0, 2), record(500, 3)]],
  ['several megabytes', Array.from({ length: 60 }, (_, n) => record(70_000 + n, n))],
  ['one of three megabytes', [record(3 * 1024 * 1024, 7), record(5, 8)]],
])('a log that is written anew holds every record in its order: %s [SEC-60~]', async (_, records) => {
  const path = join(folder, '000001.log')
  await writeLogFile(path, records)
  const found: Buffer[] = []
  for await (const item of readLog(path)) {
    if (item.kind !== 'record') expect.unreachable('it is damaged')
    found.push(item.content)
  }
  expect(found.length).toBe(records.length)
  expect(found.every((one, at) => one.equals(records[at] as Buffer))).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})
