import type { Kysely } from 'kysely'
import { type Listing, type ListOptions, listRows } from './listing.ts'
import type { Tables } from './tables.ts'
import { readTrait, type StoredTrait } from './trait-rows.ts'

export interface TraitFilter {
  readonly traitTypes?: readonly string[] | undefined
  readonly folderId?: number | undefined
  readonly dataSourceIds?: readonly number[] | undefined
  readonly integrationCode?: string | undefined
}

/** What a list of traits may be sorted by, in the words of the REST API [API-17]. */
export const TRAIT_SORTS = {
  sid: { column: 'trait_id', type: 'number' },
  name: { column: 'name', type: 'text' },
  description: { column: 'description', type: 'text' },
  integrationCode: { column: 'integration_code', type: 'text' },
  dataSourceId: { column: 'data_source_id', type: 'number' },
  folderId: { column: 'folder_id', type: 'number' },
  traitType: { column: 'trait_type', type: 'text' },
  ttl: { column: 'ttl_days', type: 'number' },
  status: { column: 'status', type: 'text' },
  createTime: { column: 'created_at', type: 'number' },
  updateTime: { column: 'updated_at', type: 'number' },
} as const

export type TraitListOptions = ListOptions<keyof typeof TRAIT_SORTS>

const SEARCHED = ['trait_id', 'name', 'description', 'comments', 'integration_code', 'trait_rule', 'trait_type']

export function listTraits(db: Kysely<Tables>, filter: TraitFilter, options: TraitListOptions): Listing<StoredTrait> {
  let query = db.selectFrom('traits').selectAll()
  if (filter.traitTypes !== undefined && filter.traitTypes.length > 0)
    query = query.where('trait_type', 'in', filter.traitTypes)
  if (filter.folderId !== undefined) query = query.where('folder_id', '=', filter.folderId)
  if (filter.dataSourceIds !== undefined && filter.dataSourceIds.length > 0)
    query = query.where('data_source_id', 'in', filter.dataSourceIds)
  if (filter.integrationCode !== undefined) query = query.where('integration_code', '=', filter.integrationCode)
  return listRows(
    query,
    { id: 'trait_id', sorts: TRAIT_SORTS, searched: SEARCHED, long: 'trait_rule' },
    options,
    readTrait,
  )
}
