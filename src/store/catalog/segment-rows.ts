import type { Segment } from '../../model/definitions.ts'
import type { DataSourceId, FolderId, MergeRuleId, SegmentId } from '../../model/ids.ts'
import { type Authorship, readAuthorship } from './connection.ts'
import type { SegmentRow } from './tables.ts'

export interface SegmentDraft extends Omit<Segment, 'segmentId' | 'dataSourceId' | 'mergeRuleId'> {
  readonly segmentId: number | undefined
  readonly dataSourceId: number
  /** undefined: the default rule [API-55]. */
  readonly mergeRuleId: number | undefined
  readonly folderId: number
  readonly description: string | undefined
  readonly integrationCode: string | undefined
  /** What the rule names; repeats are allowed. */
  readonly traitIds: readonly number[]
}

export interface StoredSegment extends Segment, Authorship {
  readonly folderId: FolderId
  readonly description: string | undefined
  readonly integrationCode: string | undefined
}

/** The columns that a draft decides. */
export function segmentColumns(draft: SegmentDraft, mergeRuleId: number) {
  return {
    name: draft.name,
    description: draft.description ?? null,
    integration_code: draft.integrationCode ?? null,
    segment_rule: draft.segmentRule,
    data_source_id: draft.dataSourceId,
    merge_rule_id: mergeRuleId,
    folder_id: draft.folderId,
    status: draft.status,
  }
}

export function readSegment(row: SegmentRow): StoredSegment {
  return {
    segmentId: row.segment_id as SegmentId,
    name: row.name,
    description: row.description ?? undefined,
    integrationCode: row.integration_code ?? undefined,
    segmentRule: row.segment_rule,
    dataSourceId: row.data_source_id as DataSourceId,
    mergeRuleId: row.merge_rule_id as MergeRuleId,
    folderId: row.folder_id as FolderId,
    status: row.status as Segment['status'],
    ...readAuthorship(row),
  }
}
