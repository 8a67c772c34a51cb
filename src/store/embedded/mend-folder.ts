import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Damage } from '../damage.ts'
import { tableDamage } from './check-folder.ts'
import { readLog, writeLog } from './files/log-file.ts'
import { type ListedTable, tableName } from './files/table-list.ts'
import { repairTable } from './files/table-repair.ts'
import { firstCommits, readBatch } from './files/write-batch.ts'
import type { SetAside } from './set-aside.ts'

/** Where a mended file is made before it takes its place. */
const UNFINISHED = 'unfinished'
/** Written at a time. */
const WRITE_BYTES = 1024 * 1024

/**
 * Puts logs that hold every readable write in the place of damaged ones, with the numbers that the writes have: LevelDB
 * replays them as if nothing had happened. Nobody may have the folder open.
 */
export async function mendLogs(folder: string, damaged: readonly Damage[], aside: SetAside): Promise<Damage[]> {
  const mended: Damage[] = []
  for (const damage of damaged) {
    const path = join(folder, damage.file)
    const copy = await unfinished(aside)
    await writeLogFile(copy, await readableWrites(path))
    mended.push(await aside.replace(path, damage, copy))
  }
  return mended
}

export async function writeLogFile(path: string, records: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    let parts: Buffer[] = []
    let bytes = 0
    for (const part of writeLog(records)) {
      parts.push(part)
      bytes += part.length
      if (bytes < WRITE_BYTES) continue
      await file.writeFile(Buffer.concat(parts))
      parts = []
      bytes = 0
    }
    await file.writeFile(Buffer.concat(parts))
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** The writes of a log in their order, beginnings of lost ones included. */
async function readableWrites(path: string): Promise<Buffer[]> {
  const writes: { content: Buffer; sequence: number; count: number; isFound: boolean }[] = []
  const add = (content: Buffer | undefined, isFound: boolean): void => {
    const batch = content === undefined ? undefined : readBatch(content)
    if (batch !== undefined) writes.push({ content: content as Buffer, ...batch, isFound })
  }
  for await (const item of readLog(path)) {
    if (item.kind === 'record') add(item.content, item.isFound)
    else if (item.beginning !== undefined) add(firstCommits(item.beginning), true)
  }
  // What was found by looking may be a piece of what somebody sent: only its number proves that it stands where it stood.
  return writes
    .filter(({ sequence, count, isFound }, i) => {
      if (!isFound) return true
      const before = writes.slice(0, i).findLast((write) => !write.isFound)
      const after = writes.slice(i + 1).find((write) => !write.isFound)
      const isAfter = before === undefined || sequence >= before.sequence + before.count
      return isAfter && (after === undefined || sequence + count <= after.sequence)
    })
    .map(({ content }) => content)
}

/** Puts readable copies in the place of damaged tables. Nobody may have the folder open. */
export async function mendTables(folder: string, tables: readonly ListedTable[], aside: SetAside): Promise<Damage[]> {
  const mended: Damage[] = []
  for (const table of tables) {
    const file = tableName(table.number)
    const path = join(folder, file)
    const copy = await unfinished(aside)
    const damage = await repairTable(path, table, copy)
    if (damage !== undefined) mended.push(await aside.replace(path, tableDamage(file, damage), copy))
  }
  return mended
}

async function unfinished(aside: SetAside): Promise<string> {
  await mkdir(aside.folder, { recursive: true, mode: 0o700 })
  const path = join(aside.folder, UNFINISHED)
  await rm(path, { force: true })
  return path
}
