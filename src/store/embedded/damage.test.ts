// Slow: damages stores of some megabytes in hundreds of places.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scanned } from '../../testkit/scanned.ts'
import { keyName, startKey } from '../keys.ts'
import { openRecord, sealRecord } from '../record.ts'
import { Kind } from '../record-kinds.ts'
import { type RecordStore, StoreUnavailableError } from '../record-store.ts'
import { openEmbeddedRecordStore } from './embedded-record-store.ts'
import { readLog } from './files/log-file.ts'
import { readEntries, readHandle, TRAILER_BYTES } from './files/table-block.ts'
import { readAt, readFrame } from './files/table-file.ts'
import { StoreLockedError } from './level.ts'
import { repairFolder } from './repair-folder.ts'
import {
  contentOf,
  damageFile,
  filesOf,
  flipBit,
  makeRottenStore,
  type RottenStore,
  randomFrom,
  readEverything,
} from './rotten-store.conformance.ts'
import { SetAside } from './set-aside.ts'

const SEED = Math.floor(Math.random() * 2 ** 31)
let rotten: RottenStore
beforeAll(async () => {
  console.log(`damage.test.ts: seed ${SEED}`)
  rotten = await makeRottenStore(SEED)
})
afterAll(() => rotten[Symbol.asyncDispose]())

type Found = ReadonlyMap<string, Buffer>

/** Keys that do not read as they were written last. */
function missingFrom(found: Found): string[] {
  const isThere = (name: string, last: Buffer | undefined) => last?.equals(found.get(name) ?? Buffer.alloc(0))
  return [...rotten.history]
    .filter(([name, records]) => (records.at(-1) === undefined ? found.has(name) : !isThere(name, records.at(-1))))
    .map(([name]) => name)
}

/** What was never written. */
function inventedIn(found: Found): string[] {
  const wasWritten = (name: string, record: Buffer) => rotten.history.get(name)?.some((known) => known?.equals(record))
  return [...found].filter(([name, record]) => !wasWritten(name, record)).map(([name]) => name)
}

function partitionOf(name: string): number {
  return (name.charCodeAt(0) << 8) | name.charCodeAt(1)
}

/** Keys that do not read by themselves as they were written last. */
async function readEach(store: RecordStore): Promise<string[]> {
  const names = [...rotten.history.keys()]
  const records = await store.getMany(names.map((name) => Buffer.from(name, 'latin1')))
  return missingFrom(
    new Map(names.flatMap((name, i) => (records[i] === undefined ? [] : [[name, records[i]] as const]))),
  )
}

const isOptOut = (name: string) => name.charCodeAt(2) === Kind.optOut

async function damagedLog(at: (bytes: number) => number, bytes: number, change: (part: Buffer) => void) {
  const folder = await rotten.copy()
  const [file = ''] = await filesOf(folder, /\.log$/)
  const { size } = await stat(join(folder, file))
  const place = at(size)
  return { folder, file, place, content: await damageFile(join(folder, file), place, bytes, change) }
}

async function damagedTable(random: (below: number) => number, bytes: number, change: (part: Buffer) => void) {
  const folder = await rotten.copy()
  const tables = await filesOf(folder, /\.ldb$/)
  const file = tables[random(tables.length)] as string
  const { size } = await stat(join(folder, file))
  const place = random(size)
  await damageFile(join(folder, file), place, bytes, change)
  return { folder, file, place }
}

test('a sound store reads as it was written, and nothing is said of damage', async () => {
  const { found, damage, checked } = await readEverything(await rotten.copy())
  expect([missingFrom(found), inventedIn(found), damage, checked]).toEqual([[], [], [], []])
})

