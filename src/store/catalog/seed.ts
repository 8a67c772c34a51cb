import type { Kysely, Transaction } from 'kysely'
import { createdBy } from './connection.ts'
import type { DataSourceOptions } from './data-sources.ts'
import { ROOT_FOLDER_ID } from './folders.ts'
import { SEQUENCES, takeId } from './ids.ts'
import { createWrappedKey } from './secrets.ts'
import type { Tables } from './tables.ts'

/** Ids and names of the data sources that every account has [COL-62]; their formats are checked where IDs come in. */
const GLOBAL_DATA_SOURCES = [
  [20914, 'Google Advertising ID (GAID)'],
  [20915, 'Apple Advertising ID (IDFA)'],
  [121963, 'Roku Advertising ID (RIDA)'],
  [389146, 'Microsoft Advertising ID (MAID)'],
  [488258, 'Amazon Fire TV Advertising ID'],
  [963906, 'Samsung Tizen Advertising ID (TIFA)'],
  [1171485, 'LG Advertising ID (LGUDID)'],
  [1171489, 'Vizio Advertising ID (IFA)'],
] as const

/** 720 days, the default [AUD-164]. */
const RETENTION_SECONDS = 62_208_000

/** A data source with nothing switched on. */
export const DEFAULT_OPTIONS: DataSourceOptions = {
  subIdType: undefined,
  inboundS2S: false,
  outboundS2S: false,
  uniqueTraitIntegrationCodes: false,
  uniqueSegmentIntegrationCodes: false,
  supportsAuthenticatedProfile: false,
  authenticatedProfileName: undefined,
  customerProfileDataRetentionSeconds: RETENTION_SECONDS,
  redirectHosts: [],
  sync: undefined,
}

/** Fills an empty catalogue with what every account has; does nothing otherwise. */
export async function seed(db: Kysely<Tables>, masterKey: Buffer, nowMs: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // First of all: whoever else opens it at the same time waits here until this is done.
    const first = await tx
      .insertInto('meta')
      .values({ key: 'version', value: 1 })
      .onConflict((conflict) => conflict.doNothing())
      .returning('key')
      .executeTakeFirst()
    if (first === undefined) return
    await tx.insertInto('meta').values({ key: 'deletion', value: 0 }).execute()
    await tx
      .insertInto('settings')
      .values([
        { key: 'data_key', value: createWrappedKey(masterKey) },
        { key: 'pid', value: '1' },
      ])
      .execute()
    const counters = Object.entries(SEQUENCES).map(([name, { start }]) => ({ name, next: start }))
    await tx.insertInto('counters').values(counters).execute()
    await seedFolders(tx, nowMs)
    await seedDataSources(tx, nowMs)
    await seedMergeRule(tx, nowMs)
  })
}

async function seedFolders(tx: Transaction<Tables>, nowMs: number): Promise<void> {
  const root = {
    folder_id: ROOT_FOLDER_ID,
    parent_folder_id: ROOT_FOLDER_ID,
    folder_trait_id: null,
    ...createdBy(0, nowMs),
  }
  await tx
    .insertInto('folders')
    .values([
      { kind: 'traits', name: 'All Traits', ...root },
      { kind: 'segments', name: 'All Segments', ...root },
    ])
    .execute()
}

async function seedDataSources(tx: Transaction<Tables>, nowMs: number): Promise<void> {
  const common = { status: 'ACTIVE', options: JSON.stringify(DEFAULT_OPTIONS), ...createdBy(0, nowMs) }
  const globals = GLOBAL_DATA_SOURCES.map(([id, name]) => ({
    data_source_id: id,
    name,
    description: null,
    integration_code: `DSID_${id}`,
    id_type: 'DEVICE_ADVERTISING_ID',
    origin: 'global',
    ...common,
  }))
  const automatic = {
    data_source_id: await takeId(tx, 'dataSources', { id: undefined, field: 'dataSourceId' }),
    name: 'Automatic',
    description: 'Automatically generated trait data source',
    integration_code: 'adobe-provided',
    id_type: 'COOKIE',
    origin: 'automatic',
    ...common,
  }
  await tx
    .insertInto('data_sources')
    .values([...globals, automatic])
    .execute()
}

/** [AUD-350] */
async function seedMergeRule(tx: Transaction<Tables>, nowMs: number): Promise<void> {
  const row = {
    merge_rule_id: await takeId(tx, 'dataSources', { id: undefined, field: 'mergeRuleDataSourceId' }),
    name: 'No Cross-Device Profile + Device Profile',
    description: null,
    cross_device_option: 'NONE',
    device_option: 'DEVICE',
    cross_device_data_source_ids: '[]',
    data_export_restrictions: '[]',
    is_default: 1,
    ...createdBy(0, nowMs),
  }
  await tx.insertInto('merge_rules').values(row).execute()
}
