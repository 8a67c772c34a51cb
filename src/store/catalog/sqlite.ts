import { type CompiledQuery, Kysely, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely'
import Libsql from 'libsql'
import { DiskFullError, isDiskFull } from '../../lib/disk-space.ts'
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

/**
 * @param file path of the database; its folder must exist
 * @param onFull told before the caller when something could not be written because there is no room
 * @throws DiskFullError and so does every query that needs room and finds none
 */
export function openSqlite(file: string, onFull: (error: unknown) => void = () => {}): CatalogEngine {
  const database = new Libsql(file, { timeout: BUSY_SECONDS })
  // Definitions are always durable on disk, whatever level events have [OPS-24].
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: forgiving(database, onFull) }) })
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

/**
 * A full disk ends a transaction of SQLite by itself, so that the rollback which follows fails and hides why: then there is
 * nothing to roll back. What could not be written for want of room says so.
 */
function forgiving(database: InstanceType<typeof Libsql>, onFull: (error: unknown) => void): SqliteDatabase {
  const told = <T>(run: () => T): T => {
    try {
      return run()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      onFull(error)
      throw new DiskFullError(NO_ROOM, { cause: error })
    }
  }
  return {
    prepare(sql) {
      if (sql === 'rollback' && !database.inTransaction) return NOTHING_TO_DO
      const statement = told(() => database.prepare(sql)) as unknown as SqliteStatement
      return {
        reader: statement.reader,
        all: (parameters) => told(() => statement.all(parameters)),
        run: (parameters) => told(() => statement.run(parameters)),
        iterate: (parameters) => statement.iterate(parameters),
      }
    },
    close: () => database.close(),
  }
}

const NOTHING_TO_DO: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [][Symbol.iterator](),
}

const NO_ROOM = 'There is no room left on the disk of the data directory. Free some space, then try again.'

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
