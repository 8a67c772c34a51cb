import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../model/clock.ts'
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
   * all of it back.
   */
  change<Result>(work: (tx: Transaction<Tables>, nowMs: number) => Promise<Result>): Promise<Result>
}

export interface ChangeFeed {
  version(): number
  onChange(listener: () => void): void
  change: Connection['change']
}

/** @param version the stored one at the time of opening */
export function createChangeFeed(db: Kysely<Tables>, clock: Clock, version: number): ChangeFeed {
  const listeners: (() => void)[] = []
  let current = version
  return {
    version: () => current,
    onChange: (listener) => void listeners.push(listener),
    async change(work) {
      const result = await db.transaction().execute(async (tx) => {
        const done = await work(tx, clock())
        await tx
          .updateTable('meta')
          .set((row) => ({ value: row('value', '+', 1) }))
          .where('key', '=', 'version')
          .execute()
        return done
      })
      // One connection writes, and it is held until here: no other change can come between.
      current++
      for (const listener of listeners) listener()
      return result
    },
  }
}

/** Who made and last changed an object, and when [API-39]. */
export interface Authorship {
  readonly createdBy: number
  readonly updatedBy: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

export function readAuthorship(row: AuthoredRow): Authorship {
  return {
    createdBy: row.created_by,
    updatedBy: row.updated_by,
    createdAtMs: Number(row.created_at),
    updatedAtMs: Number(row.updated_at),
  }
}

/** Columns of a new object. @param author user id; 0 is the administrator token */
export function createdBy(author: number, nowMs: number): AuthoredRow {
  return { created_by: author, updated_by: author, created_at: nowMs, updated_at: nowMs }
}

export function updatedBy(author: number, nowMs: number): Pick<AuthoredRow, 'updated_by' | 'updated_at'> {
  return { updated_by: author, updated_at: nowMs }
}
