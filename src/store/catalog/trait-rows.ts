import type { Trait } from '../../model/definitions.ts'
import type { DataSourceId, FolderId, TraitId } from '../../model/ids.ts'
import { type Authorship, readAuthorship } from './connection.ts'
import type { TraitRow } from './tables.ts'

export interface TraitDraft extends Omit<Trait, 'traitId' | 'dataSourceId' | 'folderId' | 'isFirstParty'> {
  readonly traitId: number | undefined
  readonly dataSourceId: number
  readonly folderId: number
  readonly description: string | undefined
  readonly comments: string | undefined
  readonly integrationCode: string | undefined
  /** Event type (page view, conversion, ...) [AUD-65]. */
  readonly eventTypeId: number | undefined
  /** Node of the taxonomy [AUD-68]. */
  readonly categoryId: number | undefined
}

export interface StoredTrait extends Omit<TraitDraft, 'traitId' | 'dataSourceId' | 'folderId'>, Authorship {
  readonly traitId: TraitId
  readonly dataSourceId: DataSourceId
  readonly folderId: FolderId
  /** 0 at first; each change of the rule adds 1. */
  readonly traitRuleVersion: number
}

/** The columns that a draft decides. */
export function traitColumns(draft: TraitDraft) {
  return {
    name: draft.name,
    description: draft.description ?? null,
    comments: draft.comments ?? null,
    integration_code: draft.integrationCode ?? null,
    data_source_id: draft.dataSourceId,
    folder_id: draft.folderId,
    trait_type: draft.traitType,
    trait_rule: draft.traitRule ?? null,
    ttl_days: draft.ttlDays,
    status: draft.status,
    event_type_id: draft.eventTypeId ?? null,
    category_id: draft.categoryId ?? null,
    algo_model_id: null,
    threshold_value: null,
  }
}

export function readTrait(row: TraitRow): StoredTrait {
  return {
    traitId: row.trait_id as TraitId,
    name: row.name,
    description: row.description ?? undefined,
    comments: row.comments ?? undefined,
    integrationCode: row.integration_code ?? undefined,
    dataSourceId: row.data_source_id as DataSourceId,
    folderId: row.folder_id as FolderId,
    traitType: row.trait_type as Trait['traitType'],
    traitRule: row.trait_rule ?? undefined,
    traitRuleVersion: row.trait_rule_version,
    ttlDays: row.ttl_days,
    status: row.status as Trait['status'],
    eventTypeId: row.event_type_id ?? undefined,
    categoryId: row.category_id ?? undefined,
    ...readAuthorship(row),
  }
}
