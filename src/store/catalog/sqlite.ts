import { type CompiledQuery, Kysely, SqliteDialect } from 'kysely'
import Libsql from 'libsql'
import type { Tables } from './tables.ts'

/** The engine below the catalogue. All SQL that only SQLite understands is in this file. */
export interface CatalogEngine {
  readonly db: Kysely<Tables>
  /** A second connection that sees one state for as long as it is open, whatever is written meanwhile. */
  openSnapshot(): Snapshot
  close(): Promise<void>
}

export interface Snapshot {
  /** Runs a compiled query at once. A page of 500 rows takes about a millisecond. */
  rows<Row>(query: CompiledQuery<Row>): Row[]
  close(): void
}

const BUSY_SECONDS = 5

/** @param file path of the database; its folder must exist */
export function openSqlite(file: string): CatalogEngine {
  const database = new Libsql(file, { timeout: BUSY_SECONDS })
  // Definitions are always durable on disk, whatever level events have [OPS-24].
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  return {
    db,
    openSnapshot: () => openSnapshot(file),
    // Kysely closes the database only if it has ever used it.
    close: async () => {
      await db.destroy()
      if (database.open) database.close()
    },
  }
}

function openSnapshot(file: string): Snapshot {
  const reader = new Libsql(file, { timeout: BUSY_SECONDS })
  reader.exec('PRAGMA query_only = ON; BEGIN')
  return {
    rows: <Row>({ sql, parameters }: CompiledQuery<Row>) => reader.prepare(sql).all(parameters) as Row[],
    close() {
      if (reader.open) reader.close()
    },
  }
}