test('one flipped bit of the log takes nothing away; the damaged log is kept, and it is told once [SEC-60]', async () => {
  const random = randomFrom(SEED)
  for (let i = 0; i < 10; i++) {
    const { folder, file, place, content } = await damagedLog(random, 1, flipBit(random(8)))
    const told: string[] = []
    const { found, damage } = await readEverything(folder, { onDamage: ({ file }) => told.push(file) })
    expect([missingFrom(found), inventedIn(found)], `seed ${SEED}, place ${place}`).toEqual([[], []])
    expect(damage, `seed ${SEED}, place ${place}`).toMatchObject([{ file, kind: 'log', places: 1, isLost: false }])
    expect(told).toEqual([file])
    expect((await readFile(damage[0]?.setAside as string)).equals(content)).toBe(true)
    const again = await readEverything(folder, { onDamage: ({ file }) => told.push(file) })
    expect([again.damage.length, told.length, missingFrom(again.found)]).toEqual([1, 1, []])
  }
})

test('of a damaged part of the log only the writes in it are lost, and they are counted [SEC-60]', async () => {
  const random = randomFrom(SEED + 1)
  const [log = ''] = await filesOf(rotten.folder, /\.log$/)
  const starts: number[] = []
  for await (const item of readLog(join(rotten.folder, log))) starts.push(item.at)
  for (const bytes of [16, 16, 100, 512, 512, 4_096, 4_096, 40_000]) {
    // How much is lost can only be told by what stands before it and what follows it.
    const second = starts[1] as number
    const from = (size: number) => second + random(Math.max(1, size - second - bytes - 4_000))
    const { folder, place } = await damagedLog(from, bytes, (part) => part.fill(0))
    const touched = starts.filter((at, i) => (starts[i + 1] ?? Infinity) > place && at < place + bytes).length
    const { found, damage } = await readEverything(folder)
    const where = `seed ${SEED}, ${bytes} bytes at ${place}`
    expect(damage, where).toMatchObject([{ kind: 'log', isLost: true }])
    expect(damage[0]?.writes, where).toBe(touched)
    const missing = missingFrom(found)
    expect(missing.length, where).toBeLessThanOrEqual(touched)
    expect([missing.filter(isOptOut), inventedIn(found)], where).toEqual([[], []])
  }
})

test('a log that a crash cut off is no damage [SEC-57~] [SEC-60]', async () => {
  const random = randomFrom(SEED + 2)
  for (let i = 0; i < 8; i++) {
    const folder = await rotten.copy()
    const [file = ''] = await filesOf(folder, /\.log$/)
    const { size } = await stat(join(folder, file))
    await truncate(join(folder, file), random(size))
    await rm(join(folder, 'clean-stop.json'))
    const { found, damage, checked } = await readEverything(folder)
    expect([damage, checked, inventedIn(found)]).toEqual([[], [], []])
  }
})

test('of a damaged table only what stood in its damaged blocks is lost, no opt-out, and where is told [SEC-60] [SEC-79]', async () => {
  const random = randomFrom(SEED + 3)
  for (let i = 0; i < 9; i++) {
    const bytes = [16, 512, 4_096][i % 3] as number
    const { folder, file, place } = await damagedTable(random, bytes, (part) => part.fill(i % 2 === 0 ? 0 : 0x5a))
    const where = `seed ${SEED}, ${bytes} bytes of ${file} at ${place}`
    const { found, damage, checked } = await readEverything(folder)
    const [told] = checked
    const missing = missingFrom(found)
    if (missing.length > 0) expect(told, where).toMatchObject({ file, kind: 'table', isLost: true })
    const isTold = (partition: number) =>
      told?.ranges.some((range) => partition >= range.firstPartition && partition <= range.lastPartition)
    expect(
      missing.filter((name) => !isTold(partitionOf(name))),
      where,
    ).toEqual([])
    expect([missing.filter(isOptOut), inventedIn(found)], where).toEqual([[], []])
    // What LevelDB could not read is out of its way: the next opening finds nothing more.
    const again = await readEverything(folder)
    expect([again.damage.length, missingFrom(again.found).length], where).toEqual([damage.length, missing.length])
  }
})

