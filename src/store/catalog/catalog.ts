import type { Kysely } from 'kysely'
import type { Clock } from '../../model/clock.ts'
import type { Definitions } from '../../model/definitions.ts'
import { createChangeFeed, readMeta } from './change-feed.ts'
import type { Connection } from './connection.ts'
import { createDataSources, type DataSourceRepository } from './data-sources.ts'
import { readDefinitions } from './definitions.ts'
import { createDestinations, type DestinationRepository } from './destinations.ts'
import type { CatalogEngine } from './engine.ts'
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
  /** Rises by 1 with every change. The latest that is known here: of a change that another process made, a second later. */
  version(): number
  /** Called after each change, once it is durable, whoever made it; once for several that come together. */
  onChange(listener: () => void): void
  /** As they are now, all of one moment, and of this version at least. */
  definitions(): Promise<Definitions>
  /** Looks at once for what other processes have changed. */
  look(): Promise<void>
  /** Profiles hold nothing any more of what was deleted up to this version: its ids may be given again [AUD-59]. */
  freeIds(deletionVersion: number): Promise<void>
  close(): Promise<void>
}

export interface CatalogOptions {
  /** Closed with the catalogue, and when that does not open. */
  readonly engine: CatalogEngine
  /** 32 bytes [OPS-26]. */
  readonly masterKey: Buffer
  readonly clock: Clock
  /** Checks of the keys of the data directory, by their files; kept where there are none yet, judged by `readKeyChecks`. */
  readonly keyChecks?: Readonly<Record<string, string>> | undefined
  readonly limits?: Partial<Limits>
}

/** Between two looks for what other processes have changed: what they defined must be in effect within 5 s. */
const LOOK_EVERY_MS = 1_000

/**
 * Opens the catalogue, brings its tables up to date, and fills a new one.
 * @throws SecretUnreadableError when the master key is not the one it was made with; the start must stop [SEC-62]
 */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const { engine, masterKey, clock, keyChecks = {}, limits } = options
  const { db } = engine
  try {
    await engine.checkSuitable?.()
    await migrate(engine)
    await seed(db, masterKey, clock())
    await keepKeyChecks(db, keyChecks)
    const wrappedKey = await readSetting(db, 'data_key')
    const pid = await readSetting(db, 'pid')
    const feed = createChangeFeed(engine, clock, await readMeta(db, 'version'))
    const vault = openVault(masterKey, wrappedKey)
    const connection: Connection = { db, limits: { ...DEFAULT_LIMITS, ...limits }, vault, change: feed.change }
    const look = async () => feed.saw(await readMeta(db, 'version'))
    // One that fails is made up for by the next.
    const timer = engine.isShared ? setInterval(() => void look().catch(() => {}), LOOK_EVERY_MS).unref() : undefined

    return {
      pid: Number(pid),
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
      async definitions() {
        const definitions = await readDefinitions(engine.reader, vault)
        feed.saw(definitions.version)
        return definitions
      },
      look,
      freeIds: (deletionVersion) => freeIds(db, deletionVersion),
      async close() {
        clearInterval(timer)
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function readSetting(db: Kysely<Tables>, key: string): Promise<string> {
  const { value } = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirstOrThrow()
  return value
}

async function keepKeyChecks(db: Kysely<Tables>, keyChecks: Readonly<Record<string, string>>): Promise<void> {
  const rows = Object.entries(keyChecks).map(([name, value]) => ({ key: settingOf(name), value }))
  const insert = db.insertInto('settings').onConflict((conflict) => conflict.doNothing())
  if (rows.length > 0) await insert.values(rows).execute()
}
