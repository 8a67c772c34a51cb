import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { UsherConfig } from '../config.ts'
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
  /** Of the data directory and the keys in it, a sentence each. */
  readonly warnings: readonly string[]
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
  /** Tests put a damaged engine in between. */
  readonly wrapRecords?: ((records: RecordStore) => RecordStore) | undefined
}

/** @throws ConfigError, SecretFileError, StoreLockedError, or the catalogue's, each saying what to do */
export async function openStores(config: UsherConfig, options: StoreOptions): Promise<Stores> {
  const { dataDir } = config
  const warnings = openDataDir(config)
  const catalogFile = join(dataDir, 'catalog.sqlite')
  const isFirstStart = !existsSync(catalogFile)
  const secrets = openSecretFiles(dataDir, { masterKey: config.masterKey, inUse: !isFirstStart })
  const opened = await openEmbeddedRecordStore({
    folder: join(dataDir, 'profiles'),
    durability: config.durability,
    log: options.log,
    onWrite: options.onWrite,
  })
  const records = options.wrapRecords?.(opened) ?? opened
  const profiles = await openProfileStore(records, {
    optOutKey: secrets.optOutKey,
    onCorrupt: options.onCorrupt,
    log: options.log,
  })
  const catalog = await openCatalog({ file: catalogFile, masterKey: secrets.masterKey, clock: options.clock })
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
    denied: openDenyStore(records, options.onCorrupt),
    async close() {
      await catalog.close()
      await profiles.close()
    },
  }
}
