import type { Kysely, RawBuilder } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * The database below the catalogue. Everything else in this folder is written once on top of it, in statements that every
 * engine understands; `describeCatalog` is its definition.
 *
 * What an engine promises of its tables: integers of 64 bits that are read as numbers, texts that compare and sort by the
 * bytes of their UTF-8, a `lower` that knows the letters A to Z alone. So lists have the same order and searches find the
 * same on all of them, in whatever language the machine is set up.
 */
export interface CatalogEngine {
  /** Reads and writes; a transaction that is not declared as reading waits for nobody half-way. */
  readonly db: Kysely<Tables>
  /** For transactions that read only: they see one moment, and neither hold up whoever writes nor wait for them. */
  readonly reader: Kysely<Tables>
  readonly columnTypes: ColumnTypes
  /** Other processes may work on the same definitions: their changes are looked for. */
  readonly isShared: boolean
  /** Somebody else wrote what this transaction was about to: it was rolled back, and may be carried out again. */
  isLostRace(error: unknown): boolean
  /** Asked first of all. @throws when the catalogue cannot be kept in it, saying what to do */
  checkSuitable?(): Promise<void>
  close(): Promise<void>
}

/** Of the tables that migrations make. */
export interface ColumnTypes {
  readonly integer: 'integer' | 'bigint'
  readonly text: 'text' | RawBuilder<unknown>
}