test('one flipped bit of a table takes nothing away [SEC-60]', async () => {
  const random = randomFrom(SEED + 4)
  for (let i = 0; i < 8; i++) {
    const { folder, file, place } = await damagedTable(random, 1, flipBit(random(8)))
    const { found, damage } = await readEverything(folder)
    const where = `seed ${SEED}, ${file} at ${place}`
    expect([missingFrom(found), inventedIn(found)], where).toEqual([[], []])
    // Some bits say nothing: a table is filled up with them before its last word.
    for (const told of damage) expect(told, where).toMatchObject({ file, kind: 'table', isLost: false })
  }
})

test('damage that nobody meets is found by reading through, and mended while the store is in use [SEC-60]', async () => {
  const folder = await rotten.copy()
  const [table = ''] = await filesOf(folder, /\.ldb$/)
  const store = await openEmbeddedRecordStore({ folder, durability: 'process', readsThrough: true })
  const before = await damageFile(join(folder, table), 6_000, 1, flipBit(4))
  while (store.damage().length === 0) await sleep(5)
  const [told] = store.damage()
  expect(told).toMatchObject({ file: table, isLost: false })
  expect((await readFile(told?.setAside as string)).equals(before)).toBe(true)
  const records = (await Promise.all(Object.values(Kind).map((kind) => scanned(store, kind)))).flat()
  await store.close()
  const found = new Map(records.map(({ key, record }) => [keyName(key), record]))
  expect([missingFrom(found), inventedIn(found)]).toEqual([[], []])
})

test('a table whose index, filters or end are damaged loses nothing [SEC-60]', async () => {
  const random = randomFrom(SEED + 5)
  for (let i = 0; i < 9; i++) {
    const folder = await rotten.copy()
    const tables = await filesOf(folder, /\.ldb$/)
    const file = tables[i % tables.length] as string
    const { size } = await stat(join(folder, file))
    const bytes = [48, 200, 1_500][i % 3] as number
    await damageFile(join(folder, file), size - bytes, bytes, (part) => part.fill(random(256)))
    const { found, damage } = await readEverything(folder)
    expect([missingFrom(found), inventedIn(found)], `seed ${SEED}, ${file}, last ${bytes}`).toEqual([[], []])
    expect(damage).toMatchObject([{ file, kind: 'table', isLost: false }])
  }
})

test('when the database stops at a damaged block, it is mended and writing goes on [SEC-60] [SEC-61]', async () => {
  const folder = await rotten.copy()
  const [table = ''] = await filesOf(folder, /\.ldb$/)
  const told: string[] = []
  const store = await openEmbeddedRecordStore({
    folder,
    durability: 'process',
    onDamage: ({ file }) => told.push(file),
  })
  await damageFile(join(folder, table), 5_000, 512, (part) => part.fill(0x5a))
  const key = startKey(1, Kind.profile, 1)
  const write = () => store.commit({ puts: [{ key, record: sealRecord(1, 1, Buffer.from('on')) }], deletes: [] })
  const compact = () => store.reclaim(startKey(0, 0, 0), startKey(4_095, 255, 0))
  await compact()
  await expect(write()).rejects.toThrow(StoreUnavailableError)
  expect(await write()).toBe(true)
  await compact()
  expect(await write()).toBe(true)
  expect(told).toEqual([table])
  // The block held opt-outs: they are back already.
  expect((await readEach(store)).filter(isOptOut)).toEqual([])
  await store.close()
})

test('a damaged filter hides nothing [SEC-60]', async () => {
  const folder = await rotten.copy()
  for (const table of await filesOf(folder, /\.ldb$/)) {
    const path = join(folder, table)
    const file = await open(path)
    const { size } = await file.stat()
    const { filters } = await readFrame(file, size)
    const list = await readAt(file, filters?.at ?? 0, (filters?.bytes ?? 0) + TRAILER_BYTES)
    await file.close()
    const [filter] = readEntries(list as Buffer) ?? []
    const handle = readHandle(filter?.value as Buffer)
    await damageFile(path, handle?.at as number, 400, (part) => part.fill(0))
  }
  const store = await openEmbeddedRecordStore({ folder, durability: 'process' })
  expect(await readEach(store)).toEqual([])
  expect(store.damage().map(({ isLost }) => isLost)).toEqual([false, false, false])
  await store.close()
})

