import type { Damage } from '../damage.ts'
import type { Durability } from '../durability.ts'
import { keyName } from '../keys.ts'
import { assertCommit, assertRange, type Commit, type StoredRecord, StoreUnavailableError } from '../record-store.ts'
import { type ScanOptions, type ScanPage, scanInOrder } from '../scan.ts'
import { type CarefullyOpened, openCarefully } from './careful-open.ts'
import { noteCleanStop } from './clean-stop.ts'
import type { EmbeddedOptions, EmbeddedRecordStore } from './embedded-options.ts'
import { folderBytes } from './folder-bytes.ts'
import { isCorruption, type Level, type OnDamaged } from './level.ts'
import { Mending } from './mending.ts'
import { isRare } from './rare-keys.ts'
import { ReadQueue } from './read-queue.ts'
import { type KnownRecord, RecordCache } from './record-cache.ts'
import { Reopening } from './reopening.ts'
import { syncLogs } from './sync-logs.ts'
import { type Undecided, unmetBy } from './unmet.ts'
import { type Overlaid, WriteGroup, type WriteWaiter } from './write-group.ts'

/** [SEC-57]: what `process` may lose with the power. */
const SYNC_INTERVAL_MS = 100
/** Beyond this, `memory` commits wait for their write too, so that what is gathered has a bound. */
const UNWRITTEN_BYTES_MAX = 64 * 1024 * 1024

/** @throws StoreLockedError when another process holds the folder, StoreDamagedError when only a repair helps */
export async function openEmbeddedRecordStore(options: EmbeddedOptions): Promise<EmbeddedRecordStore> {
  let store: LevelRecordStore | undefined
  const opened = await openCarefully(options, (from, to) => store?.mend(from, to))
  store = new LevelRecordStore(options, opened)
  return store
}

/**
 * LevelDB in this process. A commit is decided in memory: its guard against what is known of the key, at once and in
 * one step with entering the overlay, so that of two commits with one expected revision the second sees the first. The
 * overlay holds it until its native write has ended; while one write runs the next group is gathered.
 */
