import type { Transaction } from 'kysely'
import type { DataSource, IdType } from '../../model/definitions.ts'
import type { DataSourceId } from '../../model/ids.ts'
import { type Authorship, type Connection, createdBy, readAuthorship, updatedBy } from './connection.ts'
import { findDataSourceUsers, mergeRulesNaming } from './data-source-users.ts'
import { leaveId, takeId } from './ids.ts'
import { type Listing, type ListOptions, listRows } from './listing.ts'
import { CatalogRefusal, inUse, limitReached, notFound } from './refusal.ts'
import { mustBeOf, revise } from './revise.ts'
import type { DataSourceRow, Tables } from './tables.ts'

/** Members of a data source that only some parts ask for; stored together. Source: [API-75], [AUD-160]..[AUD-172]. */
export interface DataSourceOptions {
  readonly subIdType: 'CROSS_DEVICE_PERSON' | 'CROSS_DEVICE_HOUSEHOLD' | undefined
  readonly inboundS2S: boolean
  readonly outboundS2S: boolean
  readonly uniqueTraitIntegrationCodes: boolean
  readonly uniqueSegmentIntegrationCodes: boolean
  readonly supportsAuthenticatedProfile: boolean
  readonly authenticatedProfileName: string | undefined
  /** 1 to 60 months of 30 days [AUD-164]. */
  readonly customerProfileDataRetentionSeconds: number
  readonly redirectHosts: readonly string[]
  readonly sync: DataSource['sync']
}

export interface DataSourceDraft {
  readonly dataSourceId: number | undefined
  readonly name: string
  readonly description: string | undefined
  readonly integrationCode: string | undefined
  readonly idType: IdType
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly options: DataSourceOptions
}

export interface StoredDataSource extends Omit<DataSourceDraft, 'dataSourceId'>, Authorship {
  readonly dataSourceId: DataSourceId
  readonly origin: 'own' | 'global' | 'automatic'
}

export interface DataSourceFilter {
  readonly integrationCode?: string | undefined
  readonly inboundOnly?: boolean | undefined
  readonly outboundOnly?: boolean | undefined
  /** Also the global ones. */
  readonly includeGlobal: boolean
}

const SORTS = {
  dataSourceId: { column: 'data_source_id', type: 'number' },
  name: { column: 'name', type: 'text' },
  description: { column: 'description', type: 'text' },
  integrationCode: { column: 'integration_code', type: 'text' },
  idType: { column: 'id_type', type: 'text' },
  status: { column: 'status', type: 'text' },
  createTime: { column: 'created_at', type: 'number' },
  updateTime: { column: 'updated_at', type: 'number' },
} as const
const SEARCHED = ['data_source_id', 'name', 'description', 'integration_code', 'id_type']

export type DataSourceRepository = ReturnType<typeof createDataSources>

