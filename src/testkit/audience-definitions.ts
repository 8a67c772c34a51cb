import type { Definitions, Folder, MergeRule, Segment, Trait } from '../model/definitions.ts'
import type { DataSourceId, FolderId, MergeRuleId, SegmentId, TraitId } from '../model/ids.ts'

/** Builders of definitions for tests: everything has a plain default, tests name what they are about. */
export function makeTrait(traitId: number, fields: Partial<Trait> = {}): Trait {
  return {
    traitId: traitId as TraitId,
    name: `Trait ${traitId}`,
    traitType: fields.traitRule === undefined ? 'ON_BOARDED_TRAIT' : 'RULE_BASED_TRAIT',
    dataSourceId: 1 as DataSourceId,
    folderId: 1 as FolderId,
    traitRule: undefined,
    ttlDays: 120,
    status: 'ACTIVE',
    isFirstParty: true,
    ...fields,
  }
}

export function makeSegment(segmentId: number, segmentRule: string, fields: Partial<Segment> = {}): Segment {
  return {
    segmentId: segmentId as SegmentId,
    name: `Segment ${segmentId}`,
    segmentRule,
    dataSourceId: 1 as DataSourceId,
    mergeRuleId: 1 as MergeRuleId,
    status: 'ACTIVE',
    ...fields,
  }
}

export function makeFolder(folderId: number, parentFolderId: number, folderTraitId?: number): Folder {
  return {
    folderId: folderId as FolderId,
    parentFolderId: parentFolderId as FolderId,
    folderTraitId: folderTraitId as TraitId | undefined,
  }
}

export function makeMergeRule(mergeRuleId: number, fields: Partial<MergeRule> = {}): MergeRule {
  return {
    mergeRuleId: mergeRuleId as MergeRuleId,
    name: `Merge rule ${mergeRuleId}`,
    crossDeviceOption: 'NONE',
    deviceOption: 'DEVICE',
    crossDeviceDataSourceIds: [],
    isDefault: mergeRuleId === 1,
    ...fields,
  }
}

export function makeDefinitions(fields: Partial<Definitions> = {}): Definitions {
  return {
    version: 1,
    deletionVersion: 0,
    dataSources: [],
    folders: [],
    traits: [],
    segments: [],
    mergeRules: [makeMergeRule(1)],
    destinations: [],
    mappings: [],
    ...fields,
  }
}
