import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Damage, mayHoldOptOuts } from '../damage.ts'
import { checkLogs, checkTables, type TableDepth, tablesWithin } from './check-folder.ts'
import { findShortened, forgetCleanStop } from './clean-stop.ts'
import { type ListedTable, readTableList, type TableList, TableListError, tableName } from './files/table-list.ts'
import { holdFolder } from './hold-folder.ts'
import { type OpenLevel, StoreDamagedError, StoreUnopenableError } from './level.ts'
import { mendLogs, mendTables } from './mend-folder.ts'
import type { OptOutList, SeenOptOutList } from './opt-out-list.ts'
import type { SetAside } from './set-aside.ts'

export interface CareOptions {
  readonly folder: string
  readonly aside: SetAside
  readonly log: (event: string, fields: Record<string, unknown>) => void
  /** Told of each damaged file once, when a mended one has taken its place. */
  readonly onDamage: (damage: Damage) => void
}

const MIB = 1024 * 1024
/** After a look at everything that found nothing, LevelDB's complaints are not followed up for so long. */
const REST_MS = 10 * 60_000
/** Tables of so many bytes together are read in full before the first opening, in some 0.2 s; more of them while they are used. */
const READ_AT_START_BYTES = 64 * MIB
/** Of the paced reading: a MiB takes some 3 ms of the main thread, so that it has a tenth of it. */
const PACE_MS_A_MIB = 30
/** While the database is open its files change under the reader. */
const READ_TRIES_MAX = 5
const READ_PAUSE_MS = 20

/**
 * Looks after the files of one LevelDB folder [SEC-60]: reads them before LevelDB does, which leaves out what is damaged
 * without a word, or never opens again; keeps each damaged file, and puts one in its place that holds all that is readable.
 */
export class FolderCare {
  readonly #options: CareOptions
  #known: Damage[] = []
  /** Tables that must be looked at in full before the next opening: all of them, or these. */
  #suspects: 'all' | readonly number[] = []
  #restsUntilMs = 0

  constructor(options: CareOptions) {
    this.#options = options
  }

  /** Damage that was found and set aside, and that nobody has settled. */
  get known(): readonly Damage[] {
    return this.#known
  }

  async readNotes(): Promise<void> {
    this.#known = await this.#options.aside.notes()
  }

  /** LevelDB refused to work on: something in any of its tables is to blame. */
  suspectAll(): void {
    this.#suspects = 'all'
  }

  /**
   * Opens after a look at what LevelDB will read: the list of tables, every log, what each table needs to be read at all,
   * and, where it is little, all of the tables.
   * @throws StoreDamagedError when only a repair helps
   */
  async open(open: OpenLevel): ReturnType<OpenLevel> {
    const list = await this.#readList()
    if (list !== undefined) {
      const { folder, aside } = this.#options
      for (const damage of await findShortened(folder, list.logNumber)) this.#tell(await aside.missing(damage))
      await this.#mend(list)
    }
    const level = await open()
    await forgetCleanStop(this.#options.folder)
    return level
  }

  /**
   * Looks for the damage that LevelDB complained of, while it is in use: first in the tables that may hold these keys.
   * @param isSuspected false: LevelDB did not complain, and that nothing is found is nothing to tell
   * @returns true when the database must be closed and opened with `open`, which mends what was found
   */
  async find(from?: Buffer, to?: Buffer, isSuspected = true): Promise<boolean> {
    if (performance.now() < this.#restsUntilMs) return false
    const list = await this.#readList()
    const near = list === undefined ? [] : tablesWithin(list, from, to)
    const all = [...(list?.tables.values() ?? [])]
    for (const [tables, depth] of [
      [near, 'whole'],
      [near, 'deep'],
      [all, 'whole'],
    ] as const) {
      const found = await this.#damagedOf(tables, depth)
      for (const { number } of found) this.#suspect(number)
      if (found.length > 0) return true
    }
    if (!isSuspected) return false
    this.#restsUntilMs = performance.now() + REST_MS
    this.#options.log('store.damage_not_found', { tables: all.length })
    return false
  }

  /**
   * Reads every table at a pace that leaves the machine to others, for damage that LevelDB does not see: it reads blocks
   * without their checksums, and would write a wrong key on as a right one.
   * @returns as `find`
   */
  async readThrough(signal: AbortSignal): Promise<boolean> {
    const { folder } = this.#options
    const list = await this.#readList()
    for (const table of list?.tables.values() ?? []) {
      await sleep(PACE_MS_A_MIB * (table.bytes / MIB), undefined, { signal, ref: false })
      if ((await checkTables(folder, [table], { depth: 'whole' })).length === 0) continue
      this.#suspect(table.number)
    }
    return this.#suspects.length > 0
  }

  #suspect(number: number): void {
    if (this.#suspects !== 'all') this.#suspects = [...this.#suspects, number]
  }

  /**
   * Every file of the folder, and what is known; changes no table. A damaged log is kept, and what it holds is still in
   * memory.
   * @param flush writes what is in memory to a table, so that the log is no longer needed
   */
  async check(
    flush: () => Promise<void>,
    onProgress?: (done: number, total: number) => void,
  ): Promise<readonly Damage[]> {
    const { folder, aside } = this.#options
    const list = await this.#readList()
    if (list === undefined) return this.#known
    const logs = await checkLogs(folder, list.logNumber)
    for (const { writes: _, ...log } of logs)
      this.#tell(await aside.replace(join(folder, log.file), { ...log, isLost: false }, undefined))
    if (logs.length > 0) await flush()
    const tables = await checkTables(folder, [...list.tables.values()], {
      depth: 'whole',
      ...(onProgress !== undefined && { onProgress }),
    })
    return [...this.#known, ...tables]
  }

  async #damagedOf(tables: readonly ListedTable[], depth: TableDepth): Promise<ListedTable[]> {
    const damaged = await checkTables(this.#options.folder, tables, { depth })
    return tables.filter(({ number }) => damaged.some(({ file }) => Number.parseInt(file, 10) === number))
  }

  async #readList(): Promise<TableList | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        return await readTableList(this.#options.folder)
      } catch (error) {
        if (!(error instanceof TableListError) || tries === READ_TRIES_MAX) throw this.#explained(error)
        await sleep(READ_PAUSE_MS)
      }
    }
  }

