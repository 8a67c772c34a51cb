import type { Kysely } from 'kysely'
import { type Listing, type ListOptions, listRows } from './listing.ts'
import { readSegment, type StoredSegment } from './segment-rows.ts'
import type { Tables } from './tables.ts'

export interface SegmentFilter {
  readonly containsTrait?: number | undefined
  readonly folderId?: number | undefined
  readonly dataSourceIds?: readonly number[] | undefined
  readonly mergeRuleId?: number | undefined
  readonly integrationCode?: string | undefined
  readonly status?: string | undefined
  readonly updatedSinceMs?: number | undefined
}

export const SEGMENT_SORTS = {
  sid: { column: 'segment_id', type: 'number' },
  name: { column: 'name', type: 'text' },
  description: { column: 'description', type: 'text' },
  integrationCode: { column: 'integration_code', type: 'text' },
  dataSourceId: { column: 'data_source_id', type: 'number' },
  mergeRuleDataSourceId: { column: 'merge_rule_id', type: 'number' },
  folderId: { column: 'folder_id', type: 'number' },
  status: { column: 'status', type: 'text' },
  createTime: { column: 'created_at', type: 'number' },
  updateTime: { column: 'updated_at', type: 'number' },
} as const

export type SegmentListOptions = ListOptions<keyof typeof SEGMENT_SORTS>

const SEARCHED = ['segment_id', 'name', 'description', 'integration_code', 'segment_rule']

export function listSegments(
  db: Kysely<Tables>,
  filter: SegmentFilter,
  options: SegmentListOptions,
): Listing<StoredSegment> {
  let query = db.selectFrom('segments').selectAll()
  const { containsTrait } = filter
  if (containsTrait !== undefined) {
    query = query.where('segment_id', 'in', (from) =>
      from.selectFrom('segment_traits').select('segment_traits.segment_id').where('trait_id', '=', containsTrait),
    )
  }
  if (filter.folderId !== undefined) query = query.where('folder_id', '=', filter.folderId)
  if (filter.dataSourceIds !== undefined && filter.dataSourceIds.length > 0)
    query = query.where('data_source_id', 'in', filter.dataSourceIds)
  if (filter.mergeRuleId !== undefined) query = query.where('merge_rule_id', '=', filter.mergeRuleId)
  if (filter.integrationCode !== undefined) query = query.where('integration_code', '=', filter.integrationCode)
  if (filter.status !== undefined) query = query.where('status', '=', filter.status)
  if (filter.updatedSinceMs !== undefined) query = query.where('updated_at', '>=', filter.updatedSinceMs)
  return listRows(
    query,
    { id: 'segment_id', sorts: SEGMENT_SORTS, searched: SEARCHED, long: 'segment_rule' },
    options,
    readSegment,
  )
}
