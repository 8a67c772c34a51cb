// Slow: starts and kills processes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scanned } from '../../testkit/scanned.ts'
import { openRecord } from '../record.ts'
import { Kind } from '../record-kinds.ts'
import { pairKeys } from './crash-writer.conformance.ts'
import { openEmbeddedRecordStore } from './embedded-record-store.ts'
import { type CompiledWriter, compileWriter, runWriter } from './writer-process.conformance.ts'

const MANY = 1_000_000
let writer: CompiledWriter
let folder: string

beforeAll(async () => {
  writer = await compileWriter()
  folder = await mkdtemp(join(tmpdir(), 'usher-crash-'))
})

afterAll(async () => {
  await writer[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** What a store holds after a crash; opens every record [SEC-60]. */
async function afterCrash(path: string): Promise<{ readonly whole: Set<number>; readonly halves: number[] }> {
  const store = await openEmbeddedRecordStore({ folder: path, durability: 'process' })
  const seen = new Map<number, number>()
  for (const kind of [Kind.profile, Kind.due]) {
    for (const { key, record } of await scanned(store, kind)) {
      openRecord(record)
      const number = key.readUInt32BE(3)
      seen.set(number, (seen.get(number) ?? 0) + 1)
    }
  }
  await store.close()
  const halves = [...seen].filter(([, parts]) => parts !== pairKeys(0).length).map(([number]) => number)
  return { whole: new Set(seen.keys()), halves }
}

test('after SIGKILL at random moments everything acknowledged is there, and nothing half-applied [SEC-57~] [SEC-59~]', async () => {
  const path = join(folder, 'process')
  const acknowledged = new Set<number>()
  let first = 0
  for (let round = 0; round < 10; round++) {
    const level = round < 8 ? 'process' : 'disk'
    const killAt = 1 + Math.floor(Math.random() * 3_000)
    const run = await runWriter(writer.script, [path, level, first, MANY, 300], (lines) => lines >= killAt)
    expect(run.acknowledged.length, `round ${round}, killed at line ${killAt}`).toBeGreaterThanOrEqual(killAt)
    for (const number of run.acknowledged) acknowledged.add(number)
    const { whole, halves } = await afterCrash(path)
    expect([...acknowledged].filter((number) => !whole.has(number))).toEqual([])
    expect(halves).toEqual([])
    first = Math.max(...whole) + 1
  }
})

test('the same check finds what a level loses that acknowledges before the operating system has it [SEC-57~]', async () => {
  const path = join(folder, 'memory')
  const run = await runWriter(writer.script, [path, 'memory', 0, MANY, 300, 'hold'], (lines) => lines >= 200)
  expect(run.acknowledged.length).toBeGreaterThanOrEqual(100)
  const { whole } = await afterCrash(path)
  expect(run.acknowledged.filter((number) => !whole.has(number))).toEqual(run.acknowledged)
})

test.each(['process', 'disk'])('at %s nothing is acknowledged while the write is held up [SEC-58]', async (level) => {
  const run = await runWriter(
    writer.script,
    [join(folder, `held-${level}`), level, 0, MANY, 300, 'hold'],
    (_, line) => line === 'waited',
  )
  expect(run).toEqual({ acknowledged: [], refused: [], words: ['held', 'waited'] })
})

test('when the system refuses a write nobody hears of success, and writing goes on after a reopening [SEC-61]', async () => {
  const path = join(folder, 'full')
  const run = await runWriter(writer.script, [path, 'process', 0, 250, 10_000], () => false, 2 * 1024 * 1024)
  expect(run.words).toEqual(['closed'])
  expect(run.refused.length).toBeGreaterThan(0)
  expect(Math.max(...run.acknowledged)).toBeGreaterThan(run.refused[0] as number)
  const { whole, halves } = await afterCrash(path)
  expect(run.acknowledged.filter((number) => !whole.has(number))).toEqual([])
  expect(halves).toEqual([])
})
