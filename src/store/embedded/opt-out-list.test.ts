import { lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startKey } from '../keys.ts'
import { openRecord, sealRecord } from '../record.ts'
import { Kind } from '../record-kinds.ts'
import type { RecordStore } from '../record-store.ts'
import { openEmbeddedRecordStore } from './embedded-record-store.ts'
import { openLevel } from './level.ts'

let folder = ''
let log: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usher-opt-outs-'))
  log = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const profiles = () => join(folder, 'profiles')
const list = () => join(folder, 'opt-outs.list')
const open = () =>
  openEmbeddedRecordStore({
    folder: profiles(),
    optOutList: list(),
    durability: 'disk',
    log: (event) => log.push(event),
  })

function keyOf(number: number): Buffer {
  const key = startKey(number, Kind.optOut, 16)
  key.fill(number, 3)
  return key
}

async function optOut(store: RecordStore, number: number, revision = 1): Promise<void> {
  const record = sealRecord(1, revision, Buffer.from([number]))
  await store.commit({ puts: [{ key: keyOf(number), record }], deletes: [] })
}

async function revisionsOf(store: RecordStore, numbers: readonly number[]): Promise<(number | undefined)[]> {
  const records = await store.getMany(numbers.map(keyOf))
  return records.map((record) => record && openRecord(record).revision)
}

const NUMBERS = [1, 2, 3, 4, 5]

async function optOutAll(): Promise<void> {
  const store = await open()
  for (const number of NUMBERS) await optOut(store, number)
  await optOut(store, 3, 2)
  await store.close()
}

test('without the database every opt-out is there from the list, as it was last [SEC-79] [SEC-90~]', async () => {
  await optOutAll()
  await rm(profiles(), { recursive: true })
  const store = await open()
  expect(await revisionsOf(store, NUMBERS)).toEqual([1, 1, 2, 1, 1])
  await store.close()
  expect(log).toContain('store.opt_outs_put_back')
})

test('of an older opt-out in the database and a later one in the list, the later one holds [SEC-60] [SEC-79]', async () => {
  await optOutAll()
  const level = await openLevel(profiles())
  const batch = level.batch()
  batch.put(keyOf(3), sealRecord(1, 1, Buffer.from([3])))
  batch.put(keyOf(4), sealRecord(1, 7, Buffer.from([4])))
  await batch.write(true)
  await level.close()
  const store = await open()
  expect(await revisionsOf(store, NUMBERS)).toEqual([1, 1, 2, 7, 1])
  await store.close()
})

test('without the list it is made anew from the database [SEC-79]', async () => {
  await optOutAll()
  const before = await readFile(list(), 'utf8')
  await rm(list())
  await (await open()).close()
  await rm(profiles(), { recursive: true })
  const store = await open()
  expect(await revisionsOf(store, NUMBERS)).toEqual([1, 1, 2, 1, 1])
  await store.close()
  expect(before).not.toBe('')
})

test('a damaged line is left out, told, and written anew from the database; a line that broke off hurts no other [SEC-60]', async () => {
  await optOutAll()
  const lines = (await readFile(list(), 'utf8')).split('\n').filter((line) => line !== '')
  const damaged = lines.map((line, i) => (i === 1 ? line.replace('A', 'B') : line)).join('\n')
  await writeFile(list(), damaged.slice(0, -4))
  {
    const store = await open()
    await optOut(store, 6)
    await store.close()
  }
  expect(log).toContain('store.opt_out_list_damaged')
  await rm(profiles(), { recursive: true })
  const store = await open()
  expect(await revisionsOf(store, [...NUMBERS, 6])).toEqual([1, 1, 2, 1, 1, 1])
  await store.close()
})

test('a damaged list is kept before it is written anew, and told: lost only with what the database lost too [SEC-60]', async () => {
  await optOutAll()
  const whole = await readFile(list(), 'utf8')
  const flipped = whole.replace(/A(?=[^A]*$)/, 'B')
  for (const damaged of [flipped, 'garbage']) {
    await writeFile(list(), damaged)
    const store = await open()
    const told = store.damage().at(-1)
    expect(told).toMatchObject({ file: 'opt-outs.list', kind: 'optOuts', places: 1, isLost: false })
    expect(await readFile(told?.setAside ?? '', 'utf8')).toBe(damaged)
    // The running server sees it, too.
    expect(await store.checkFiles()).toEqual(store.damage())
    const mended = (await readFile(list(), 'utf8')).trim().split('\n')
    expect(mended.filter((line) => whole.includes(line))).toHaveLength(NUMBERS.length)
    expect(mended).toHaveLength(NUMBERS.length)
    await writeFile(list(), flipped)
    expect((await store.checkFiles()).at(-1)).toEqual({
      ...{ file: 'opt-outs.list', kind: 'optOuts', ranges: [] },
      places: 1,
      bytes: expect.any(Number),
      isLost: false,
    })
    await store.close()
  }
  // A line that only broke off is what a crash leaves.
  await writeFile(list(), whole.slice(0, -4))
  const store = await open()
  expect(await store.checkFiles()).toHaveLength(2)
  await store.close()
})

