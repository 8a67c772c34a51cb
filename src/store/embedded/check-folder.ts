import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Damage, damagedRange } from '../damage.ts'
import { readLog } from './files/log-file.ts'
import { type ListedTable, type TableList, tableName } from './files/table-list.ts'
import { checkTable, type TableDamage, type TableDepth } from './files/table-repair.ts'
import { readBatch } from './files/write-batch.ts'

export type { TableDepth }

/** The logs that LevelDB replays when it opens, oldest first. */
export async function liveLogs(folder: string, logNumber: number): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+\.log$/.test(name))
  return names
    .filter((name) => Number.parseInt(name, 10) >= logNumber)
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
}

/**
 * Reads the logs as LevelDB will, with another eye: LevelDB leaves out what fails its checksum, and often what follows, says
 * nothing, and deletes the log [SEC-60]. Each write has a number that follows the one before, so that what is missing is
 * counted.
 */
export async function checkLogs(folder: string, logNumber: number): Promise<Damage[]> {
  const found: Damage[] = []
  let expected: number | undefined
  let before: string | undefined
  for (const file of await liveLogs(folder, logNumber)) {
    const log = await checkLog(join(folder, file), expected).catch(ifGone)
    if (log === undefined) continue
    // A crash cuts off the log that is written to, and nothing is written to a later one before it was replayed.
    if (log.missingBefore > 0 && before !== undefined && found.at(-1)?.file !== before)
      found.push({
        file: before,
        kind: 'log',
        places: 1,
        bytes: 0,
        isLost: true,
        writes: log.missingBefore,
        ranges: [],
      })
    if (log.places > 0) {
      const { places, bytes, isLost, writes } = log
      found.push({ file, kind: 'log', places, bytes, isLost, ...(writes !== undefined && { writes }), ranges: [] })
    }
    expected = log.expected
    before = file
  }
  return found
}

/** LevelDB deletes files at any moment while it is open. */
function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

interface CheckedLog {
  readonly places: number
  readonly bytes: number
  readonly isLost: boolean
  /** Lost between the writes that are there; undefined when some may have stood at an end. */
  readonly writes: number | undefined
  /** Writes between the last of the log before and the first of this one. */
  readonly missingBefore: number
  /** The number that the next write has; undefined when it is not known. */
  readonly expected: number | undefined
}

async function checkLog(path: string, expectedFirst: number | undefined): Promise<CheckedLog> {
  let [places, bytes, writes, missingBefore] = [0, 0, 0, 0]
  let [isLost, isOpenEnded, isAfterLoss, isFirst] = [false, false, false, true]
  let expected = expectedFirst
  for await (const item of readLog(path)) {
    if (item.kind === 'damage') {
      places += 1
      bytes += item.bytes
      isLost ||= item.isLost
      isAfterLoss ||= item.isLost
      continue
    }
    const batch = readBatch(item.content)
    if (batch === undefined) continue
    const gap = expected === undefined ? 0 : Math.max(0, batch.sequence - expected)
    if (isAfterLoss && expected === undefined) isOpenEnded = true
    if (isAfterLoss) writes += gap
    else if (isFirst) missingBefore = gap
    expected = batch.sequence + batch.count
    isAfterLoss = false
    isFirst = false
  }
  if (isAfterLoss) isOpenEnded = true
  return {
    places,
    bytes,
    isLost,
    writes: isOpenEnded || !isLost ? undefined : writes,
    missingBefore,
    expected: isAfterLoss ? undefined : expected,
  }
}

export interface TableCheckOptions {
  readonly depth: TableDepth
  /** Called after each table. */
  readonly onProgress?: (done: number, total: number) => void
}

/** The damaged ones of some tables; those that were deleted meanwhile are left out. Changes nothing. */
export async function checkTables(
  folder: string,
  tables: readonly ListedTable[],
  { depth, onProgress }: TableCheckOptions,
): Promise<Damage[]> {
  const found: Damage[] = []
  for (const [i, table] of tables.entries()) {
    const file = tableName(table.number)
    const damage = await checkTable(join(folder, file), table, depth).catch(ifGone)
    if (damage !== undefined) found.push(tableDamage(file, damage))
    onProgress?.(i + 1, tables.length)
  }
  return found
}

export function tableDamage(file: string, { places, bytes, lost }: TableDamage): Damage {
  const ranges = lost.map(({ after, upTo }) => damagedRange(after, upTo))
  return { file, kind: 'table', places, bytes, isLost: lost.length > 0, ranges }
}

/** The tables that may hold a key from `from` to `to`; all without one. */
export function tablesWithin(list: TableList, from?: Buffer, to?: Buffer): ListedTable[] {
  return [...list.tables.values()].filter(
    ({ smallest, largest }) =>
      (to === undefined || Buffer.compare(smallest, to) <= 0) &&
      (from === undefined || Buffer.compare(largest, from) >= 0),
  )
}