test('what one damaged block hides is not lost with it: older tables are asked once it is out of the way [SEC-60]', async () => {
  const folder = await rotten.copy()
  const tables = await filesOf(folder, /\.ldb$/)
  await damageFile(join(folder, tables.at(-1) as string), 9_000, 600, (part) => part.fill(0x5a))
  const store = await openEmbeddedRecordStore({ folder, durability: 'process' })
  const names = [...rotten.history.keys()]
  const records = await store.getMany(names.map((name) => Buffer.from(name, 'latin1')))
  const [told] = store.damage()
  await store.close()
  expect(told?.ranges.length).toBeGreaterThan(0)
  const found = new Map(names.flatMap((name, i) => (records[i] === undefined ? [] : [[name, records[i]] as const])))
  expect(inventedIn(found)).toEqual([])
  expect(missingFrom(found).length).toBeLessThan(60)
})

test('a damaged or missing list of tables ends in a sentence with what to do, and nothing is changed [SEC-60]', async () => {
  const random = randomFrom(SEED + 6)
  const [list = ''] = await filesOf(rotten.folder, /^MANIFEST/)
  const [log = ''] = await filesOf(rotten.folder, /\.log$/)
  const [table = ''] = await filesOf(rotten.folder, /\.ldb$/)
  const { size } = await stat(join(rotten.folder, list))
  const damages: [string, (folder: string) => Promise<unknown>, RegExp][] = [
    ...Array.from({ length: 6 }, (_, i): (typeof damages)[number] => {
      const at = random(size)
      return [
        `${list} at ${at}`,
        (folder) => damageFile(join(folder, list), at, 1, flipBit(i)),
        /MANIFEST-\d+, the list/,
      ]
    }),
    ['list cut', (folder) => truncate(join(folder, list), 20), /MANIFEST-\d+, the list of tables, is damaged/],
    ['list gone', (folder) => rm(join(folder, list)), /CURRENT names the list of tables .* which is missing/],
    ['CURRENT', (folder) => damageFile(join(folder, 'CURRENT'), 3, 1, flipBit(2)), /CURRENT, .* is damaged/],
    ['CURRENT empty', (folder) => truncate(join(folder, 'CURRENT'), 0), /CURRENT, .* is damaged/],
    ['CURRENT gone', (folder) => rm(join(folder, 'CURRENT')), /CURRENT, .* is missing, but .*ldb is there/],
    ['table gone', (folder) => rm(join(folder, table)), /damaged: \d+\.ldb is missing/],
    ['log gone', (folder) => rm(join(folder, log)), /the log \d+\.log, which .* names, is missing/],
  ]
  for (const [name, damage, reason] of damages) {
    const folder = await rotten.copy()
    await damage(folder)
    const before = await contentOf(folder)
    const opening = openEmbeddedRecordStore({ folder, durability: 'process' })
    await expect(opening, `seed ${SEED}, ${name}`).rejects.toMatchObject({ code: 'store_damaged' })
    await expect(opening).rejects.toThrow(reason)
    await expect(opening).rejects.toThrow(/Nothing was changed.*usher verify --repair --data-dir .*restore a backup/)
    expect(await contentOf(folder), name).toEqual(before)
  }
})

test('a log that is damaged while it is in use loses nothing once the files are looked at [SEC-60]', async () => {
  const folder = await rotten.copy()
  const store = await openEmbeddedRecordStore({ folder, durability: 'process' })
  const key = startKey(1, Kind.profile, 2)
  for (let i = 1; i <= 50; i++)
    await store.commit({ puts: [{ key, record: sealRecord(1, i, Buffer.from('x'.repeat(i))) }], deletes: [] })
  const [log = ''] = await filesOf(folder, /\.log$/)
  await damageFile(join(folder, log), 900, 30, (part) => part.fill(0))
  expect(await store.checkFiles()).toMatchObject([{ file: log, kind: 'log', isLost: false }])
  await store.close()
  const { found, damage } = await readEverything(folder)
  expect(openRecord(found.get(keyName(key)) as Buffer).revision).toBe(50)
  expect(damage).toHaveLength(1)
})