test('a damaged list that cannot be kept stays as it is, and opt-outs are taken [SEC-60] [SEC-61]', async () => {
  await optOutAll()
  const damaged = (await readFile(list(), 'utf8')).replace(/A(?=[^A]*$)/, 'B')
  await writeFile(list(), damaged)
  await writeFile(join(profiles(), 'damaged'), 'in the way')
  const store = await open()
  await optOut(store, 6)
  expect(log).toContain('store.opt_out_list_unkept')
  expect((await readFile(list(), 'utf8')).startsWith(damaged)).toBe(true)
  await store.close()
})

test('an opt-out is accepted when its second copy cannot be written, and made up for at the next start [SEC-61]', async () => {
  const store = await open()
  await rm(list(), { force: true })
  await mkdir(list())
  await optOut(store, 1)
  expect(log).toContain('store.opt_out_list_unwritten')
  expect(await revisionsOf(store, [1])).toEqual([1])
  await rm(list(), { recursive: true })
  await optOut(store, 2)
  await store.close()
  await rm(profiles(), { recursive: true })
  const again = await open()
  expect(await revisionsOf(again, [1, 2])).toEqual([1, 1])
  await again.close()
})

test('a list that cannot be read is a sentence with what to do', async () => {
  await mkdir(list(), { recursive: true })
  await expect(open()).rejects.toThrow(
    /opt-outs\.list cannot be read: it is no file.*move it away, and it is made anew/,
  )
})

describe('a list that was put somewhere else', () => {
  const elsewhere = () => join(folder, 'other', 'list')
  const openWith = (optOutKeyCheck: string) =>
    openEmbeddedRecordStore({ folder: profiles(), optOutList: elsewhere(), optOutKeyCheck, durability: 'disk' })
  const put = async (content: string) => {
    await mkdir(join(folder, 'other'), { recursive: true })
    await writeFile(elsewhere(), content)
  }

  test('says in its first line whose it is, also after it was written anew [SEC-79]', async () => {
    await put('')
    for (const number of [1, 2]) {
      const store = await openWith('ours')
      await optOut(store, number)
      await store.close()
      expect((await readFile(elsewhere(), 'utf8')).split('\n')[0]).toMatch(/^usher-opt-outs:ours [0-9a-f]+$/)
    }
    await put((await readFile(elsewhere(), 'utf8')).replace('A', 'B'))
    await (await openWith('ours')).close()
    await rm(profiles(), { recursive: true })
    const again = await openWith('ours')
    expect(await revisionsOf(again, [1, 2])).toEqual([1, 1])
    await again.close()
  })

  test('is refused and left as it is when it is of another installation, or no list', async () => {
    await put('')
    const store = await openWith('theirs')
    await optOut(store, 1)
    await store.close()
    const theirs = await readFile(elsewhere(), 'utf8')
    await rm(profiles(), { recursive: true })
    for (const content of [
      theirs,
      'notes of somebody\n',
      '\x89PNG\r\n\x1a\n',
      theirs.split('\n').slice(1).join('\n'),
    ]) {
      await put(content)
      await expect(openWith('ours')).rejects.toThrow(/list of opt-outs of.* installation/)
      expect(await readFile(elsewhere(), 'utf8')).toBe(content)
    }
  })

  test('is taken without a first line, and gets one, when the store knows one of its opt-outs', async () => {
    await optOutAll()
    await put(await readFile(list(), 'utf8'))
    await (await openWith('ours')).close()
    expect(await readFile(elsewhere(), 'utf8')).toMatch(/^usher-opt-outs:ours /)
    await rm(profiles(), { recursive: true })
    const store = await openWith('ours')
    expect(await revisionsOf(store, NUMBERS)).toEqual([1, 1, 2, 1, 1])
    await store.close()
  })

  test('stays behind the link that leads to it', async () => {
    await put('')
    await rm(elsewhere())
    await writeFile(join(folder, 'other', 'real'), '')
    await symlink('real', elsewhere())
    const store = await openWith('ours')
    await store.close()
    expect((await lstat(elsewhere())).isSymbolicLink()).toBe(true)
    expect(await readFile(join(folder, 'other', 'real'), 'utf8')).toMatch(/^usher-opt-outs:ours /)
  })
})

test('names nobody: only keyed hashes and sealed records, readable by this user alone [SEC-79]', async () => {
  await optOutAll()
  for (const line of (await readFile(list(), 'utf8')).split('\n').filter((line) => line !== ''))
    expect(line).toMatch(/^[A-Za-z0-9+/]{26}== [A-Za-z0-9+/=]+ [0-9a-f]{1,8}$/)
})
