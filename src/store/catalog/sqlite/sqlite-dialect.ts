import {
  type CompiledQuery,
  type DatabaseConnection,
  DeleteQueryNode,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
  UpdateQueryNode,
} from 'kysely'
import Libsql from 'libsql/promise'
import { DiskFullError, isDiskFull } from '../../../lib/disk-space.ts'
import { nextTurn, runInSlices } from '../../../lib/slices.ts'

/**
 * SQLite for Kysely, off the main thread: to sort 100,000 names or to wait for the device takes a tenth of a second, and
 * events wait for nobody. `libsql/promise` runs preparing, executing up to the first row, and what `exec` is given on threads
 * of its own; its `run` does not, so a change is executed as a query without rows. Rows are taken over in slices, and a
 * chain of short queries gives the event loop a turn every few milliseconds: it would be served to its end before anything else.
 */
export interface SqliteOptions {
  readonly file: string
  readonly busyMs: number
  /** Executed once, before anything else. */
  readonly pragmas: string
  /** Told before the caller when something could not be written because there is no room. */
  readonly onFull: (error: unknown) => void
}

interface Statement {
  /** Rows are fetched 100 at a time. */
  iterate(parameters: readonly unknown[]): Promise<Iterable<unknown>>
}

interface Database {
  readonly inTransaction: boolean
  exec(sql: string): Promise<void>
  prepare(sql: string): Promise<Statement>
  close(): void
}

const TURN_EVERY_MS = 3
const STATEMENTS_MAX = 500
const NO_ROOM = 'There is no room left on the disk of the data directory. Free some space, then try again.'

export function sqliteDialect(options: SqliteOptions): Dialect {
  return {
    createDriver: () => new SqliteDriver(options),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

/** One connection, which a transaction has for itself until it ends. */
class SqliteDriver implements Driver {
  readonly #options: SqliteOptions
  #connection: SqliteConnection | undefined
  /** Ends when the one before has let the connection go. */
  #queue: Promise<void> = Promise.resolve()
  #release: () => void = () => {}

  constructor(options: SqliteOptions) {
    this.#options = options
  }

  async init(): Promise<void> {
    const { file, busyMs, pragmas, onFull } = this.#options
    const database = new Libsql(file, { timeout: busyMs }) as unknown as Database
    this.#connection = new SqliteConnection(database, onFull)
    await this.#connection.exec(pragmas)
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#queue
    let release = () => {}
    this.#queue = new Promise((resolve) => {
      release = resolve
    })
    await before
    this.#release = release
    return this.#connection as SqliteConnection
  }

  /** One that will write waits for its turn here: half-way, what it has read would be out of date. */
  beginTransaction(_connection: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
    return (this.#connection as SqliteConnection).exec(accessMode === 'read only' ? 'begin' : 'begin immediate')
  }

  commitTransaction(): Promise<void> {
    return (this.#connection as SqliteConnection).exec('commit')
  }

  async rollbackTransaction(): Promise<void> {
    // A full disk ends a transaction by itself; a rollback that fails after that would hide why.
    if (this.#connection?.inTransaction === true) await this.#connection.exec('rollback')
  }

  async releaseConnection(): Promise<void> {
    this.#release()
  }

  async destroy(): Promise<void> {
    // The engine ends the process when it is closed under a call that runs: what was asked before has its turn first.
    await this.acquireConnection()
    await this.#connection?.close()
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: Database
  readonly #onFull: (error: unknown) => void
  /**
   * By their text, the one used last at the end. One that is given up is ended by the garbage collector on the main thread,
   * which for that waits for whatever the connection is executing: a tenth of a second where many rows are sorted.
   */
  readonly #statements = new Map<string, Statement>()
  #turnMs = 0

  constructor(database: Database, onFull: (error: unknown) => void) {
    this.#database = database
    this.#onFull = onFull
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction
  }

  async exec(sql: string): Promise<void> {
    await this.#told(() => this.#database.exec(sql))
  }

  async executeQuery<Row>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<Row>> {
    const rows = (await this.#all(sql, parameters)) as Row[]
    if (!UpdateQueryNode.is(query) && !DeleteQueryNode.is(query)) return { rows }
    const [counted] = (await this.#all('select changes() as changes', [])) as { changes: number }[]
    return { rows, numAffectedRows: BigInt(counted?.changes ?? 0) }
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for it, and nothing here streams.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('the catalogue reads by pages')
  }

  /**
   * The engine lets the file go when the last statement is collected, and would write what its log holds over whatever the
   * file is by then: so the log is emptied before.
   */
  async close(): Promise<void> {
    this.#statements.clear()
    // Whoever reads beside us, or a full disk, may hinder it; then the log stays, and is read at the next start.
    await this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)').catch(() => {})
    this.#database.close()
  }

  #all(sql: string, parameters: readonly unknown[]): Promise<unknown[]> {
    return this.#told(async () => {
      const statement = this.#statements.get(sql) ?? (await this.#database.prepare(sql))
      // One that failed is not used again.
      this.#statements.delete(sql)
      const rows = await runInSlices(taken(await statement.iterate(parameters)))
      this.#keep(sql, statement)
      return rows
    })
  }

  #keep(sql: string, statement: Statement): void {
    this.#statements.set(sql, statement)
    const [longestUnused] = this.#statements.keys()
    if (this.#statements.size > STATEMENTS_MAX && longestUnused !== undefined) this.#statements.delete(longestUnused)
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#turnMs < TURN_EVERY_MS) return
    await nextTurn()
    this.#turnMs = performance.now()
  }

  async #told<T>(run: () => Promise<T>): Promise<T> {
    try {
      const result = await run()
      await this.#breathe()
      return result
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#onFull(error)
      throw new DiskFullError(NO_ROOM, { cause: error })
    }
  }
}

const ROWS_AT_ONCE = 100

function* taken<T>(rows: Iterable<T>): Generator<void, T[]> {
  const all: T[] = []
  for (const row of rows) {
    all.push(row)
    if (all.length % ROWS_AT_ONCE === 0) yield
  }
  return all
}
