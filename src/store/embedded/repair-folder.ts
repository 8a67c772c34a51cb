import { copyFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { type Damage, damagedRange } from '../damage.ts'
import { checkLogs, checkTables } from './check-folder.ts'
import { findShortened, forgetCleanStop } from './clean-stop.ts'
import {
  type ListedTable,
  logName,
  type ReadListFile,
  readListFile,
  readTableList,
  removalOf,
  TableListError,
  tableName,
} from './files/table-list.ts'
import { holdFolder } from './hold-folder.ts'
import { openLevel, StoreUnopenableError } from './level.ts'
import { mendLogs, mendTables, writeLogFile } from './mend-folder.ts'
import { type SetAside, syncFolder } from './set-aside.ts'

type OnProgress = (done: number, total: number) => void

/**
 * Makes a folder one that opens: mends what is damaged in it, and where the list of tables cannot be read, makes a new one
 * of the tables that are there. What is damaged is set aside first. Nobody may have the folder open.
 * @returns what was damaged
 * @throws StoreLockedError when another process has it open
 */
export async function repairFolder(folder: string, aside: SetAside, onProgress?: OnProgress): Promise<Damage[]> {
  const damage: Damage[] = []
  let isRebuilt = false
  {
    await using _held = await holdFolder(folder)
    const cause = await whyNoList(folder)
    const isFolder = (await stat(join(folder, 'CURRENT')).catch(() => undefined))?.isDirectory()
    if (cause !== undefined && isFolder) throw new StoreUnopenableError(`${folder}: ${cause.message}`)
    if (cause !== undefined && !(await restoreList(folder, cause, aside, damage))) {
      damage.push(...(await mend(folder, await tablesIn(folder), 0, aside, onProgress)))
      await rebuildList(folder, cause, aside, damage)
      isRebuilt = true
    } else {
      const list = await readTableList(folder)
      if (list !== undefined)
        damage.push(...(await mend(folder, [...list.tables.values()], list.logNumber, aside, onProgress)))
    }
  }
  if (isRebuilt) await settleLevels(folder)
  return damage
}

async function whyNoList(folder: string): Promise<TableListError | undefined> {
  try {
    await readTableList(folder)
    return undefined
  } catch (error) {
    if (error instanceof TableListError) return error
    throw error
  }
}

async function mend(
  folder: string,
  tables: readonly ListedTable[],
  logNumber: number,
  aside: SetAside,
  onProgress: OnProgress | undefined,
): Promise<Damage[]> {
  const shortened = await Promise.all((await findShortened(folder, logNumber)).map((damage) => aside.missing(damage)))
  await forgetCleanStop(folder)
  const logs = await checkLogs(folder, logNumber)
  const found = await checkTables(folder, tables, { depth: 'whole', ...(onProgress !== undefined && { onProgress }) })
  const damaged = tables.filter(({ number }) => found.some(({ file }) => file === tableName(number)))
  return [...shortened, ...(await mendLogs(folder, logs, aside)), ...(await mendTables(folder, damaged, aside))]
}

/** Every table there is, as if a list had it. */
async function tablesIn(folder: string): Promise<ListedTable[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+\.ldb$/.test(name))
  return Promise.all(
    names.map(async (name) => {
      const { size } = await stat(join(folder, name))
      const ends = { smallest: Buffer.alloc(0), largest: Buffer.alloc(64, 0xff) }
      return { number: Number.parseInt(name, 10), level: 0, bytes: size, ...ends }
    }),
  )
}

/**
 * Where a list is whole, or one byte of it was wrong, it is used again, without the tables that are missing.
 * @returns false when none can be used
 */
async function restoreList(folder: string, cause: TableListError, aside: SetAside, damage: Damage[]): Promise<boolean> {
  const names = new Set(await readdir(folder))
  const lists = listsIn(names)
  for (const file of lists) {
    const read = await readListFile(folder, file)
    if (read === undefined) continue
    const missing = missingOf(read, names)
    if (!names.has(logName(read.list.logNumber)) || (missing.length > 0 && missing.length === read.list.tables.size))
      continue
    if (read.isCorrected || missing.length > 0) await replaceList(folder, read, missing, aside, damage)
    if (cause.file === 'CURRENT') damage.push(await setAsideCurrent(folder, aside))
    await writeCurrent(folder, file)
    return true
  }
  return false
}

