import { type CompiledQuery, Kysely } from 'kysely'
import Libsql from 'libsql'
import { sqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

/** The engine below the catalogue. All SQL that only SQLite understands is here and in `sqlite-dialect.ts`. */
export interface CatalogEngine {
  readonly db: Kysely<Tables>
  /** A second connection that sees one state for as long as it is open, whatever is written meanwhile. */
  openSnapshot(): Snapshot
  close(): Promise<void>
}

export interface Snapshot {
  /** Rows of a query, taken from the engine 100 at a time as they are asked for. */
  rows<Row>(query: CompiledQuery<Row>): Iterable<Row>
  close(): void
}

const BUSY_SECONDS = 5
// Definitions are always durable on disk, whatever level events have [OPS-24].
const PRAGMAS = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON'

/**
 * @param file path of the database; its folder must exist
 * @param onFull told before the caller when something could not be written because there is no room: DiskFullError
 */
export function openSqlite(file: string, onFull: (error: unknown) => void = () => {}): CatalogEngine {
  const db = new Kysely<Tables>({
    dialect: sqliteDialect({ file, busySeconds: BUSY_SECONDS, pragmas: PRAGMAS, onFull }),
  })
  return {
    db,
    openSnapshot: () => openSnapshot(file),
    close: () => db.destroy(),
  }
}

function openSnapshot(file: string): Snapshot {
  const reader = new Libsql(file, { timeout: BUSY_SECONDS })
  reader.exec('PRAGMA query_only = ON; BEGIN')
  return {
    rows: <Row>({ sql, parameters }: CompiledQuery<Row>) => reader.prepare(sql).iterate(parameters) as Iterable<Row>,
    close() {
      if (reader.open) reader.close()
    },
  }
}
