import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { UsherConfig } from '../config.ts'
import { createClock } from '../lib/clock.ts'
import { keyCheck, readKey } from '../lib/secret-files.ts'
import { type BackupEntry, EntryKind, unpackEntries } from '../store/backup/backup-entries.ts'
import { type BackupHeader, BackupRefusedError, openStream } from '../store/backup/sealed-stream.ts'
import { openCatalog } from '../store/catalog/catalog.ts'
import { checkCatalog } from '../store/catalog/sqlite/check-catalog.ts'
import { openSqlite } from '../store/catalog/sqlite/sqlite-engine.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { type Level, openLevel } from '../store/embedded/level.ts'
import { OptOutList } from '../store/embedded/opt-out-list.ts'
import type { RecordStore } from '../store/record-store.ts'
import { type VerifyReport, verifyStore } from '../store/verify.ts'
import { KEY_FILES } from './backup.ts'
import { findKeyProblems, keyChecksOf } from './checked-keys.ts'
import { openDataDir, restoreMarker } from './data-dir.ts'
import { catalogFileOf, noteLayout } from './layout.ts'
import { applyOptOutsSince, type OptOutsSince } from './opt-outs-since.ts'
import { storePaths } from './stores.ts'

export interface RestoreOrder {
  readonly file: string
  /** Where to; the folder is empty or not there. */
  readonly config: UsherConfig
  readonly masterKey: Buffer
  /** Puts the key into the folder too, for a server that is not given it. */
  readonly keepsMasterKey: boolean
  /** Path of the list of opt-outs kept outside the backup; undefined goes on without. */
  readonly optOutList: string | undefined
  readonly onProgress: (done: number, total: number, what: string) => void
}

export interface RestoreReport {
  readonly backup: BackupHeader
  readonly records: number
  readonly optOuts: OptOutsSince | null
  /** The check of every restored record and reference. */
  readonly check: VerifyReport
}

/** The folder may not be restored into. */
export class RestoreTargetError extends Error {
  readonly code = 'restore_target'
}

const BATCH_BYTES = 1024 * 1024
/** What a fresh file system has in it. */
const OF_NOBODY = new Set(['lost+found'])

/**
 * Restores a backup [SEC-90]. The folder cannot be started, nor restored into, before all was written, checked and the opt-outs
 * since applied: a marker in it says so. After a failure the folder is as empty as before.
 * @throws BackupRefusedError, RestoreTargetError, OptOutListRefusedError, SecretUnreadableError
 */
export async function restoreDataDir(order: RestoreOrder): Promise<RestoreReport> {
  const { dataDir } = order.config
  await mustBeEmpty(dataDir)
  const bytes = await countedFile(order)
  const { header, chunks } = await openStream(bytes, order.masterKey)
  openDataDir(order.config)
  const marker = restoreMarker(dataDir)
  // Of two that were begun at once only one goes on.
  await writeWhole(marker, 'A restore is under way, or broke off. This folder cannot be used.\n')
  try {
    await noteLayout(dataDir)
    const records = await writeEntries(chunks, dataDir)
    if (order.keepsMasterKey) await writeWhole(join(dataDir, 'master.key'), `${order.masterKey.toString('base64')}\n`)
    const checked = await settle(order)
    await syncFolder(dataDir)
    await rm(marker)
    await syncFolder(dataDir)
    return { backup: header, records, ...checked }
  } catch (error) {
    await clear(dataDir)
    await rm(marker, { force: true })
    throw error
  }
}

async function mustBeEmpty(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new RestoreTargetError(`${dataDir} cannot be restored into: ${error.message}`)
  })
  if (names.every((name) => OF_NOBODY.has(name))) return
  const isHalf = await stat(restoreMarker(dataDir)).then(
    () => true,
    () => false,
  )
  throw new RestoreTargetError(
    isHalf
      ? `a restore into ${dataDir} was begun and is not finished: wait for it, or, where it broke off, empty the folder, then repeat this`
      : `${dataDir} is not empty, and a restore writes only into an empty folder: name another with --data-dir, or move away what is there`,
  )
}

async function countedFile({ file, onProgress }: RestoreOrder): Promise<AsyncGenerator<Buffer>> {
  const { size } = await stat(file).catch((error: Error) => {
    throw new BackupRefusedError(`the backup cannot be read: ${error.message}`)
  })
  return (async function* () {
    let done = 0
    for await (const part of createReadStream(file, { highWaterMark: 256 * 1024 })) {
      done += (part as Buffer).length
      onProgress(done, size, 'read')
      yield part as Buffer
    }
  })()
}

