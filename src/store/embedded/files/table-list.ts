import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readLog } from './log-file.ts'
import { NumberReader, varintBytes } from './varint.ts'

/** A table of the list: a file of records in the order of their keys. */
export interface ListedTable {
  readonly number: number
  readonly level: number
  readonly bytes: number
  /** First and last key of the store that it may hold. */
  readonly smallest: Buffer
  readonly largest: Buffer
}

/** What LevelDB's MANIFEST says: the tables there are, and from which log on they must be completed. */
export interface TableList {
  readonly file: string
  readonly tables: ReadonlyMap<number, ListedTable>
  readonly logNumber: number
}

/** Why there is no list to go by, in words that end a sentence about the folder. */
export class TableListError extends Error {
  readonly code = 'table_list_damaged'
  /** The file that is to blame. */
  readonly file: string

  constructor(file: string, message: string) {
    super(message)
    this.file = file
  }
}

const Tag = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const
/** A key inside LevelDB ends with its number and kind. */
const KEY_TAIL_BYTES = 8

/**
 * Reads which tables a folder of LevelDB consists of, and changes nothing.
 * @returns undefined when the folder is new
 * @throws TableListError when CURRENT or the list is damaged, or a file that it names is missing: LevelDB would then stop, or
 * take the folder for an empty one and delete what is in it
 */
export async function readTableList(folder: string): Promise<TableList | undefined> {
  const file = await readCurrent(folder, await namesIn(folder))
  if (file === undefined) return undefined
  const list = await readEdits(folder, file)
  await checkFiles(folder, list)
  return list
}

/** @throws TableListError when a file that the list needs is missing */
async function checkFiles(folder: string, { file, tables, logNumber }: TableList): Promise<void> {
  const names = new Set(await namesIn(folder))
  for (const number of tables.keys())
    if (!names.has(tableName(number))) throw new TableListError(tableName(number), `${tableName(number)} is missing`)
  // LevelDB deletes a log only after the list names a later one: without it, the end of the list is missing.
  if (logNumber !== 0 && !names.has(logName(logNumber)))
    throw new TableListError(logName(logNumber), `the log ${logName(logNumber)}, which ${file} names, is missing`)
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

export function tableName(number: number): string {
  return `${padded(number)}.ldb`
}

export function logName(number: number): string {
  return `${padded(number)}.log`
}

function padded(number: number): string {
  return String(number).padStart(6, '0')
}

async function readCurrent(folder: string, names: readonly string[]): Promise<string | undefined> {
  if (!names.includes('CURRENT')) {
    const left = names.find((name) => /^\d+\.ldb$/.test(name)) ?? (await firstWithContent(folder, names))
    if (left === undefined) return undefined
    throw new TableListError('CURRENT', `CURRENT, which names the list of tables, is missing, but ${left} is there`)
  }
  const text = await readFile(join(folder, 'CURRENT'), 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EISDIR') throw error
    throw new TableListError('CURRENT', 'CURRENT, which names the list of tables, is a folder; move it away first')
  })
  const [, file] = /^(MANIFEST-\d+)\n$/.exec(text) ?? []
  if (file === undefined) throw new TableListError('CURRENT', 'CURRENT, which names the list of tables, is damaged')
  if (!names.includes(file))
    throw new TableListError('CURRENT', `CURRENT names the list of tables ${file}, which is missing`)
  return file
}

async function firstWithContent(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (/^\d+\.log$/.test(name) && (await stat(join(folder, name))).size > 0) return name
  return undefined
}

async function readEdits(folder: string, file: string): Promise<TableList> {
  const read = await readListFile(folder, file)
  if (read === undefined || read.isCorrected) throw new TableListError(file, `${file}, the list of tables, is damaged`)
  return read.list
}

export interface ReadListFile {
  readonly list: TableList
  /** What the file consists of, as `writeLog` takes it. */
  readonly records: Buffer[]
  /** One byte of it was wrong and could be told. */
  readonly isCorrected: boolean
}

/** Reads one list, whether or not it is the current one. @returns undefined when something of it is lost */
export async function readListFile(folder: string, file: string): Promise<ReadListFile | undefined> {
  const tables = new Map<number, ListedTable>()
  const records: Buffer[] = []
  let logNumber: number | undefined
  let isCorrected = false
  for await (const edit of readLog(join(folder, file))) {
    if (edit.kind === 'damage') {
      if (edit.isLost) return undefined
      isCorrected = true
      continue
    }
    const log = edit.isFound ? 'bad' : applyEdit(edit.content, tables)
    if (log === 'bad') return undefined
    logNumber = log ?? logNumber
    records.push(edit.content)
  }
  return logNumber === undefined ? undefined : { list: { file, tables, logNumber }, records, isCorrected }
}

/** A change of the list that takes tables out of it. */
export function removalOf(tables: readonly ListedTable[]): Buffer {
  return Buffer.concat(
    tables.map(({ level, number }) => Buffer.concat([Tag.deletedFile, level, number].map(varintBytes))),
  )
}

/** @returns the number of the log if the change names one */
function applyEdit(content: Buffer, tables: Map<number, ListedTable>): number | undefined | 'bad' {
  const reader = new NumberReader(content)
  let logNumber: number | undefined
  while (!reader.isAtEnd && !reader.isBad) {
    const tag = reader.varint()
    if (tag === Tag.comparator) reader.prefixed()
    else if (tag === Tag.logNumber) logNumber = reader.varint()
    else if (tag === Tag.nextFile || tag === Tag.lastSequence || tag === Tag.previousLog) reader.varint()
    else if (tag === Tag.compactPointer) {
      reader.varint()
      reader.prefixed()
    } else if (tag === Tag.deletedFile) {
      reader.varint()
      tables.delete(reader.varint())
    } else if (tag === Tag.newFile) {
      const table = readTable(reader)
      tables.set(table.number, table)
    } else return 'bad'
  }
  return reader.isBad ? 'bad' : logNumber
}

function readTable(reader: NumberReader): ListedTable {
  const level = reader.varint()
  const number = reader.varint()
  const bytes = reader.varint()
  const [smallest, largest] = [reader.prefixed(), reader.prefixed()].map((key) => key.subarray(0, -KEY_TAIL_BYTES))
  return { number, level, bytes, smallest: smallest as Buffer, largest: largest as Buffer }
}
