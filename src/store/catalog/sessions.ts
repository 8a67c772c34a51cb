import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Sign-ins of people: one-time set-up links, and the sessions made from them. Only hashes are kept, so that who reads the
 * file cannot sign in. No change of the definitions: the rulebook is not built again. Source: [OPS-22], [SEC-66].
 */
export interface SessionRepository {
  addLink(hash: string, expiresAtMs: number): Promise<void>
  /**
   * Uses a link up. @returns false when there is none, it has expired, or it lasts longer than `lifeMs`: then it was made
   * while the clock was ahead; of two calls at one time one gets true
   */
  takeLink(hash: string, nowMs: number, lifeMs: number): Promise<boolean>
  add(session: StoredSession): Promise<void>
  /** Also one that has expired. */
  find(hash: string): Promise<StoredSession | undefined>
  touch(hash: string, usedAtMs: number): Promise<void>
  remove(hash: string): Promise<void>
  /** Removes links and sessions that have expired by `nowMs`, and sessions last used at or before `usedAtMs`. */
  forgetEnded(usedAtMs: number, nowMs: number): Promise<void>
  any(): Promise<boolean>
}

export interface StoredSession {
  readonly hash: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly usedAtMs: number
}

export function createSessions(db: Kysely<Tables>): SessionRepository {
  return {
    async addLink(hash, expiresAtMs) {
      await db.insertInto('setup_links').values({ hash, expires_at: expiresAtMs }).execute()
    },

    async takeLink(hash, nowMs, lifeMs) {
      const taken = await db
        .deleteFrom('setup_links')
        .where('hash', '=', hash)
        .returning('expires_at')
        .executeTakeFirst()
      if (taken === undefined) return false
      const leftMs = Number(taken.expires_at) - nowMs
      return leftMs > 0 && leftMs <= lifeMs
    },

    async add({ hash, createdAtMs, expiresAtMs, usedAtMs }) {
      const row = { hash, created_at: createdAtMs, expires_at: expiresAtMs, used_at: usedAtMs }
      await db.insertInto('sessions').values(row).execute()
    },

    async find(hash) {
      const row = await db.selectFrom('sessions').selectAll().where('hash', '=', hash).executeTakeFirst()
      if (row === undefined) return undefined
      return {
        hash,
        createdAtMs: Number(row.created_at),
        expiresAtMs: Number(row.expires_at),
        usedAtMs: Number(row.used_at),
      }
    },

    async touch(hash, usedAtMs) {
      await db.updateTable('sessions').set({ used_at: usedAtMs }).where('hash', '=', hash).execute()
    },

    async remove(hash) {
      await db.deleteFrom('sessions').where('hash', '=', hash).execute()
    },

    async forgetEnded(usedAtMs, nowMs) {
      await db.deleteFrom('setup_links').where('expires_at', '<=', nowMs).execute()
      await db
        .deleteFrom('sessions')
        .where((row) => row.or([row('expires_at', '<=', nowMs), row('used_at', '<=', usedAtMs)]))
        .execute()
    },

    async any() {
      return (await db.selectFrom('sessions').select('hash').limit(1).executeTakeFirst()) !== undefined
    },
  }
}
