import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely'
import pg from 'pg'
import { StoreUnavailableError } from '../../record-store.ts'
import type { CatalogEngine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** Of one process. A change takes one of them, reading definitions another. */
const CONNECTIONS_MAX = 10
const CONNECT_MS = 5_000
/** A change waits this long for those of other processes; 20,000 mappings in one request take some of it. */
const LOCK_MS = 60_000
/** After it a process that went silent in the middle of a change holds up nobody. */
const SILENT_MS = 30_000

// 40001, 40P01: two transactions that wait for each other, or read what the other wrote. 23505: a unique index.
const LOST_RACE = new Set(['40001', '40P01', '23505'])
// Classes 08 and 57P: the connection, or the server, ends; 25P03: that of one that was silent. 53300: it takes no more.
// 55P03: a change did not get its turn.
const UNAVAILABLE = /^(08\w{3}|57P0\d|25P03|53300|55P03)$/
// What the client, or the network, says of a connection that is not there.
const NO_CONNECTION = /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/
const ENDED =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/** Texts compare and sort by their bytes in every statement, whatever the language of the database. */
const TEXT = sql`text collate "C"`

/** A database that cannot hold the catalogue. */
export class CatalogUnsuitableError extends Error {
  readonly code = 'catalog_unsuitable'
}

/**
 * Definitions in a database of PostgreSQL, which several processes may share [OPS-23].
 * @param url `postgres://user:password@host:port/database`; the database is there, encoded in UTF-8
 */
export function openPostgres(url: string): CatalogEngine {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'usher',
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: { getTypeParser },
  })
  pool.on('connect', (client) => {
    // In line before whatever the connection is asked first, which fails too when this does.
    client.query(SESSION).catch(() => {})
    // Of one that is not in use; whoever takes it next gets another one.
    client.on('error', () => {})
  })
  pool.on('error', () => {})
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: tellingPool(pool) }) })
  return {
    db,
    reader: db,
    // Of 64 bits, as everywhere.
    columnTypes: { integer: 'bigint', text: TEXT },
    isShared: true,
    isLostRace: (error) => LOST_RACE.has(codeOf(error)),
    async checkSuitable() {
      const { rows } = await sql<{ server_encoding: string }>`show server_encoding`.execute(db)
      const encoding = rows[0]?.server_encoding
      if (encoding === 'UTF8') return
      throw new CatalogUnsuitableError(
        `the database of the definitions is encoded in ${encoding}, which lacks letters: make one with ENCODING 'UTF8'`,
      )
    },
    close: () => db.destroy(),
  }
}

/** Definitions are on the device before a change resolves [OPS-24]: a server that is set to be quick does not decide that. */
const SESSION = `select set_config('lock_timeout', '${LOCK_MS}', false),
  set_config('idle_in_transaction_session_timeout', '${SILENT_MS}', false),
  case current_setting('synchronous_commit') when 'off' then set_config('synchronous_commit', 'on', false) end`

/** Whole numbers of 64 bits as numbers: none of ours is larger than 2^53. */
function getTypeParser(...[type, format]: Parameters<pg.CustomTypesConfig['getTypeParser']>) {
  return type === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(type, format)
}

/** A pool that says of what may succeed later that it may. */
function tellingPool(pool: pg.Pool): PostgresPool {
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  return {
    async connect() {
      const client = await pool.connect().catch(tell)
      const known = clients.get(client)
      if (known !== undefined) return known
      const telling = {
        query: (...query: [string, unknown[]]) => client.query(...query).catch(tell),
        release: () => client.release(),
      } as unknown as PostgresPoolClient
      clients.set(client, telling)
      return telling
    },
    end: () => pool.end(),
  }
}

function tell(error: unknown): never {
  const { message } = error as Error
  const code = codeOf(error)
  if (!UNAVAILABLE.test(code) && !NO_CONNECTION.test(code) && !ENDED.test(message)) throw error
  throw new StoreUnavailableError('the database of the definitions is not available', { cause: error })
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | undefined)?.code)
}
