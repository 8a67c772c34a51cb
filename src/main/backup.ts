import { statSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { BackupDesk } from '../api/backups.ts'
import type { UsherConfig } from '../config.ts'
import { createClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SecretFiles } from '../lib/secret-files.ts'
import { readVersion } from '../lib/version.ts'
import { type BackupEntry, EntryKind, packEntries } from '../store/backup/backup-entries.ts'
import { sealStream } from '../store/backup/sealed-stream.ts'
import { openCatalog } from '../store/catalog/catalog.ts'
import { copyCatalog } from '../store/catalog/sqlite/copy-catalog.ts'
import { openSqlite } from '../store/catalog/sqlite/sqlite-engine.ts'
import type { EmbeddedRecordStore } from '../store/embedded/embedded-options.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { keyChecksOf, openCheckedKeys } from './checked-keys.ts'
import { openDataDir } from './data-dir.ts'
import { catalogFileOf, isEmptyFile } from './layout.ts'
import { storePaths } from './stores.ts'
import { NoDataError } from './verify-data-dir.ts'

/** What a backup is made of. The master key seals it and is not in it, nor is the administrator's token [SEC-62]. */
export interface BackupSource {
  readonly records: Pick<EmbeddedRecordStore, 'everything' | 'stats'>
  readonly catalogFile: string
  readonly secrets: Pick<SecretFiles, 'masterKey' | 'optOutKey' | 'ecidKey'>
  readonly account: number
  readonly nowMs: number
}

export interface Backup {
  /** Sealed, at the pace of whoever takes it. Ending it early lets everything go. */
  readonly bytes: AsyncGenerator<Buffer>
  /** How many there may be, for a progress bar: what is stored is compressed. */
  readonly aboutBytes: number
}

/** The files without which the rest is of no use; the name of each is that of the data directory. */
export const KEY_FILES = ['optout.key', 'ecid.key'] as const

/**
 * Everything acknowledged before the call, as of one moment: an event is in it whole or not at all [SEC-90]. The catalogue is
 * read after the records, so that it has all that they speak of.
 */
export async function makeBackup(source: BackupSource): Promise<Backup> {
  const { diskBytes } = await source.records.stats()
  const header = {
    createdAt: new Date(source.nowMs).toISOString(),
    usherVersion: readVersion(),
    account: source.account,
  }
  return {
    bytes: sealStream(packEntries(entriesOf(source)), header, source.secrets.masterKey),
    aboutBytes: diskBytes + statSync(source.catalogFile).size,
  }
}

async function* entriesOf({ records, catalogFile, secrets }: BackupSource): AsyncGenerator<BackupEntry> {
  const keys = { 'optout.key': secrets.optOutKey, 'ecid.key': secrets.ecidKey }
  for (const name of KEY_FILES)
    yield { kind: EntryKind.file, key: Buffer.from(name), value: Buffer.from(`${keys[name].toString('base64')}\n`) }
  for await (const page of records.everything())
    for (const { key, record } of page) yield { kind: EntryKind.record, key, value: record }
  for await (const value of copyCatalog(catalogFile)) yield { kind: EntryKind.catalogue, key: Buffer.alloc(0), value }
}

/** Of a running server: one at a time, since each holds back what the store would clear away. */
export function openBackupDesk(
  source: Omit<BackupSource, 'nowMs'>,
  { clock, log }: { readonly clock: () => number; readonly log: Log },
): BackupDesk {
  let isRunning = false
  return {
    async start() {
      if (isRunning) return undefined
      isRunning = true
      try {
        const { bytes, aboutBytes } = await makeBackup({ ...source, nowMs: clock() })
        const stream = Readable.from(bytes, { objectMode: false })
        stream.once('error', (error) => log.error('backup.failed', { error }))
        // Also when it was never begun to be read.
        stream.once('close', () => {
          isRunning = false
        })
        return { bytes: stream, aboutBytes }
      } catch (error) {
        isRunning = false
        throw error
      }
    },
  }
}

/**
 * Of a data directory that no server has open.
 * @param write takes all of it @throws StoreLockedError when a server has it open, NoDataError, SecretFileError
 */
export async function backupDataDir(config: UsherConfig, write: (backup: Backup) => Promise<void>): Promise<void> {
  const catalogFile = catalogFileOf(config.dataDir)
  if (isEmptyFile(catalogFile)) throw new NoDataError(config.dataDir)
  openDataDir(config)
  const nowMs = createClock(0).now
  const secrets = openCheckedKeys(config)
  const keyChecks = keyChecksOf(secrets)
  const engine = openSqlite(catalogFile)
  const catalog = await openCatalog({ engine, masterKey: secrets.masterKey, keyChecks, clock: nowMs })
  await catalog.close()
  const records = await openEmbeddedRecordStore({
    ...storePaths(config),
    optOutKeyCheck: keyChecks['optout.key'],
    durability: 'process',
    nowMs,
  })
  try {
    await write(await makeBackup({ records, catalogFile, secrets, account: catalog.pid, nowMs: nowMs() }))
  } finally {
    await records.close()
  }
}
