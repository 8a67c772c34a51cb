/**
 * Tables of the catalogue as Kysely sees them. Only types that every engine has: integers, texts, and JSON
 * inside texts. Flags are 0 or 1, times are milliseconds since the epoch, days are UTC days since 1970-01-01.
 */
export interface Tables {
  /** `version` rises by 1 in the transaction of every change; `deletion` is the version of the last one that profiles have data of. */
  meta: { key: string; value: number }
  settings: { key: string; value: string }
  /** Next free id of each sequence. */
  counters: { name: string; next: number }
  /** Ids that were deleted, while their data is being taken out of profiles; `version` is that of the deletion. */
  deleted_ids: { sequence: string; id: number; version: number }
  data_sources: DataSourceRow
  folders: FolderRow
  traits: TraitRow
  trait_rule_versions: TraitRuleVersionRow
  segments: SegmentRow
  /** Traits that a segment's rule names. */
  segment_traits: { segment_id: number; trait_id: number }
  merge_rules: MergeRuleRow
  destinations: DestinationRow
  mappings: MappingRow
  /** One-time links by which a person signs in; only the hash of each [OPS-22]. */
  setup_links: { hash: string; expires_at: number }
  sessions: { hash: string; created_at: number; expires_at: number; used_at: number }
}

/** Columns that every stored object has [API-39]. */
export interface AuthoredRow {
  /** Rises with every change of what a draft decides. */
  revision: number
  created_by: number
  updated_by: number
  created_at: number
  updated_at: number
}

export interface DataSourceRow extends AuthoredRow {
  data_source_id: number
  name: string
  description: string | null
  integration_code: string | null
  id_type: string
  status: string
  /** `own`, `global` [COL-62] or `automatic` (owner of folder traits [AUD-102]). */
  origin: string
  /** JSON of `DataSourceOptions`. */
  options: string
}

export interface FolderRow extends AuthoredRow {
  kind: string
  folder_id: number
  parent_folder_id: number
  name: string
  folder_trait_id: number | null
}

export interface TraitRow extends AuthoredRow {
  trait_id: number
  name: string
  description: string | null
  comments: string | null
  integration_code: string | null
  data_source_id: number
  folder_id: number
  trait_type: string
  trait_rule: string | null
  trait_rule_version: number
  ttl_days: number
  status: string
  event_type_id: number | null
  category_id: number | null
  algo_model_id: number | null
  /** Text, because a fraction has no portable exact type. */
  threshold_value: string | null
}

export interface TraitRuleVersionRow {
  trait_id: number
  version: number
  trait_rule: string
  created_by: number
  created_at: number
}

export interface SegmentRow extends AuthoredRow {
  segment_id: number
  name: string
  description: string | null
  integration_code: string | null
  segment_rule: string
  data_source_id: number
  merge_rule_id: number
  folder_id: number
  status: string
}

export interface MergeRuleRow extends AuthoredRow {
  merge_rule_id: number
  name: string
  description: string | null
  cross_device_option: string
  device_option: string
  /** JSON list of ids. */
  cross_device_data_source_ids: string
  /** JSON list of texts. */
  data_export_restrictions: string
  is_default: number
}

export interface DestinationRow extends AuthoredRow {
  destination_id: number
  name: string
  description: string | null
  destination_type: string
  status: string
  vendor_id: number | null
  mapping_version: number
  /** JSON object: by what name the partner knew segments that are mapped no more, where it was not their id. */
  former_aliases: string
  /** JSON list: data sources that the configuration names. */
  data_source_ids: string
  /** The configuration of the destination's type, sealed [SEC-62]. */
  sealed_config: string
}

export interface MappingRow extends AuthoredRow {
  mapping_id: number
  destination_id: number
  segment_id: number
  value: string
  start_day: number
  end_day: number | null
}
