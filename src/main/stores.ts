import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { UsherConfig } from '../config.ts'
import { isDiskFull } from '../lib/disk-space.ts'
import { openSecretFiles, type SecretFiles } from '../lib/secret-files.ts'
import type { Clock } from '../model/clock.ts'
import { type Catalog, openCatalog } from '../store/catalog/catalog.ts'
import { type DeliveryStore, openDeliveryStore } from '../store/delivery-store.ts'
import { type DenyStore, openDenyStore } from '../store/deny-store.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { type JobStore, openJobStore } from '../store/job-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import { openProfileStore } from '../store/profiles.ts'
import type { RecordStore } from '../store/record-store.ts'
import { openDataDir } from './data-dir.ts'

/** Everything that outlives the process: one data directory. */
export interface Stores {
  /** Nothing was in the data directory before. */
  readonly isFirstStart: boolean
  readonly secrets: SecretFiles
  readonly catalog: Catalog
  readonly records: RecordStore
  readonly profiles: ProfileStore
  readonly deliveries: DeliveryStore
  readonly jobs: JobStore
  readonly denied: DenyStore
  close(): Promise<void>
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
  openDataDir(config)
  const catalogFile = join(dataDir, 'catalog.sqlite')
  const isFirstStart = !existsSync(catalogFile)
  const secrets = openSecretFiles(dataDir, { masterKey: config.masterKey, inUse: !isFirstStart })
  const opened = await openEmbeddedRecordStore({
    folder: join(dataDir, 'profiles'),
    durability: config.durability,
    log: options.log,
    onWrite: options.onWrite,
    onWriteFailed: options.onWriteFailed,
  })
  const records = options.wrapRecords?.(opened) ?? opened
  const profiles = await openProfileStore(records, {
    optOutKey: secrets.optOutKey,
    onCorrupt: options.onCorrupt,
    log: options.log,
  })
  const catalog = await openCatalog({
    file: catalogFile,
    masterKey: secrets.masterKey,
    clock: options.clock,
    onWriteFailed: options.onWriteFailed,
  }).catch(async (error: unknown) => {
    // A second try must find the folder let go.
    await profiles.close()
    throw error
  })
  return {
    isFirstStart,
    secrets,
    catalog,
    records,
    profiles,
    deliveries: openDeliveryStore(records),
    jobs: openJobStore(records),
    denied: openDenyStore(records, options.onCorrupt),
    async close() {
      await catalog.close()
      await profiles.close()
    },
  }
}
