import { statSync } from 'node:fs'
import Libsql from 'libsql/promise'

interface Database {
  exec(sql: string): Promise<void>
  prepare(sql: string): Promise<{ all(): Promise<unknown[]> }>
  close(): void
}

const BUSY_MS = 5_000
const PROBLEMS_MAX = 20

/**
 * Reads every page of a catalogue's file, off the main thread and beside whoever uses it [SEC-60].
 * @returns what is wrong, in SQLite's words; none when it is whole
 */
export async function checkCatalog(file: string): Promise<readonly string[]> {
  // The engine would make one.
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return ['the file is missing']
  if (stats.size === 0) return ['the file is empty']
  let database: Database | undefined
  try {
    database = new Libsql(file, { timeout: BUSY_MS }) as unknown as Database
    await database.exec('PRAGMA query_only = ON')
    const check = await database.prepare(`PRAGMA integrity_check(${PROBLEMS_MAX})`)
    const rows = (await check.all()) as { readonly integrity_check: string }[]
    return rows.map((row) => row.integrity_check).filter((problem) => problem !== 'ok')
  } catch (error) {
    return [(error as Error).message]
  } finally {
    database?.close()
  }
}
