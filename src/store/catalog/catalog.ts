import type { Kysely } from 'kysely'
import type { Clock } from '../../model/clock.ts'
import { type Connection, createChangeFeed } from './connection.ts'
import { createDataSources, type DataSourceRepository } from './data-sources.ts'
import { type DefinitionsSnapshot, readDefinitions } from './definitions.ts'
import { createDestinations, type DestinationRepository } from './destinations.ts'
import { createFolders, type FolderRepository } from './folders.ts'
import { freeIds } from './ids.ts'
import { settingOf } from './key-checks.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { createMappings, type MappingRepository } from './mappings.ts'
import { createMergeRules, type MergeRuleRepository } from './merge-rules.ts'
import { migrate } from './migrations.ts'
import { createNames, type NameReader } from './names.ts'
import { openVault } from './secrets.ts'
import { seed } from './seed.ts'
import { createSegments, type SegmentRepository } from './segments.ts'
import { createSessions, type SessionRepository } from './sessions.ts'
import { openSqlite } from './sqlite.ts'
import type { Tables } from './tables.ts'
import { createTraits, type TraitRepository } from './traits.ts'

/** All definitions of the account, durable on disk before a change resolves [OPS-24]. */
export interface Catalog {
  /** Account id (`pid`). */
  readonly pid: number
  readonly limits: Limits
  readonly dataSources: DataSourceRepository
  readonly folders: FolderRepository
  readonly traits: TraitRepository
  readonly segments: SegmentRepository
  readonly mergeRules: MergeRuleRepository
  readonly destinations: DestinationRepository
  readonly mappings: MappingRepository
  readonly sessions: SessionRepository
  readonly names: NameReader
  /** Rises by 1 with every change. */
  version(): number
  /** Called after each change, once it is durable. */
  onChange(listener: () => void): void
  definitions(): DefinitionsSnapshot
  /** Profiles hold nothing any more of what was deleted up to this version: its ids may be given again [AUD-59]. */
  freeIds(deletionVersion: number): Promise<void>
  close(): Promise<void>
}

export interface CatalogOptions {
  /** Path of the database; its folder must exist. */
  readonly file: string
  /** 32 bytes [OPS-26]. */
  readonly masterKey: Buffer
  readonly clock: Clock
  /** Checks of the keys of the data directory, by their files; kept where there are none yet, judged by `readKeyChecks`. */
  readonly keyChecks?: Readonly<Record<string, string>> | undefined
  readonly limits?: Partial<Limits>
  /** A change could not be written. */
  readonly onWriteFailed?: ((error: unknown) => void) | undefined
}

/** A rulebook reads one snapshot at a time; more than these are leftovers of builds that failed. */
const SNAPSHOTS_MAX = 4

/**
 * Opens the catalogue, brings its tables up to date, and fills a new one.
 * @throws SecretUnreadableError when the master key is not the one it was made with; the start must stop [SEC-62]
 */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const { file, masterKey, clock, keyChecks = {}, limits, onWriteFailed } = options
  const engine = openSqlite(file, onWriteFailed)
  const { db } = engine
  try {
    await migrate(db)
    await seed(db, masterKey, clock())
    await keepKeyChecks(db, keyChecks)
    const wrappedKey = await db
      .selectFrom('settings')
      .select('value')
      .where('key', '=', 'data_key')
      .executeTakeFirstOrThrow()
    const pid = await db.selectFrom('settings').select('value').where('key', '=', 'pid').executeTakeFirstOrThrow()
    const version = await db.selectFrom('meta').select('value').where('key', '=', 'version').executeTakeFirstOrThrow()
    const feed = createChangeFeed(db, clock, Number(version.value))
    const vault = openVault(masterKey, wrappedKey.value)
    const connection: Connection = { db, limits: { ...DEFAULT_LIMITS, ...limits }, vault, change: feed.change }
    const snapshots: DefinitionsSnapshot[] = []

    return {
      pid: Number(pid.value),
      limits: connection.limits,
      dataSources: createDataSources(connection),
      folders: createFolders(connection),
      traits: createTraits(connection),
      segments: createSegments(connection),
      mergeRules: createMergeRules(connection),
      destinations: createDestinations(connection),
      mappings: createMappings(connection),
      sessions: createSessions(db),
      names: createNames(db),
      version: feed.version,
      onChange: feed.onChange,
      definitions() {
        const snapshot = readDefinitions(db, engine.openSnapshot(), vault)
        snapshots.push(snapshot)
        if (snapshots.length > SNAPSHOTS_MAX) snapshots.shift()?.close()
        return snapshot
      },
      freeIds: (deletionVersion) => freeIds(db, deletionVersion),
      async close() {
        for (const snapshot of snapshots) snapshot.close()
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function keepKeyChecks(db: Kysely<Tables>, keyChecks: Readonly<Record<string, string>>): Promise<void> {
  const kept = await db.selectFrom('settings').select('key').execute()
  const missing = Object.entries(keyChecks)
    .map(([name, value]) => ({ key: settingOf(name), value }))
    .filter(({ key }) => !kept.some((one) => one.key === key))
  if (missing.length > 0) await db.insertInto('settings').values(missing).execute()
}
