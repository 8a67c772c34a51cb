import { dirname } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { PARTITIONS } from '../../model/partition.ts'
import { startKey } from '../keys.ts'
import type { StoredRecord } from '../record-store.ts'

/**
 * The part of LevelDB that the record store uses, and the place of every setting. Tests put a failing one in between.
 * Any call may reject; after a rejected write the database must be closed and opened again, because a torn record in
 * its log could hide later ones.
 */
export interface Level {
  /** @returns same order; an unreadable block reads as an empty record, which no seal opens [SEC-60] */
  getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]>
  batch(): LevelBatch
  range(from: Buffer, to: Buffer, limit: number, reverse: boolean): Promise<StoredRecord[]>
  /** The first record of a kind in each partition that has one. */
  heads(kind: number): Promise<StoredRecord[]>
  /** Every record as it was at the first page, whatever is written meanwhile. Rejects at damage. */
  everything(): AsyncIterable<readonly StoredRecord[]>
  approximateSize(from: Buffer, to: Buffer): Promise<number>
  /** Rewrites the tables of a range, what is written last included; of everything without one. */
  compact(from?: Buffer, to?: Buffer): Promise<void>
  close(): Promise<void>
}

/** Records gathered for one atomic write; each is copied at once. */
export interface LevelBatch {
  put(key: Buffer, record: Buffer): void
  delete(key: Buffer): void
  /** Resolves when the batch is handed to the operating system; with `sync`, when it is on the device. */
  write(sync: boolean): Promise<void>
}

export type OpenLevel = () => Promise<Level>

export class StoreLockedError extends Error {
  readonly code = 'store_locked'
}

/** The folder can only be opened again after a repair; nothing in it was changed. */
export class StoreDamagedError extends Error {
  readonly code = 'store_damaged'

  /** @param reason what is wrong, to stand behind a colon */
  constructor(folder: string, reason: string, options?: ErrorOptions) {
    const repair = `usher verify --repair --data-dir ${dirname(folder)}`
    super(
      `the profile store in ${folder} is damaged: ${reason}. Nothing was changed. Copy the folder, then repair it with ${repair}, or restore a backup (docs/damage.md)`,
      options,
    )
  }
}

export class StoreUnopenableError extends Error {
  readonly code = 'store_unopenable'
}

const SETTINGS = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  // Also the most that is replayed when it opens: 64 MiB take a fraction of a second. LevelDB compacts after many reads as
  // well as after many writes, so that each full buffer ends in a rewrite of nearly everything: fewer of them, less work
  // (64 instead of 32 MiB: 40 against 54 µs an event in all threads but the main one, medians of 7 paired rounds).
  writeBufferSize: 64 * 1024 * 1024,
  // The default of 2 MiB makes thousands of files; large ones hold up everybody for as long as it takes to flush or delete
  // one.
  maxFileSize: 8 * 1024 * 1024,
  cacheSize: 32 * 1024 * 1024,
} as const

/** Bytes one read of an iterator may bring; the default of 16 KiB makes many small trips. */
const PAGE_BYTES = 256 * 1024
const PAGE_RECORDS = 1_000

/** abstract-level's steps behind `put`, `del` and `write`, which clone options for each record and cost twice as much. */
interface RawBatch {
  _put(key: Buffer, record: Buffer): void
  _del(key: Buffer): void
  _write(options: { sync: boolean }): Promise<void>
  close(): Promise<void>
}

/** LevelDB met damage while it read these keys, or any. What is damaged is left out of what was read. */
export type OnDamaged = (from?: Buffer, to?: Buffer) => void

/** @throws StoreLockedError when another process holds the folder, StoreDamagedError when only a repair helps */
export async function openLevel(folder: string, onDamaged: OnDamaged = () => {}): Promise<Level> {
  const db = new ClassicLevel<Buffer, Buffer>(folder, SETTINGS)
  try {
    await db.open()
  } catch (error) {
    await db.close().catch(() => {})
    throw openError(folder, error)
  }
  return {
    getMany: (keys) => readMany(db, keys, onDamaged),
    batch: () => rawBatch(db.batch() as unknown as RawBatch),
    range: (from, to, limit, reverse) => readRange(db, { gte: from, lt: to, limit, reverse }, onDamaged),
    heads: (kind) => readHeads(db, kind, onDamaged),
    everything: () => readEverything(db, onDamaged),
    approximateSize: (from, to) => db.approximateSize(from, to),
    compact: (from = Buffer.alloc(1), to = Buffer.alloc(64, 0xff)) => db.compactRange(from, to),
    close: () => db.close(),
  }
}