  #explained(error: unknown): unknown {
    if (!(error instanceof TableListError)) return error
    return new StoreDamagedError(this.#options.folder, error.message, { cause: error })
  }

  async #mend(list: TableList): Promise<void> {
    const { folder, aside } = this.#options
    const logs = await checkLogs(folder, list.logNumber)
    const tables = await this.#suspicious([...list.tables.values()])
    this.#suspects = []
    if (logs.length + tables.length === 0) return
    await using _held = await holdFolder(folder)
    try {
      await forgetCleanStop(folder)
      for (const damage of await mendLogs(folder, logs, aside)) this.#tell(damage)
      for (const damage of await mendTables(folder, tables, aside)) this.#tell(damage)
    } catch (error) {
      const files = [...logs.map(({ file }) => file), ...tables.map(({ number }) => tableName(number))]
      throw new StoreUnopenableError(
        `${folder} holds damaged files (${files.join(', ')}), which cannot be set aside in ${aside.folder}: ${(error as Error).message}. Make room, or give this user the right to write there`,
        { cause: error },
      )
    }
  }

  async #suspicious(all: readonly ListedTable[]): Promise<ListedTable[]> {
    const suspects = this.#suspects
    if (suspects === 'all') {
      const found = await this.#damagedOf(all, 'whole')
      return found.length > 0 ? found : this.#damagedOf(all, 'deep')
    }
    const bytes = all.reduce((sum, table) => sum + table.bytes, 0)
    const suspected = all.filter(({ number }) => suspects.includes(number))
    const others = all.filter((table) => !suspected.includes(table))
    return [...suspected, ...(await this.#damagedOf(others, bytes <= READ_AT_START_BYTES ? 'whole' : 'frame'))]
  }

  /**
   * The second copy of the opt-outs has lines that cannot be read: it is kept as it is before it is written anew.
   * @returns false when it cannot be kept; opt-outs are taken all the same
   */
  async keepOptOutList(path: string, seen: SeenOptOutList): Promise<boolean> {
    try {
      this.#tell(await this.#options.aside.replace(path, this.#damageOf(path, seen), undefined))
      return true
    } catch (error) {
      this.#options.log('store.opt_out_list_unkept', { file: path, error: String(error) })
      return false
    }
  }

  /** What is wrong with it now; changes nothing. */
  async checkOptOutList(list: OptOutList): Promise<readonly Damage[]> {
    const seen = await list.look()
    return seen.damaged > 0 ? [this.#damageOf(list.path, seen)] : []
  }

  /** Lost is only what the database may not have either. */
  #damageOf(path: string, { damaged, damagedBytes }: SeenOptOutList): Damage {
    const isLost = this.#known.some(mayHoldOptOuts)
    return { file: basename(path), kind: 'optOuts', places: damaged, bytes: damagedBytes, isLost, ranges: [] }
  }

  #tell(damage: Damage): void {
    this.#known = [...this.#known, damage]
    const { ranges, ...fields } = damage
    const partitions = ranges.map(({ firstPartition, lastPartition }) => `${firstPartition}-${lastPartition}`)
    this.#options.log('store.damaged', { ...fields, partitions, mayHoldOptOuts: mayHoldOptOuts(damage) })
    this.#options.onDamage(damage)
  }
}
