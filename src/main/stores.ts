import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { UsherConfig } from '../config.ts'
import { isDiskFull } from '../lib/disk-space.ts'
import type { SecretFiles } from '../lib/secret-files.ts'
import type { Clock } from '../model/clock.ts'
import { PARTITIONS } from '../model/partition.ts'
import { type Catalog, openCatalog } from '../store/catalog/catalog.ts'
import { checkCatalog } from '../store/catalog/sqlite/check-catalog.ts'
import { openSqlite } from '../store/catalog/sqlite/sqlite-engine.ts'
import { type Damage, mayLack } from '../store/damage.ts'
import { type DeliveryStore, openDeliveryStore } from '../store/delivery-store.ts'
import { type DenyStore, openDenyStore } from '../store/deny-store.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { type JobStore, openJobStore } from '../store/job-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import { openProfileStore } from '../store/profiles.ts'
import { Kind } from '../store/record-kinds.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { VerifyOptions } from '../store/verify.ts'
import type { BackupSource } from './backup.ts'
import { findSecretProblems, keyChecksOf, openCheckedKeys } from './checked-keys.ts'
import { makeOptOutList, openDataDir, optOutListOf } from './data-dir.ts'
import { catalogFileOf, isEmptyFile, isInUse, noteLayout } from './layout.ts'

/** Everything that outlives the process: one data directory. */
export interface Stores {
  /** Nothing was in the data directory before. */
  readonly isFirstStart: boolean
  readonly secrets: SecretFiles
  /** Of the data directory and the keys in it, a sentence each. */
  readonly warnings: readonly string[]
  readonly catalog: Catalog
  readonly records: RecordStore
  readonly profiles: ProfileStore
  readonly deliveries: DeliveryStore
  readonly jobs: JobStore
  readonly denied: DenyStore
  /** Once profiles hold nothing any more of what was deleted up to this version: its ids may be given again. */
  freeIds(deletionVersion: number): Promise<void>
  /** What was damaged and set aside: files that nobody has settled, and records since the start [SEC-60]. */
  damage(): StoredDamage
  /** Read every file of the profile store, every page of the definitions, and the keys. */
  readonly checks: Pick<VerifyOptions, 'checkFiles' | 'checkCatalog' | 'checkKeys'>
  /** What a backup is made of. */
  readonly backedUp: Omit<BackupSource, 'nowMs'>
  close(): Promise<void>
}

export interface StoredDamage {
  readonly files: readonly Damage[]
  readonly records: number
  /** Opt-outs that their second copy lacks, because it cannot be written [SEC-79]. */
  readonly unlistedOptOuts: number
}

/** The definitions cannot be read, and nothing but a backup has them. */
class CatalogDamagedError extends Error {
  readonly code = 'catalog_damaged'

  static ifDamaged(file: string, error: unknown): unknown {
    const { code, message, cause } = error as { readonly code?: unknown; readonly message?: string; cause?: unknown }
    if (code !== 'SQLITE_CORRUPT' && code !== 'SQLITE_NOTADB') {
      const deeper = cause === undefined ? error : CatalogDamagedError.ifDamaged(file, cause)
      return deeper === cause ? error : deeper
    }
    return new CatalogDamagedError(
      `the definitions in ${file} are damaged: ${message}. Nothing was changed. Restore a backup (docs/damage.md)`,
      { cause: error },
    )
  }
}

/** One half of a data directory in use is not there: going on would mean to begin anew in silence. */
class StoreMissingError extends Error {
  readonly code = 'store_missing'
}

/** Where the profile store, its damaged files and the second copy of its opt-outs are. */
export function storePaths({ dataDir, optOuts }: Pick<UsherConfig, 'dataDir' | 'optOuts'>) {
  return {
    folder: join(dataDir, 'profiles'),
    asideFolder: join(dataDir, 'damaged'),
    optOutList: optOutListOf({ dataDir, optOuts }),
  }
}

export interface StoreOptions {
  readonly clock: Clock
  readonly onCorrupt: () => void
  readonly log: (event: string, fields: Record<string, unknown>) => void
  readonly onWrite?: (ms: number, isSynced: boolean) => void
  /** Something could not be written; told before anybody else hears of it. */
  readonly onWriteFailed?: (error: unknown) => void
  /** Tests put a damaged engine in between. */
  readonly wrapRecords?: ((records: RecordStore) => RecordStore) | undefined
}

/**
 * Opens everything; where no room is left, once more in the room that was kept for that [SEC-61].
 * @throws ConfigError, SecretFileError, StoreLockedError, or the catalogue's, each saying what to do; DiskFullError
 */
export async function openStores(config: UsherConfig, options: StoreOptions): Promise<Stores> {
  try {
    return await openOnce(config, options)
  } catch (error) {
    if (!isDiskFull(error)) throw error
    options.onWriteFailed?.(error)
    return openOnce(config, options)
  }
}

