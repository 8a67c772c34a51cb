import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import { eachInSlices, nextTurn, runInSlices } from '../../lib/slices.ts'
import type {
  DataSource,
  Definitions,
  Destination,
  Folder,
  IdType,
  Mapping,
  Segment,
  Trait,
} from '../../model/definitions.ts'
import type {
  DataSourceId,
  DestinationId,
  FolderId,
  MappingId,
  MergeRuleId,
  SegmentId,
  TraitId,
} from '../../model/ids.ts'
import { retentionDaysOf } from '../../model/retention.ts'
import { readMeta } from './change-feed.ts'
import type { DataSourceOptions } from './data-sources.ts'
import { readDestination } from './destinations.ts'
import { readMergeRule } from './merge-rules.ts'
import type { Vault } from './secrets.ts'
import type { DataSourceRow, FolderRow, MappingRow, SegmentRow, Tables, TraitRow } from './tables.ts'

/** Rows asked for at a time: no query, and no turn of the event loop, is long because there are many. */
const PAGE_ROWS = 500

/**
 * All definitions as they were at one moment, whatever is written meanwhile, each list in the order of its ids. They are
 * plain values, all in memory: the rulebook that is built from them keeps nearly all of it anyway.
 * @param reader of the engine
 */
export function readDefinitions(reader: Kysely<Tables>, vault: Vault): Promise<Definitions> {
  return reader
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const traits = tx
        .selectFrom('traits')
        .innerJoin('data_sources', 'data_sources.data_source_id', 'traits.data_source_id')
        .selectAll('traits')
        .select('data_sources.origin')
      const folders = tx.selectFrom('folders').selectAll().where('kind', '=', 'traits')
      return {
        version: await readMeta(tx, 'version'),
        deletionVersion: await readMeta(tx, 'deletion'),
        dataSources: await readAll(
          tx.selectFrom('data_sources').selectAll(),
          'data_source_id',
          readDataSourceDefinition,
        ),
        folders: await readAll(folders, 'folder_id', readFolderDefinition),
        traits: await readAll(traits, 'trait_id', readTraitDefinition),
        segments: await readAll(tx.selectFrom('segments').selectAll(), 'segment_id', readSegmentDefinition),
        mergeRules: await readAll(tx.selectFrom('merge_rules').selectAll(), 'merge_rule_id', readMergeRule),
        destinations: await readAll(
          tx.selectFrom('destinations').selectAll(),
          'destination_id',
          (row): Destination => readDestination(row, vault),
        ),
        mappings: await readAll(tx.selectFrom('mappings').selectAll(), 'mapping_id', readMappingDefinition),
      }
    })
}

async function readAll<DB, TB extends keyof DB, Row extends object, Item>(
  query: SelectQueryBuilder<DB, TB, Row>,
  idColumn: string & keyof Row,
  read: (row: Row) => Item,
): Promise<Item[]> {
  const id = sql.ref<number>(idColumn)
  const items: Item[] = []
  // The root of the folders is 0.
  for (let after = -1; ; ) {
    const page = query.where(sql<boolean>`${id} > ${after}`).orderBy(id).limit(PAGE_ROWS)
    const rows = (await page.execute()) as Row[]
    await nextTurn()
    for (const item of await runInSlices(eachInSlices(rows, read))) items.push(item)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return items
    after = Number(last[idColumn])
  }
}

function readFolderDefinition(row: FolderRow): Folder {
  return {
    folderId: row.folder_id as FolderId,
    parentFolderId: row.parent_folder_id as FolderId,
    folderTraitId: row.folder_trait_id === null ? undefined : (row.folder_trait_id as TraitId),
  }
}

function readSegmentDefinition(row: SegmentRow): Segment {
  return {
    segmentId: row.segment_id as SegmentId,
    name: row.name,
    segmentRule: row.segment_rule,
    dataSourceId: row.data_source_id as DataSourceId,
    mergeRuleId: row.merge_rule_id as MergeRuleId,
    status: row.status as Segment['status'],
  }
}

function readMappingDefinition(row: MappingRow): Mapping {
  return {
    mappingId: row.mapping_id as MappingId,
    destinationId: row.destination_id as DestinationId,
    segmentId: row.segment_id as SegmentId,
    value: row.value,
    startDay: row.start_day,
    endDay: row.end_day ?? undefined,
  }
}

function readTraitDefinition(row: TraitRow & { readonly origin: string }): Trait {
  return {
    traitId: row.trait_id as TraitId,
    name: row.name,
    traitType: row.trait_type as Trait['traitType'],
    dataSourceId: row.data_source_id as DataSourceId,
    folderId: row.folder_id as FolderId,
    traitRule: row.trait_rule ?? undefined,
    ttlDays: row.ttl_days,
    status: row.status as Trait['status'],
    // Folder traits may carry recency and frequency too [AUD-132]: the automatic data source is the account's own.
    isFirstParty: row.origin !== 'global',
  }
}

function readDataSourceDefinition(row: DataSourceRow): DataSource {
  const options = JSON.parse(row.options) as DataSourceOptions
  return {
    dataSourceId: row.data_source_id as DataSourceId,
    name: row.name,
    integrationCode: row.integration_code ?? undefined,
    idType: row.id_type as IdType,
    status: row.status as DataSource['status'],
    retentionDays: retentionDaysOf(row.id_type as IdType, options.customerProfileDataRetentionSeconds),
    isGlobal: row.origin === 'global',
    redirectHosts: options.redirectHosts,
    sync: options.sync,
  }
}
