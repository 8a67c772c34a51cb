import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
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
import type { DataSourceOptions } from './data-sources.ts'
import { readDestination } from './destinations.ts'
import { readMergeRule } from './merge-rules.ts'
import type { Vault } from './secrets.ts'
import type { Snapshot } from './sqlite.ts'
import type { DataSourceRow, FolderRow, MappingRow, SegmentRow, Tables, TraitRow } from './tables.ts'

/** Definitions of one moment. Its connection closes by itself once every list was read to its end, or by `close`. */
export interface DefinitionsSnapshot extends Definitions {
  close(): void
}

/**
 * All lists come from one snapshot, so what is written meanwhile does not show; each pulls its rows some at a time in the
 * order of their ids, so that no step takes long.
 */
export function readDefinitions(db: Kysely<Tables>, snapshot: Snapshot, vault: Vault): DefinitionsSnapshot {
  const meta = (key: string) => {
    const [row] = snapshot.rows(db.selectFrom('meta').select('value').where('key', '=', key).compile())
    return Number(row?.value)
  }
  let unread = 7
  const list = <DB, TB extends keyof DB, Row extends object, Item>(
    query: SelectQueryBuilder<DB, TB, Row>,
    idColumn: string & keyof Row,
    read: (row: Row) => Item,
  ) => {
    let hasEnded = false
    return {
      *[Symbol.iterator]() {
        for (const row of snapshot.rows(query.orderBy(sql.ref<number>(idColumn)).compile())) yield read(row as Row)
        if (!hasEnded && --unread === 0) snapshot.close()
        hasEnded = true
      },
    }
  }
  const traits = db
    .selectFrom('traits')
    .innerJoin('data_sources', 'data_sources.data_source_id', 'traits.data_source_id')
    .selectAll('traits')
    .select('data_sources.origin')

  return {
    version: meta('version'),
    deletionVersion: meta('deletion'),
    dataSources: list(db.selectFrom('data_sources').selectAll(), 'data_source_id', readDataSourceDefinition),
    folders: list(db.selectFrom('folders').selectAll().where('kind', '=', 'traits'), 'folder_id', readFolderDefinition),
    traits: list(traits, 'trait_id', readTraitDefinition),
    segments: list(db.selectFrom('segments').selectAll(), 'segment_id', readSegmentDefinition),
    mergeRules: list(db.selectFrom('merge_rules').selectAll(), 'merge_rule_id', readMergeRule),
    destinations: list(
      db.selectFrom('destinations').selectAll(),
      'destination_id',
      (row): Destination => readDestination(row, vault),
    ),
    mappings: list(db.selectFrom('mappings').selectAll(), 'mapping_id', readMappingDefinition),
    close: () => snapshot.close(),
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
