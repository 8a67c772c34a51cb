import type { DataSource, Definitions, Destination, Mapping, MergeRule, Segment, Trait } from '../model/definitions.ts'
import type { DataSourceId, DestinationId, FolderId, MappingId, MergeRuleId, SegmentId, TraitId } from '../model/ids.ts'

/** Definitions for tests of the pipeline: one person source, one partner, the default merge rule and one with logins. */
export const CRM = 10 as DataSourceId
export const PARTNER = 20 as DataSourceId
export const DEVICE_ONLY = 1 as MergeRuleId
export const LAST_AND_DEVICE = 2 as MergeRuleId

export function makeDefinitions(changes: Partial<Definitions> = {}): Definitions {
  return {
    version: 1,
    deletionVersion: 0,
    dataSources: [makeDataSource(CRM, { idType: 'CROSS_DEVICE' }), makeDataSource(PARTNER)],
    folders: [],
    traits: [],
    segments: [],
    mergeRules: [
      makeMergeRule(DEVICE_ONLY, { isDefault: true }),
      makeMergeRule(LAST_AND_DEVICE, { crossDeviceOption: 'LAST', crossDeviceDataSourceIds: [CRM] }),
    ],
    destinations: [],
    mappings: [],
    ...changes,
  }
}

export function makeDataSource(dataSourceId: DataSourceId, changes: Partial<DataSource> = {}): DataSource {
  return {
    dataSourceId,
    name: `data source ${dataSourceId}`,
    integrationCode: undefined,
    idType: 'COOKIE',
    status: 'ACTIVE',
    retentionDays: 720,
    isGlobal: false,
    redirectHosts: [],
    sync: undefined,
    ...changes,
  }
}

/** @param traitRule undefined makes an onboarded trait */
export function makeTrait(id: number, traitRule: string | undefined, changes: Partial<Trait> = {}): Trait {
  return {
    traitId: id as TraitId,
    name: `trait ${id}`,
    traitType: traitRule === undefined ? 'ON_BOARDED_TRAIT' : 'RULE_BASED_TRAIT',
    dataSourceId: CRM,
    folderId: 0 as FolderId,
    traitRule,
    ttlDays: 120,
    status: 'ACTIVE',
    isFirstParty: true,
    ...changes,
  }
}

export function makeSegment(id: number, segmentRule: string, changes: Partial<Segment> = {}): Segment {
  return {
    segmentId: id as SegmentId,
    name: `segment ${id}`,
    segmentRule,
    dataSourceId: CRM,
    mergeRuleId: DEVICE_ONLY,
    status: 'ACTIVE',
    ...changes,
  }
}

export function makeMergeRule(mergeRuleId: MergeRuleId, changes: Partial<MergeRule> = {}): MergeRule {
  return {
    mergeRuleId,
    name: `merge rule ${mergeRuleId}`,
    crossDeviceOption: 'NONE',
    deviceOption: 'DEVICE',
    crossDeviceDataSourceIds: [],
    isDefault: false,
    ...changes,
  }
}

export function makeDestination(id: number, changes: Partial<Destination> = {}): Destination {
  return {
    destinationId: id as DestinationId,
    name: `destination ${id}`,
    destinationType: 'S2S',
    status: 'ACTIVE',
    vendorId: undefined,
    mappingVersion: 1,
    config: { url: 'https://partner.example/in', userDpid: PARTNER, sendWithoutPartnerId: true },
    ...changes,
  }
}

let mappings = 0

export function makeMapping(destinationId: number, segmentId: number, changes: Partial<Mapping> = {}): Mapping {
  mappings += 1
  return {
    mappingId: mappings as MappingId,
    destinationId: destinationId as DestinationId,
    segmentId: segmentId as SegmentId,
    value: String(segmentId),
    startDay: 0,
    endDay: undefined,
    ...changes,
  }
}
