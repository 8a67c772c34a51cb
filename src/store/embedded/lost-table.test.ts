// Slow: damages stores of some megabytes.
import { mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repairFolder } from './repair-folder.ts'
import { contentOf, filesOf, makeRottenStore, type RottenStore, readEverything } from './rotten-store.conformance.ts'
import { SetAside } from './set-aside.ts'

/** Tables of which nothing is left. */
let rotten: RottenStore
beforeAll(async () => {
  rotten = await makeRottenStore(7)
})
afterAll(() => rotten[Symbol.asyncDispose]())

const tablesOf = (folder: string) => filesOf(folder, /\.ldb$/)
const repair = async (folder: string) => {
  const aside = new SetAside(join(folder, 'damaged'), () => 0)
  const damage = await repairFolder(folder, aside)
  await aside.settle()
  return damage
}

test.each([
  ['emptied', (path: string) => truncate(path, 0)],
  ['cut off at its beginning', (path: string) => truncate(path, 100)],
  ['full of zeros', async (path: string) => writeFile(path, Buffer.alloc((await stat(path)).size))],
])(
  'a table that is %s is told as lost once, at a start and in a repair, and is out of the way then [SEC-60]',
  async (_how, spoil) => {
    for (const mend of [async (folder: string) => (await readEverything(folder)).damage, repair]) {
      const folder = await rotten.copy()
      const [file = ''] = await tablesOf(folder)
      const { size } = await stat(join(folder, file))
      await spoil(join(folder, file))
      expect(await mend(folder)).toMatchObject([{ file, kind: 'table', isLost: true, bytes: size }])
      await repair(folder)
      const { found, checked } = await readEverything(folder)
      expect(checked).toEqual([])
      expect(found.size).toBeGreaterThan(0)
    }
  },
)

test('a repair without one table, or without any, says which are lost [SEC-60]', async () => {
  const all = (await tablesOf(rotten.folder)).length
  expect(all).toBeGreaterThan(1)
  for (const count of [1, all]) {
    const folder = await rotten.copy()
    const gone = (await tablesOf(folder)).slice(0, count)
    for (const file of gone) await rm(join(folder, file))
    const damage = await repair(folder)
    const lost = damage.filter(({ isLost }) => isLost).toSorted((a, b) => a.file.localeCompare(b.file))
    expect(lost).toEqual(
      gone.map((file) => expect.objectContaining({ file, kind: 'table', ranges: [expect.anything()] })),
    )
    expect((await readEverything(folder)).checked).toEqual([])
  }
})

test('where a folder stands in the place of CURRENT, start and repair say what to do, and change nothing [SEC-60~]', async () => {
  const folder = await rotten.copy()
  await rm(join(folder, 'CURRENT'))
  await mkdir(join(folder, 'CURRENT'))
  const before = await contentOf(folder)
  await expect(readEverything(folder)).rejects.toThrow(/CURRENT, .* is a folder; move it away first/)
  await expect(repair(folder)).rejects.toThrow(/CURRENT, .* is a folder; move it away first/)
  expect(await contentOf(folder)).toEqual(before)
})

test('a list of opt-outs that is missing starts no search for damage that nobody complained of', async () => {
  const folder = await rotten.copy()
  await rm(join(folder, 'opt-outs.list'))
  const said: string[] = []
  expect((await readEverything(folder, { log: (event) => said.push(event) })).checked).toEqual([])
  expect(said).not.toContain('store.damage_not_found')
})
