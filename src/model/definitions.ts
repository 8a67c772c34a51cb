import type { DataSourceId, DestinationId, FolderId, MappingId, MergeRuleId, SegmentId, TraitId } from './ids.ts'

/**
 * What people define: plain values as the catalogue keeps them and the rulebook is built from them. Members that only
 * the REST API shows (descriptions, authors, times) stay in the catalogue.
 */
export type IdType = 'COOKIE' | 'DEVICE_ADVERTISING_ID' | 'CROSS_DEVICE'

export interface DataSource {
  readonly dataSourceId: DataSourceId
  readonly name: string
  readonly integrationCode: string | undefined
  readonly idType: IdType
  readonly status: 'ACTIVE' | 'INACTIVE'
  /** Days after its last activity that an ID, and its profile, are kept [COL-67], [COL-76], [COL-77]. */
  readonly retentionDays: number
  /** Eight fixed ones exist in every account, with strict ID formats [COL-62]. */
  readonly isGlobal: boolean
  /** Hosts an ID sync may redirect to: exact host, or `*.` and a domain [SEC-13]. */
  readonly redirectHosts: readonly string[]
  /** An outbound ID sync to offer in `ibs` (outbound.md section 2), if one is configured. */
  readonly sync:
    | {
        readonly url: string
        readonly tag: 'img' | 'iframe'
        readonly intervalMinutes: number
        readonly syncOnPage: boolean
        readonly containerIds: readonly number[]
      }
    | undefined
}

export type TraitType = 'RULE_BASED_TRAIT' | 'ON_BOARDED_TRAIT' | 'ALGO_TRAIT' | 'FOLDER_TRAIT'

export interface Trait {
  readonly traitId: TraitId
  readonly name: string
  readonly traitType: TraitType
  readonly dataSourceId: DataSourceId
  readonly folderId: FolderId
  /** Rule-based only (audience-model.md 3.3). */
  readonly traitRule: string | undefined
  /** 0: never expires [AUD-69]. */
  readonly ttlDays: number
  readonly status: 'ACTIVE' | 'INACTIVE'
  /** Ownership of its data source: only first-party traits may carry recency or frequency [AUD-132]. */
  readonly isFirstParty: boolean
}

export interface Folder {
  readonly folderId: FolderId
  readonly parentFolderId: FolderId
  /** The folder trait that stands for every trait below it [AUD-102]. */
  readonly folderTraitId: TraitId | undefined
}

export interface Segment {
  readonly segmentId: SegmentId
  readonly name: string
  readonly segmentRule: string
  readonly dataSourceId: DataSourceId
  readonly mergeRuleId: MergeRuleId
  /** `INACTIVE`: paused. No new members, members stay, nothing is sent [AUD-123]. */
  readonly status: 'ACTIVE' | 'INACTIVE'
}

export interface MergeRule {
  readonly mergeRuleId: MergeRuleId
  readonly name: string
  readonly crossDeviceOption: 'NONE' | 'CURRENT' | 'LAST' | 'ALL'
  readonly deviceOption: 'NONE' | 'DEVICE' | 'PROFILE_LINK' | 'EXTERNAL'
  /** At most 3 [AUD-199]. */
  readonly crossDeviceDataSourceIds: readonly DataSourceId[]
  readonly isDefault: boolean
}

export interface Mapping {
  readonly mappingId: MappingId
  readonly destinationId: DestinationId
  readonly segmentId: SegmentId
  /** What the partner calls the segment; the segment's id by default [OUT-48]. */
  readonly value: string
  /** First UTC day, and the last one; undefined: never ends [OUT-06]. */
  readonly startDay: number
  readonly endDay: number | undefined
}

/** A destination as the rulebook sees it; `config` is validated by the file of its type. */
export interface Destination {
  readonly destinationId: DestinationId
  readonly name: string
  /** `S2S` is built here; others follow. */
  readonly destinationType: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  /** Vendor id in the TCF list, if the destination names one [SEC-77]. */
  readonly vendorId: number | undefined
  /** Rises with every change of the destination's mappings [OUT-30]. */
  readonly mappingVersion: number
  /** By what name the partner knew segments that are mapped no more, where it was not their id. */
  readonly formerAliases?: Readonly<Record<number, string>>
  /** The `s2s` object with its secrets in clear; never logged. Undefined where what is stored cannot be read. */
  readonly config: unknown
  /** Tells one from another that had the same id before; absent in drafts. */
  readonly createdAtMs?: number | undefined
}

/** One consistent state of all definitions, as iterables so that reading it can be spread over many turns. */
export interface Definitions {
  /** Rises with every change. */
  readonly version: number
  /** At which something was deleted last that profiles hold data of; 0: never. */
  readonly deletionVersion: number
  readonly dataSources: Iterable<DataSource>
  readonly folders: Iterable<Folder>
  readonly traits: Iterable<Trait>
  readonly segments: Iterable<Segment>
  readonly mergeRules: Iterable<MergeRule>
  readonly destinations: Iterable<Destination>
  readonly mappings: Iterable<Mapping>
}