export function createDataSources({ db, limits, change }: Connection) {
  const get = async (id: number): Promise<StoredDataSource> => {
    const row = await db.selectFrom('data_sources').selectAll().where('data_source_id', '=', id).executeTakeFirst()
    if (row === undefined) throw notFound('data source', id)
    return readDataSource(row)
  }

  /** @param revision what the draft was made from, if from anything */
  const write = (id: number, draft: DataSourceDraft, author: number, revision?: number): Promise<StoredDataSource> =>
    change(async (tx, nowMs) => {
      mustBeOf(revision, await ownDataSource(tx, id))
      await refuseTakenCode(tx, draft, id)
      await keepForMergeRules(tx, draft, id)
      const row = await tx
        .updateTable('data_sources')
        .set({ ...columnsOf(draft), ...updatedBy(author, nowMs) })
        .where('data_source_id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      return readDataSource(row)
    })

  return {
    /** @throws CatalogRefusal not_found */
    get,

    list(filter: DataSourceFilter, options: ListOptions<keyof typeof SORTS> = {}): Listing<StoredDataSource> {
      let query = db.selectFrom('data_sources').selectAll()
      if (filter.integrationCode !== undefined) query = query.where('integration_code', '=', filter.integrationCode)
      if (!filter.includeGlobal) query = query.where('origin', '!=', 'global')
      // The options are JSON that we wrote ourselves, members in a fixed order without blanks.
      if (filter.inboundOnly === true) query = query.where('options', 'like', '%"inboundS2S":true%')
      if (filter.outboundOnly === true) query = query.where('options', 'like', '%"outboundS2S":true%')
      const columns = { id: 'data_source_id', sorts: SORTS, searched: SEARCHED }
      return listRows(query, columns, options, readDataSource)
    },

    create: (draft: DataSourceDraft, author: number): Promise<StoredDataSource> =>
      change(async (tx, nowMs) => {
        const { count } = await tx
          .selectFrom('data_sources')
          .select((row) => row.fn.countAll<number>().as('count'))
          .where('origin', '!=', 'global')
          .executeTakeFirstOrThrow()
        if (Number(count) >= limits.dataSources) throw limitReached('dataSources', limits.dataSources)
        await refuseTakenCode(tx, draft, undefined)
        const id = await takeId(tx, 'dataSources', { id: draft.dataSourceId, field: 'dataSourceId' })
        const row = { data_source_id: id, origin: 'own', ...columnsOf(draft), ...createdBy(author, nowMs) }
        await tx.insertInto('data_sources').values(row).execute()
        return readDataSource(row)
      }),

    replace: (id: number, draft: DataSourceDraft, author: number): Promise<StoredDataSource> =>
      write(id, draft, author),

    /** @param next makes the draft from what is stored; may be asked again, may throw */
    revise: (
      id: number,
      next: (stored: StoredDataSource) => DataSourceDraft,
      author: number,
    ): Promise<StoredDataSource> =>
      revise({ read: () => get(id), next, write: (draft, revision) => write(id, draft, author, revision) }),

    /** All of them or none. @throws CatalogRefusal in_use with the ids of what uses one of them */
    remove: (ids: readonly number[]): Promise<void> =>
      change(async (tx) => {
        for (const id of ids) {
          await ownDataSource(tx, id)
          const users = await findDataSourceUsers(tx, id)
          if (users !== undefined) throw inUse(`Data source ${id}`, users.kind, users.ids)
          await tx.deleteFrom('data_sources').where('data_source_id', '=', id).execute()
          await leaveId(tx, 'dataSources', id)
        }
      }),
  }
}

function columnsOf(draft: DataSourceDraft) {
  return {
    name: draft.name,
    description: draft.description ?? null,
    integration_code: draft.integrationCode ?? null,
    id_type: draft.idType,
    status: draft.status,
    options: JSON.stringify(draft.options),
  }
}

export function readDataSource(row: DataSourceRow): StoredDataSource {
  return {
    dataSourceId: row.data_source_id as DataSourceId,
    name: row.name,
    description: row.description ?? undefined,
    integrationCode: row.integration_code ?? undefined,
    idType: row.id_type as IdType,
    status: row.status as 'ACTIVE' | 'INACTIVE',
    origin: row.origin as StoredDataSource['origin'],
    options: JSON.parse(row.options) as DataSourceOptions,
    ...readAuthorship(row),
  }
}

/** The global ones are editable by none [COL-62]; the automatic one is not ours to change either. */
async function ownDataSource(tx: Transaction<Tables>, id: number): Promise<{ readonly revision: number }> {
  const row = await tx
    .selectFrom('data_sources')
    .select(['origin', 'revision'])
    .where('data_source_id', '=', id)
    .executeTakeFirst()
  if (row === undefined) throw notFound('data source', id)
  if (row.origin !== 'own')
    throw new CatalogRefusal('forbidden', 'read_only', `Data source ${id} is ${row.origin} and cannot be changed.`)
  return row
}

/** A merge rule that names a data source reads its authenticated profiles: it stays one that has them [AUD-201]. */
async function keepForMergeRules(tx: Transaction<Tables>, draft: DataSourceDraft, id: number): Promise<void> {
  if (draft.idType === 'CROSS_DEVICE' && draft.options.supportsAuthenticatedProfile) return
  const ids = await mergeRulesNaming(tx, id)
  if (ids.length > 0) throw inUse(`The authenticated profile of data source ${id}`, 'mergeRules', ids)
}

/** Calls name data sources by integration code, so a code belongs to one of them [COL-63]. */
async function refuseTakenCode(
  tx: Transaction<Tables>,
  draft: DataSourceDraft,
  self: number | undefined,
): Promise<void> {
  if (draft.integrationCode === undefined) return
  const holders = await tx
    .selectFrom('data_sources')
    .select('data_source_id')
    .where('integration_code', '=', draft.integrationCode)
    .execute()
  const ids = holders.map((row) => row.data_source_id).filter((id) => id !== self)
  if (ids.length === 0) return
  const message = `The integration code is taken by data source ${ids[0]}.`
  throw new CatalogRefusal('conflict', 'integration_code_taken', message, { field: 'integrationCode', ids })
}