async function openOnce(config: UsherConfig, options: StoreOptions): Promise<Stores> {
  const { dataDir } = config
  const warnings = openDataDir(config)
  if (!isInUse(dataDir)) await noteLayout(dataDir)
  makeOptOutList(config)
  const catalogFile = catalogFileOf(dataDir)
  const isFirstStart = isEmptyFile(catalogFile)
  const secrets = openCheckedKeys(config)
  const keyChecks = keyChecksOf(secrets)
  const { folder } = storePaths(config)
  if (!isFirstStart && !existsSync(folder))
    throw new StoreMissingError(
      `the profile store ${folder} is missing although the data directory is in use. Nothing was changed. Restore a backup (docs/damage.md); to begin without a single profile, make that folder yourself`,
    )
  if (!isFirstStart && !existsSync(join(folder, 'CURRENT')))
    warnings.push(`${folder} is empty although the data directory is in use: every profile begins anew.`)
  let [damagedRecords, unlistedOptOuts] = [0, 0]
  const onCorrupt = () => {
    damagedRecords += 1
    options.onCorrupt()
  }
  let profiles: ProfileStore | undefined
  const opened = await openEmbeddedRecordStore({
    ...storePaths(config),
    optOutKeyCheck: keyChecks['optout.key'],
    durability: config.durability,
    readsThrough: true,
    nowMs: options.clock,
    log: options.log,
    onWrite: options.onWrite,
    onDamage(damage) {
      for (let i = 0; i < Math.max(damage.places, damage.writes ?? 0); i++) options.onCorrupt()
      if (profiles !== undefined) void refileDue([damage], profiles, options.log)
    },
    onWriteFailed: options.onWriteFailed,
    onUnlisted(optOuts) {
      unlistedOptOuts = optOuts
    },
  })
  const records = options.wrapRecords?.(opened) ?? opened
  const openedProfiles = await openProfileStore(records, {
    optOutKey: secrets.optOutKey,
    onCorrupt,
    log: options.log,
  })
  profiles = openedProfiles
  if (isFirstStart && (await holdsProfiles(records))) {
    await openedProfiles.close()
    throw new StoreMissingError(
      `the definitions in ${catalogFile} are missing, or the file is empty, although ${folder} holds profiles. Nothing was changed. Restore a backup (docs/damage.md)`,
    )
  }
  void refileDue(opened.damage(), profiles, options.log)
  const catalog = await openCatalog({
    engine: openSqlite(catalogFile, options.onWriteFailed),
    masterKey: secrets.masterKey,
    keyChecks,
    clock: options.clock,
  }).catch(async (error: unknown) => {
    // A second try must find the folder let go.
    await openedProfiles.close()
    throw CatalogDamagedError.ifDamaged(catalogFile, error)
  })
  return {
    isFirstStart,
    secrets,
    warnings: [...warnings, ...secrets.warnings],
    catalog,
    records,
    profiles,
    deliveries: openDeliveryStore(records, (key) => {
      options.log('store.record_corrupt', { key: key.toString('hex') })
      options.onCorrupt()
    }),
    jobs: openJobStore(records),
    denied: openDenyStore(records, onCorrupt),
    async freeIds(deletionVersion) {
      // Not before what was taken out of profiles is gone from the device too.
      await records.flush()
      await catalog.freeIds(deletionVersion)
    },
    damage: () => ({ files: opened.damage(), records: damagedRecords, unlistedOptOuts }),
    checks: {
      checkFiles: (onProgress) => opened.checkFiles(onProgress),
      checkCatalog: () => checkCatalog(catalogFile),
      checkKeys: () => findSecretProblems(config),
    },
    backedUp: { records: opened, catalogFile, secrets, account: catalog.pid },
    async close() {
      await catalog.close()
      await profiles.close()
    },
  }
}

async function holdsProfiles(records: RecordStore): Promise<boolean> {
  for await (const _page of records.scan(Kind.profile, { limitEach: 1 })) return true
  return false
}

/** While damage is mended the store may refuse. */
const REFILE_TRIES_MAX = 10
const REFILE_PAUSE_MS = 5_000

/**
 * Time must still end what it would have ended, where the entries that say when are lost. Goes on beside everything else; a
 * crash does no harm, because it is done again at each start until the damage is settled.
 */
async function refileDue(damages: readonly Damage[], profiles: ProfileStore, log: StoreOptions['log']): Promise<void> {
  const lacks = (partition: number) => damages.some((damage) => mayLack(damage, 'due', partition))
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(lacks)
  let count = 0
  for (const partition of partitions) {
    for (let tries = 1; tries <= REFILE_TRIES_MAX; tries++) {
      try {
        count += await profiles.refileDue(partition)
        break
      } catch (error) {
        if (tries === REFILE_TRIES_MAX) return log('store.due_not_refiled', { partition, error: String(error) })
        await sleep(REFILE_PAUSE_MS, undefined, { ref: false })
      }
    }
  }
  if (count > 0) log('store.due_refiled', { profiles: count })
}
