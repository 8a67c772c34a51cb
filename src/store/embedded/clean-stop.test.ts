// Slow: starts and kills processes.
import { existsSync } from 'node:fs'
import { rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repairFolder } from './repair-folder.ts'
import { filesOf, makeRottenStore, type RottenStore, readEverything } from './rotten-store.conformance.ts'
import { SetAside } from './set-aside.ts'

/** A store that was closed in good order, and lost the end of its log afterwards. */
let rotten: RottenStore
beforeAll(async () => {
  rotten = await makeRottenStore(11)
})
afterAll(() => rotten[Symbol.asyncDispose]())

async function shortenedBy(bytes: (size: number) => number) {
  const folder = await rotten.copy()
  const [file = ''] = await filesOf(folder, /\.log$/)
  const { size } = await stat(join(folder, file))
  await truncate(join(folder, file), size - bytes(size))
  return { folder, file, bytes: bytes(size) }
}

test.each([
  ['half of its log', (size: number) => Math.floor(size / 2)],
  ['all of its log', (size: number) => size],
  ['one byte', () => 1],
])('after a clean stop %s that is gone is told once, by a start and by a repair [SEC-60]', async (_what, share) => {
  const { folder, file, bytes } = await shortenedBy(share)
  const lost = { file, kind: 'log', bytes, isLost: true }
  const told: string[] = []
  const { damage } = await readEverything(folder, { onDamage: (one) => told.push(one.file) })
  expect(damage).toMatchObject([lost])
  expect((await readEverything(folder, { onDamage: (one) => told.push(one.file) })).damage).toHaveLength(1)
  expect(told).toEqual([file])

  const other = await shortenedBy(share)
  expect(await repairFolder(other.folder, new SetAside(join(other.folder, 'damaged'), () => 0))).toMatchObject([lost])
  expect((await readEverything(other.folder)).damage).toHaveLength(1)
})

test('without the note of a clean stop, or with one that is not whole, a short log is what a crash leaves [SEC-57~]', async () => {
  for (const spoil of [(note: string) => rm(note), (note: string) => writeFile(note, '{"00')]) {
    const { folder } = await shortenedBy(() => 1_000)
    await spoil(join(folder, 'clean-stop.json'))
    expect((await readEverything(folder)).damage).toEqual([])
  }
})

test('the note is gone while the store is open, so that a crash finds none [SEC-57~]', async () => {
  const folder = await rotten.copy()
  const isNoted = () => existsSync(join(folder, 'clean-stop.json'))
  const seen = [isNoted()]
  await readEverything(folder, {}, () => {
    seen.push(isNoted())
    return true
  })
  expect([...seen, isNoted()]).toEqual([true, false, true])
})