/** What keeps the database of a folder from opening, in a sentence that says what to do. */
export function openError(folder: string, error: unknown): Error {
  const cause = ((error as Error).cause ?? error) as Error & { readonly code?: unknown }
  if (cause.code === 'LEVEL_LOCKED')
    return new StoreLockedError(`another usher serve owns ${folder}: stop it, or use its API`, { cause })
  if (isCorruption(cause)) return new StoreDamagedError(folder, cause.message, { cause })
  return new StoreUnopenableError(
    `the profile store in ${folder} does not open: ${cause.message}. Look at the device, its free space and the rights of this user there`,
    { cause },
  )
}

/** LevelDB met bytes that cannot be right. */
export function isCorruption(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'LEVEL_CORRUPTION'
}

function rawBatch(batch: RawBatch): LevelBatch {
  return {
    put: (key, record) => batch._put(key, record),
    delete: (key) => batch._del(key),
    async write(sync) {
      try {
        await batch._write({ sync })
      } finally {
        await batch.close()
      }
    },
  }
}

type Database = ClassicLevel<Buffer, Buffer>

async function readMany(db: Database, keys: Buffer[], onDamaged: OnDamaged): Promise<(Buffer | undefined)[]> {
  try {
    return await db.getMany(keys)
  } catch (error) {
    if (!isCorruption(error)) throw error
    // One damaged block must not take the other readers with it.
    const only = keys[0]
    if (keys.length === 1 && only !== undefined) {
      onDamaged(only, only)
      return [Buffer.alloc(0)]
    }
    const singles: (Buffer | undefined)[] = []
    for (const key of keys) singles.push(...(await readMany(db, [key], onDamaged)))
    return singles
  }
}

interface Range {
  readonly gte: Buffer
  readonly lt: Buffer
  readonly limit: number
  readonly reverse: boolean
}

async function readRange(db: Database, range: Range, onDamaged: OnDamaged): Promise<StoredRecord[]> {
  const iterator = db.iterator({ ...range, highWaterMarkBytes: PAGE_BYTES })
  try {
    return (await iterator.all()).map(([key, record]) => ({ key, record }))
  } catch (error) {
    if (!isCorruption(error)) throw error
    onDamaged(range.gte, range.lt)
    return readReadable(db, range)
  }
}

/** LevelDB goes on behind a damaged block; only at the end it says so, and takes back what came with that. */
async function readReadable(db: Database, range: Range): Promise<StoredRecord[]> {
  await using iterator = db.iterator(range)
  const entries: StoredRecord[] = []
  while (entries.length < range.limit) {
    const [entry] = await iterator.nextv(1).catch(endAtCorruption)
    if (entry === undefined) break
    entries.push({ key: entry[0], record: entry[1] })
  }
  return entries
}

async function* readEverything(db: Database, onDamaged: OnDamaged): AsyncGenerator<readonly StoredRecord[]> {
  // An iterator sees the state of its beginning. What is read once must not push out what is read often.
  await using iterator = db.iterator({ fillCache: false, highWaterMarkBytes: PAGE_BYTES })
  for (;;) {
    const page = await iterator.nextv(PAGE_RECORDS).catch((error: unknown) => {
      if (isCorruption(error)) onDamaged()
      throw error
    })
    if (page.length === 0) return
    yield page.map(([key, record]) => ({ key, record }))
  }
}

function endAtCorruption(error: unknown): [] {
  if (!isCorruption(error)) throw error
  return []
}

/** Jumps from one partition that has records to the next. */
async function readHeads(db: Database, kind: number, onDamaged: OnDamaged): Promise<StoredRecord[]> {
  const heads: StoredRecord[] = []
  await using iterator = db.iterator({ gte: startKey(0, kind, 0) })
  let partition = 0
  while (partition < PARTITIONS) {
    const wanted = startKey(partition, kind, 0)
    iterator.seek(wanted)
    const entry = await iterator.next().catch((error: unknown) => {
      endAtCorruption(error)
      onDamaged()
    })
    if (entry === undefined) break
    const [key, record] = entry
    const found = key.readUInt16BE(0)
    if (key[2] === kind) {
      heads.push({ key, record })
      partition = found + 1
    } else {
      // A smaller kind stands before the wanted one in that partition; a larger one after it.
      partition = (key[2] as number) < kind ? found : found + 1
    }
  }
  return heads
}