/** Newest first. */
function listsIn(names: Iterable<string>): string[] {
  return [...names].filter((name) => /^MANIFEST-\d+$/.test(name)).sort((a, b) => numberOf(b) - numberOf(a))
}

function numberOf(name: string): number {
  return Number(name.slice(name.indexOf('-') + 1))
}

async function replaceList(
  folder: string,
  { list, records, isCorrected }: ReadListFile,
  missing: readonly ListedTable[],
  aside: SetAside,
  damage: Damage[],
): Promise<void> {
  const next = join(folder, `${list.file}.dbtmp`)
  await writeLogFile(next, missing.length === 0 ? records : [...records, removalOf(missing)])
  const places = missing.length + (isCorrected ? 1 : 0)
  const changed: Damage = { file: list.file, kind: 'list', places, bytes: 0, isLost: false, ranges: [] }
  damage.push(await aside.replace(join(folder, list.file), changed, next))
  await noteMissing(missing, aside, damage)
}

async function noteMissing(missing: readonly ListedTable[], aside: SetAside, damage: Damage[]): Promise<void> {
  for (const { number, bytes, smallest, largest } of missing) {
    const ranges = [damagedRange(smallest, largest)]
    damage.push(await aside.missing({ file: tableName(number), kind: 'table', places: 1, bytes, isLost: true, ranges }))
  }
}

function missingOf({ list }: ReadListFile, names: ReadonlySet<string>): ListedTable[] {
  return [...list.tables.values()].filter(({ number }) => !names.has(tableName(number)))
}

async function setAsideCurrent(folder: string, aside: SetAside): Promise<Damage> {
  const damage: Damage = { file: 'CURRENT', kind: 'list', places: 1, bytes: 0, isLost: false, ranges: [] }
  const isThere = (await readdir(folder)).includes('CURRENT')
  return isThere ? aside.replace(join(folder, 'CURRENT'), damage, undefined) : aside.missing(damage)
}

async function writeCurrent(folder: string, list: string): Promise<void> {
  const next = join(folder, 'CURRENT.dbtmp')
  await writeFile(next, `${list}\n`, { mode: 0o600, flush: true })
  await rename(next, join(folder, 'CURRENT'))
  await syncFolder(folder)
}

/** A new list of every table and log that is there. What had been deleted just before may be in it again. */
async function rebuildList(folder: string, cause: TableListError, aside: SetAside, damage: Damage[]): Promise<void> {
  const none = { places: 1, bytes: 0, ranges: [] }
  const names = new Set(await readdir(folder))
  const [newest, ...older] = listsIn(names)
  const read = newest === undefined ? undefined : await readListFile(folder, newest)
  // What an older list names may have gone in its time.
  if (read !== undefined) await noteMissing(missingOf(read, names), aside, damage)
  for (const file of newest === undefined ? [] : [newest, ...older])
    damage.push(await aside.replace(join(folder, file), { ...none, file, kind: 'list', isLost: false }, undefined))
  if (cause.file.endsWith('.log'))
    damage.push(await aside.missing({ ...none, file: cause.file, kind: 'log', isLost: true }))
  if (cause.file === 'CURRENT') damage.push(await setAsideCurrent(folder, aside))
  await ClassicLevel.repair(folder)
  // It keeps what it has read in a folder of its own.
  const lost = join(folder, 'lost')
  for (const name of await readdir(lost).catch(() => [] as string[]))
    await copyFile(join(lost, name), join(aside.folder, `replayed-${name}`))
  await rm(lost, { recursive: true, force: true })
}

/** After a rebuilding every table stands on the first level, where what was written last is not told by its place. */
async function settleLevels(folder: string): Promise<void> {
  const level = await openLevel(folder)
  try {
    await level.compact()
  } finally {
    await level.close()
  }
}
