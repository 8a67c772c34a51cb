import { type Kysely, sql, type Transaction } from 'kysely'
import type { Limits } from './limits.ts'
import type { Vault } from './secrets.ts'
import type { AuthoredRow, Tables } from './tables.ts'

/** What every repository works with. */
export interface Connection {
  readonly db: Kysely<Tables>
  readonly limits: Limits
  readonly vault: Vault
  /**
   * Runs a change in a transaction that also raises the version; listeners hear of it once it is durable. A throw rolls
   * all of it back. No two changes go on at a time, in whatever processes: what one has read holds until it has ended.
   * @param work may be carried out again, after all of it was rolled back
   */
  change<Result>(work: (tx: Transaction<Tables>, nowMs: number) => Promise<Result>): Promise<Result>
}

/** Who made and last changed an object, and when [API-39]. */
export interface Authorship {
  /** Of the row: differs when anything that a draft decides was changed. */
  readonly revision: number
  readonly createdBy: number
  readonly updatedBy: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

export function readAuthorship(row: AuthoredRow): Authorship {
  return {
    revision: row.revision,
    createdBy: row.created_by,
    updatedBy: row.updated_by,
    createdAtMs: Number(row.created_at),
    updatedAtMs: Number(row.updated_at),
  }
}

/** Columns of a new object. @param author user id; 0 is the administrator token */
export function createdBy(author: number, nowMs: number): AuthoredRow {
  return { revision: 1, created_by: author, updated_by: author, created_at: nowMs, updated_at: nowMs }
}

/** For `set` of every update of what a draft decides. */
export function updatedBy(author: number, nowMs: number) {
  return { ...nextRevision, updated_by: author, updated_at: nowMs }
}

/** For an update that nobody is named of. */
export const nextRevision = { revision: sql<number>`revision + 1` }
