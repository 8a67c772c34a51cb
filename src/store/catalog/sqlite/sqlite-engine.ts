import { Kysely } from 'kysely'
import type { CatalogEngine } from '../engine.ts'
import type { Tables } from '../tables.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

const BUSY_MS = 5_000
// Definitions are always durable on disk, whatever level events have [OPS-24].
const PRAGMAS = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON'
const READER_PRAGMAS = 'PRAGMA query_only = ON'
// A row that was there, or came, under the same key.
const LOST_RACE = /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/

/**
 * A file that one process has open [OPS-23].
 * @param file path of the database; its folder must exist
 * @param onFull told before the caller when something could not be written because there is no room: DiskFullError
 */
export function openSqlite(file: string, onFull: (error: unknown) => void = () => {}): CatalogEngine {
  const open = (pragmas: string) =>
    new Kysely<Tables>({ dialect: sqliteDialect({ file, busyMs: BUSY_MS, pragmas, onFull }) })
  const db = open(PRAGMAS)
  // A connection of its own sees one state for as long as its transaction lasts, whatever is written meanwhile.
  const reader = open(READER_PRAGMAS)
  return {
    db,
    reader,
    columnTypes: { integer: 'integer', text: 'text' },
    isShared: false,
    isLostRace: (error) => error instanceof Error && LOST_RACE.test(String((error as { code?: unknown }).code)),
    async close() {
      await reader.destroy()
      await db.destroy()
    },
  }
}