test('a folder that another process has open is left alone, however damaged [SEC-60]', async () => {
  const folder = await rotten.copy()
  const [table = ''] = await filesOf(folder, /\.ldb$/)
  const open = `const db = new (require('classic-level').ClassicLevel)(process.argv[1])
    db.open().then(() => { console.log('open'); setInterval(() => {}, 1000) })`
  const owner = spawn(process.execPath, ['-e', open, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(owner.stdout, 'data')
    const { size } = await stat(join(folder, table))
    await damageFile(join(folder, table), size - 30, 30, (part) => part.fill(0))
    const before = await contentOf(folder)
    await expect(openEmbeddedRecordStore({ folder, durability: 'process' })).rejects.toThrow(StoreLockedError)
    expect(await contentOf(folder)).toEqual(before)
  } finally {
    owner.kill('SIGKILL')
    await once(owner, 'exit')
  }
  const { damage, found } = await readEverything(folder)
  expect([damage.map(({ file }) => file), missingFrom(found)]).toEqual([[table], []])
})

test('a repair makes a folder with a damaged list of tables whole again [SEC-60]', async () => {
  const random = randomFrom(SEED + 7)
  const [list = ''] = await filesOf(rotten.folder, /^MANIFEST/)
  const [log = ''] = await filesOf(rotten.folder, /\.log$/)
  const tables = await filesOf(rotten.folder, /\.ldb$/)
  const { size } = await stat(join(rotten.folder, list))
  const at = random(size)
  const damages: [string, (folder: string) => Promise<unknown>, string[]][] = [
    [`${list} at ${at}`, (folder) => damageFile(join(folder, list), at, 1, flipBit(random(8))), [list]],
    ['list zeroed', (folder) => damageFile(join(folder, list), 30, 40, (part) => part.fill(0)), [list]],
    ['list gone', (folder) => rm(join(folder, list)), ['CURRENT']],
    ['CURRENT', (folder) => damageFile(join(folder, 'CURRENT'), 3, 1, flipBit(2)), ['CURRENT']],
    ['CURRENT gone', (folder) => rm(join(folder, 'CURRENT')), ['CURRENT']],
    [
      'both',
      (folder) => Promise.all([rm(join(folder, 'CURRENT')), truncate(join(folder, list), 50)]),
      [list, 'CURRENT'],
    ],
    [
      'list and log',
      async (folder) => {
        await truncate(join(folder, list), 50)
        await damageFile(join(folder, log), 5_000, 1, flipBit(1))
      },
      [log, list],
    ],
  ]
  for (const [name, damage, files] of damages) {
    const folder = await rotten.copy()
    await damage(folder)
    const aside = new SetAside(join(folder, '..', 'damaged'), () => 0)
    const told = await repairFolder(folder, aside)
    expect(
      told.map(({ file, isLost }) => [file, isLost]),
      `seed ${SEED}, ${name}`,
    ).toEqual(files.map((file) => [file, false]))
    const { found, damage: left } = await readEverything(folder)
    expect([missingFrom(found), inventedIn(found), left], `seed ${SEED}, ${name}`).toEqual([[], [], []])
  }

  const folder = await rotten.copy()
  await rm(join(folder, tables[1] as string))
  const told = await repairFolder(folder, new SetAside(join(folder, '..', 'damaged'), () => 0))
  expect(told).toMatchObject([
    { file: list, isLost: false },
    { file: tables[1], kind: 'table', isLost: true },
  ])
  const { found } = await readEverything(folder)
  expect([missingFrom(found).filter(isOptOut), inventedIn(found)]).toEqual([[], []])
  expect(missingFrom(found).length).toBeGreaterThan(0)
})
