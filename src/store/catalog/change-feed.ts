import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../model/clock.ts'
import type { Connection } from './connection.ts'
import type { CatalogEngine } from './engine.ts'
import type { Tables } from './tables.ts'

export interface ChangeFeed {
  /** The latest that is known here. */
  version(): number
  onChange(listener: () => void): void
  change: Connection['change']
  /** A version that was read: the definitions of others may be ahead of what is known here. */
  saw(version: number): void
}

/** One that was written beside all others, not through them, may come between a check and the write that follows. */
const TRIES_MAX = 3

/** @param version the stored one at the time of opening */
export function createChangeFeed(engine: CatalogEngine, clock: Clock, version: number): ChangeFeed {
  const listeners: (() => void)[] = []
  let current = version
  let last: Promise<unknown> = Promise.resolve()

  const saw = (seen: number) => {
    if (seen <= current) return
    current = seen
    for (const listener of listeners) listener()
  }

  const changeOnce = <Result>(work: (tx: Transaction<Tables>, nowMs: number) => Promise<Result>) =>
    engine.db
      .transaction()
      .setIsolationLevel('read committed')
      .execute(async (tx) => {
        const raised = await raiseVersion(tx)
        return { raised, result: await work(tx, clock()) }
      })

  const change: Connection['change'] = async (work) => {
    for (let tries = 1; ; tries++) {
      try {
        const { raised, result } = await changeOnce(work)
        saw(raised)
        return result
      } catch (error) {
        if (tries === TRIES_MAX || !engine.isLostRace(error)) throw error
      }
    }
  }

  return {
    version: () => current,
    onChange: (listener) => void listeners.push(listener),
    change(work) {
      // Those of this process wait here, where they keep no connection from those who read.
      const mine = last.then(() => change(work))
      last = mine.catch(() => {})
      return mine
    },
    saw,
  }
}

/**
 * The first statement of every change. It holds the row until the transaction has ended, so that the next change, in whatever
 * process, waits here, then sees all of this one: versions are taken in the order in which changes become durable, none is
 * taken twice, and whoever reads a version sees every change up to it and none behind it.
 */
async function raiseVersion(tx: Transaction<Tables>): Promise<number> {
  const { value } = await tx
    .updateTable('meta')
    .set((row) => ({ value: row('value', '+', 1) }))
    .where('key', '=', 'version')
    .returning('value')
    .executeTakeFirstOrThrow()
  return Number(value)
}

/** Of the definitions as they are stored. @param key `version` or `deletion` */
export async function readMeta(db: Kysely<Tables>, key: 'version' | 'deletion'): Promise<number> {
  const { value } = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirstOrThrow()
  return Number(value)
}