class LevelRecordStore implements EmbeddedRecordStore {
  readonly #folder: string
  readonly #durability: Durability
  readonly #onWrite: EmbeddedOptions['onWrite']
  readonly #onWriteFailed: (error: unknown) => void
  readonly #log: (event: string, fields: Record<string, unknown>) => void
  readonly #parts: CarefullyOpened
  readonly #mending: Mending
  readonly #overlay = new Map<string, Overlaid>()
  readonly #cache: RecordCache
  readonly #reads: ReadQueue
  /** Commits for which something is being read. */
  readonly #undecided = new Set<Undecided>()
  #level: Level | Reopening
  #gathering: WriteGroup | undefined
  #writing: WriteGroup | undefined
  #isScheduled = false
  /** Something was written since the last sync. */
  #isDirty = false
  #syncTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: EmbeddedOptions, parts: CarefullyOpened) {
    this.#parts = parts
    this.#folder = options.folder
    this.#durability = options.durability
    this.#log = options.log ?? (() => {})
    this.#onWrite = options.onWrite
    this.#onWriteFailed = options.onWriteFailed ?? (() => {})
    this.#level = parts.level
    this.#cache = new RecordCache(options.cacheBytes)
    this.#mending = new Mending(parts.care, () => this.#reopen(), this.#log)
    if (options.readsThrough) this.#mending.readThrough()
    this.#reads = new ReadQueue((keys) => this.#readMany(keys))
  }

  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(unavailable('the store is closed'))
      const records = new Array<Buffer | undefined>(keys.length)
      let missing = 1
      const arrived = (): void => {
        missing -= 1
        if (missing === 0) resolve(records)
      }
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i] as Buffer
        if (!this.#parts.rare.mayHave(key)) continue
        const name = keyName(key)
        const known = this.#known(name)
        if (known !== undefined) {
          records[i] = known ?? undefined
          continue
        }
        missing += 1
        const done = (record: KnownRecord, isFresh: boolean): void => {
          if (isFresh) this.#cache.set(name, record)
          records[i] = record ?? undefined
          arrived()
        }
        this.#reads.read(key, name, done, (error) => reject(unavailable('reading failed', error)))
      }
      arrived()
    })
  }

  commit(commit: Commit, durability: Durability = this.#durability): Promise<boolean> {
    return new Promise((resolve, reject) => {
      assertCommit(commit)
      this.#decide({ commit, durability, waiter: { resolve, reject } })
    })
  }

  async range(
    from: Buffer,
    to: Buffer,
    options: { readonly limit: number; readonly reverse?: boolean },
  ): Promise<StoredRecord[]> {
    assertRange(from, to)
    await this.#settled()
    return this.#range(from, to, options.limit, options.reverse)
  }

  async *scan(kind: number, options?: ScanOptions): AsyncGenerator<ScanPage> {
    await this.#settled()
    const heads = () => this.#reading((level) => level.heads(kind))
    yield* scanInOrder({ heads, range: (from, to, { limit }) => this.#range(from, to, limit) }, kind, options)
  }

  #range(from: Buffer, to: Buffer, limit: number, reverse = false): Promise<StoredRecord[]> {
    return this.#reading((level) => level.range(from, to, limit, reverse))
  }

  approximateBytes(from: Buffer, to: Buffer): Promise<number> {
    return this.#reading((level) => level.approximateSize(from, to))
  }

  async reclaim(from: Buffer, to: Buffer): Promise<void> {
    await this.#settled()
    return this.#reading((level) => level.compact(from, to))
  }

  async flush(): Promise<void> {
    await this.commit({ puts: [], deletes: [] }, 'disk')
  }

  async stats(): Promise<{ readonly diskBytes: number }> {
    return { diskBytes: await folderBytes(this.#folder) }
  }

  damage(): readonly Damage[] {
    return this.#parts.care.known
  }

  async checkFiles(onProgress?: (done: number, total: number) => void): Promise<readonly Damage[]> {
    await this.#settled()
    const { care, optOuts } = this.#parts
    const files = await care.check(() => this.reclaim(Buffer.alloc(1), Buffer.alloc(1)), onProgress)
    return [...files, ...(await care.checkOptOutList(optOuts))]
  }

  async *everything(): AsyncGenerator<readonly StoredRecord[]> {
    await this.#settled()
    try {
      yield* (await this.#opened()).everything()
    } catch (error) {
      throw unavailable('reading failed', error)
    }
  }

  readonly mend: OnDamaged = (from, to) => this.#mending.met(from, to)

  async close(): Promise<void> {
    if (this.#isClosed) return
    const flushed = this.flush()
    this.#isClosed = true
    this.#mending.stop()
    clearTimeout(this.#syncTimer)
    try {
      await flushed
    } finally {
      clearTimeout(this.#syncTimer)
      await (this.#level instanceof Reopening ? this.#level.stop() : this.#level.close())
    }
    // Where it cannot be written, the next start knows less, and nothing else.
    await noteCleanStop(this.#folder).catch(() => {})
  }

  #knownFor(key: Buffer, read: ReadonlyMap<string, KnownRecord> | undefined): KnownRecord | undefined {
    if (!this.#parts.rare.mayHave(key)) return null
    const name = keyName(key)
    const known = this.#known(name)
    return known === undefined ? read?.get(name) : known
  }

  #known(name: string): KnownRecord | undefined {
    const overlaid = this.#overlay.get(name)
    return overlaid !== undefined ? overlaid.record : this.#cache.get(name)
  }

  /** Checks what the commit demands and accepts, in one step; reads first what is not known. */
  #decide(undecided: Undecided): void {
    const { commit, durability, waiter, read } = undecided
    const level = this.#level
    this.#undecided.delete(undecided)
    if (this.#isClosed) waiter.reject(unavailable('the store is closed'))
    else if (level instanceof Reopening) level.whenOpen(() => this.#decide(undecided), waiter.reject)
    else {
      const unmet = unmetBy(commit, (key) => this.#knownFor(key, read))
      if (unmet === undefined) this.#accept(commit, durability, waiter, level)
      else if (unmet === 'lost') waiter.resolve(false)
      else this.#readFor(unmet, { ...undecided, read: read ?? new Map() })
    }
  }

  #readFor(key: Buffer, undecided: Undecided & Required<Pick<Undecided, 'read'>>): void {
    const name = keyName(key)
    const done = (record: KnownRecord, isFresh: boolean): void => {
      if (isFresh) {
        this.#cache.set(name, record)
        undecided.read.set(name, record)
      }
      this.#decide(undecided)
    }
    this.#undecided.add(undecided)
    this.#reads.read(key, name, done, (error) => {
      this.#undecided.delete(undecided)
      undecided.waiter.reject(unavailable('reading a guard failed', error))
    })
  }

  #accept(commit: Commit, durability: Durability, waiter: WriteWaiter, level: Level): void {
    const guarded = commit.guard === undefined ? '' : keyName(commit.guard.key)
    this.#gathering ??= new WriteGroup(level.batch())
    const group = this.#gathering
    for (const key of commit.deletes) {
      const name = keyName(key)
      group.delete(key, name)
      this.#wrote(name, null, group, guarded)
    }
    const guardKey = commit.guard?.key
    for (const put of commit.puts) {
      const name = put.key === guardKey ? guarded : keyName(put.key)
      group.put(put, name)
      if (isRare(put.key)) {
        this.#parts.rare.add(put.key)
        group.optOuts.push(put)
      }
      this.#wrote(name, put.record, group, guarded)
    }
    if (durability === 'disk') group.mustSync = true
    if (durability === 'memory' && group.bytes < UNWRITTEN_BYTES_MAX) waiter.resolve(true)
    else group.waiters.push(waiter)
    this.#schedule()
  }

  #wrote(name: string, record: KnownRecord, group: WriteGroup, guarded: string): void {
    this.#overlay.set(name, { record, group })
    this.#reads.wrote(name)
    for (const { read } of this.#undecided) if (read?.has(name)) read.set(name, record)
    if (name === guarded) this.#cache.set(name, record)
    else this.#cache.refresh(name, record)
  }

  /** The commits of one turn of the event loop go together. */
  #schedule(): void {
    if (this.#isScheduled || this.#writing !== undefined) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#writing === undefined) void this.#writeGathered()
    })
  }

  async #writeGathered(): Promise<void> {
    for (let group = this.#gathering; group !== undefined; group = this.#gathering) {
      this.#gathering = undefined
      this.#writing = group
      try {
        await this.#write(group)
      } catch (error) {
        this.#fail(group, error)
        break
      }
      for (const name of group.names) {
        if (this.#overlay.get(name)?.group === group) this.#overlay.delete(name)
      }
      group.resolveAll()
    }
    this.#writing = undefined
    if (this.#isDirty && !this.#isClosed) this.#syncTimer ??= setTimeout(() => this.#syncSoon(), SYNC_INTERVAL_MS)
  }

  async #write(group: WriteGroup): Promise<void> {
    if (group.optOuts.length > 0) await this.#parts.optOuts.add(group.optOuts, group.mustSync)
    const startedMs = performance.now()
    await group.write(group.mustSync)
    this.#onWrite?.(performance.now() - startedMs, group.mustSync)
    if (!group.mustSync) {
      this.#isDirty = true
      return
    }
    if (this.#isDirty) await syncLogs(this.#folder)
    this.#isDirty = false
  }

  #syncSoon(): void {
    this.#syncTimer = undefined
    if (this.#isDirty && !this.#isClosed)
      this.flush().catch((error: unknown) => this.#log('store.sync_failed', { error: String(error) }))
  }

  /** Nobody hears of success, and nothing known is believed, until the database was closed and opened again. */
  #fail(group: WriteGroup, cause: unknown): void {
    this.#onWriteFailed(cause)
    this.#log('store.write_failed', { error: String(cause), commits: group.waiters.length })
    const error = unavailable('writing failed, the outcome is unknown', cause)
    const next = this.#gathering
    this.#gathering = undefined
    this.#overlay.clear()
    this.#forgetRead()
    this.#isDirty = false
    if (isCorruption(cause)) this.#parts.care.suspectAll()
    if (!(this.#level instanceof Reopening)) {
      const reopening = this.#startReopening(this.#level)
      void this.#run(reopening)
    }
    group.rejectAll(error)
    next?.rejectAll(error)
  }

  #forgetRead(): void {
    this.#cache.clear()
    this.#reads.wroteAll()
    for (const { read } of this.#undecided) read?.clear()
  }

  #startReopening(level: Level): Reopening {
    const open = () =>
      this.#parts.open().catch((error: unknown) => {
        this.#onWriteFailed(error)
        throw error
      })
    const reopening = new Reopening(level, open, this.#log)
    this.#level = reopening
    return reopening
  }

  async #run(reopening: Reopening): Promise<void> {
    const level = await reopening.run()
    if (level !== undefined) this.#level = level
    reopening.finish()
  }

  /** Closes and opens again: what was accepted is written first, what comes meanwhile waits. */
  async #reopen(): Promise<void> {
    if (this.#level instanceof Reopening) return
    const reopening = this.#startReopening(this.#level)
    await this.#settled()
    this.#forgetRead()
    await this.#run(reopening)
  }

  async #opened(): Promise<Level> {
    const level = this.#level
    if (!(level instanceof Reopening)) return level
    await new Promise<void>((resolve, reject) => level.whenOpen(resolve, reject))
    return this.#opened()
  }

  async #reading<Value>(read: (level: Level) => Promise<Value>): Promise<Value> {
    if (this.#isClosed) throw unavailable('the store is closed')
    try {
      const level = await this.#opened()
      // A reading that was under way when the database was closed to mend it is done again.
      return await read(level).catch(async (error: unknown) => {
        if (this.#level === level) throw error
        return read(await this.#opened())
      })
    } catch (error) {
      throw unavailable('reading failed', error)
    }
  }

  async #readMany(keys: Buffer[]): Promise<(Buffer | undefined)[]> {
    const found = await this.#reading((level) => level.getMany(keys))
    const isHurt = found.some((record) => record?.length === 0)
    // What one block hides is not lost with it: older tables may have it.
    return isHurt && (await this.#mending.followedUp()) ? this.#reading((level) => level.getMany(keys)) : found
  }

  /** Everything accepted before this call is written, so that an iterator sees it. */
  async #settled(): Promise<void> {
    const group = this.#gathering ?? this.#writing
    if (group === undefined) return
    await new Promise<void>((resolve) => group.waiters.push({ resolve: () => resolve(), reject: () => resolve() }))
  }
}

function unavailable(what: string, cause?: unknown): StoreUnavailableError {
  return cause instanceof StoreUnavailableError ? cause : new StoreUnavailableError(`profile store: ${what}`, { cause })
}