/** @returns how many records */
async function writeEntries(chunks: AsyncIterable<Buffer>, dataDir: string): Promise<number> {
  const folder = join(dataDir, 'profiles')
  await mkdir(folder, { mode: 0o700 })
  const level = await openLevel(folder)
  const catalogue = await open(catalogFileOf(dataDir), 'wx', 0o600)
  const files = new Set<string>()
  let records = 0
  let pending: BackupEntry[] = []
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      for (const entry of unpackEntries(chunk)) {
        if (entry.kind === EntryKind.catalogue) await catalogue.writeFile(entry.value)
        else if (entry.kind === EntryKind.file) files.add(await writeKeyFile(dataDir, entry))
        else {
          records += 1
          pending.push(entry)
          bytes += entry.value.length
        }
      }
      if (bytes < BATCH_BYTES) continue
      await writeBatch(level, pending, false)
      pending = []
      bytes = 0
    }
    await writeBatch(level, pending, true)
    await catalogue.sync()
  } finally {
    await catalogue.close()
    await level.close()
  }
  const missing = KEY_FILES.filter((name) => !files.has(name))
  if (missing.length > 0) throw new BackupRefusedError(`the backup lacks ${missing.join(' and ')}`)
  return records
}

async function writeBatch(level: Level, entries: readonly BackupEntry[], sync: boolean): Promise<void> {
  const batch = level.batch()
  for (const { key, value } of entries) batch.put(key, value)
  await batch.write(sync)
}

async function writeKeyFile(dataDir: string, { key, value }: BackupEntry): Promise<string> {
  const name = KEY_FILES.find((known) => known === key.toString('utf8'))
  if (name === undefined) throw new BackupRefusedError('the backup holds a file that this Usher does not know')
  await writeWhole(join(dataDir, name), value)
  return name
}

/** Checks what was written, and makes the opt-outs since hold. */
async function settle(order: RestoreOrder): Promise<Pick<RestoreReport, 'optOuts' | 'check'>> {
  const { config, masterKey } = order
  const nowMs = createClock(0).now
  const keys = { optOutKey: readKey(config.dataDir, 'optout.key'), ecidKey: readKey(config.dataDir, 'ecid.key') }
  const keyChecks = keyChecksOf(keys)
  const engine = openSqlite(catalogFileOf(config.dataDir))
  const catalog = await openCatalog({ engine, masterKey, keyChecks, clock: nowMs })
  await catalog.close()
  // Beside the records, wherever the server keeps its list: what is outside stays as it is until the server starts.
  const paths = storePaths({ dataDir: config.dataDir, optOuts: {} })
  const optOutKeyCheck = keyChecks['optout.key']
  const records = await openEmbeddedRecordStore({ ...paths, optOutKeyCheck, durability: 'process', nowMs })
  try {
    const check = await verifyStore(records, {
      onProgress: (done, total) => order.onProgress(done, total, 'checked'),
      checkFiles: () => records.checkFiles(),
      checkCatalog: () => checkCatalog(catalogFileOf(config.dataDir)),
      checkKeys: () => findKeyProblems({ dataDir: config.dataDir, masterKey: masterKey.toString('base64') }),
    })
    return { check, optOuts: await applyList(order, records, keys.optOutKey) }
  } finally {
    await records.close()
  }
}

async function applyList(
  { optOutList }: RestoreOrder,
  records: RecordStore,
  optOutKey: Buffer,
): Promise<OptOutsSince | null> {
  if (optOutList === undefined) return null
  const list = new OptOutList(optOutList, { keyCheck: keyCheck(optOutKey, 'optout.key') })
  return applyOptOutsSince(records, list, optOutKey)
}

async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function clear(dataDir: string): Promise<void> {
  const ours = ['layout', 'profiles', 'damaged', 'opt-outs.list', 'opt-outs.list.new', 'master.key', ...KEY_FILES]
  const catalogue = ['', '-wal', '-shm', '-journal'].map((end) => `${catalogFileOf(dataDir)}${end}`)
  for (const path of [...ours.map((name) => join(dataDir, name)), ...catalogue])
    await rm(path, { recursive: true, force: true })
}
