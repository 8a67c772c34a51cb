import { expect, test } from 'vitest'
import { runInSlices } from '../lib/slices.ts'
import type { Definitions } from '../model/definitions.ts'
import type { DataSourceId, FolderId, TraitId } from '../model/ids.ts'
import {
  CRM,
  LAST_AND_DEVICE,
  makeDataSource,
  makeDefinitions,
  makeSegment,
  makeTrait,
} from '../testkit/make-definitions.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { membershipKeyOf } from './membership-key.ts'

async function keyOf(definitions: Definitions): Promise<number> {
  return runInSlices(membershipKeyOf(await runInSlices(buildAudienceRules(definitions)), definitions.dataSources))
}

const traits = [makeTrait(101, 'a == "1"'), makeTrait(102, 'b == "1"')]
const segments = [makeSegment(201, '101T')]
const base = makeDefinitions({ traits, segments })

test('what can move nobody in or out leaves the key: a new trait, another trait rule, names, a new version, a new data source [AUD-142]', async () => {
  const key = await keyOf(base)
  expect(await keyOf({ ...base, version: 9 })).toBe(key)
  expect(await keyOf({ ...base, traits: [...traits, makeTrait(103, 'c == "1"')] })).toBe(key)
  expect(
    await keyOf({
      ...base,
      traits: [makeTrait(101, 'a == "2"', { name: 'new' }), makeTrait(102, 'b == "1"', { ttlDays: 3 })],
    }),
  ).toBe(key)
  expect(await keyOf({ ...base, segments: [makeSegment(201, '101T', { name: 'other' })] })).toBe(key)
  const more = [makeDataSource(99 as DataSourceId, { retentionDays: 120 }), makeDataSource(98 as DataSourceId)]
  expect(await keyOf({ ...base, dataSources: [...base.dataSources, ...more] })).toBe(key)
})

test('what can, changes it: a segment, its rule, its merge rule, its status, the life of a trait it names or of the IDs of a person [AUD-142] [AUD-143]', async () => {
  const keys = await Promise.all([
    keyOf(base),
    keyOf({ ...base, segments: [...segments, makeSegment(202, '102T')] }),
    keyOf({ ...base, segments: [makeSegment(201, '102T')] }),
    keyOf({ ...base, segments: [makeSegment(201, '101T', { mergeRuleId: LAST_AND_DEVICE })] }),
    keyOf({ ...base, segments: [makeSegment(201, '101T', { status: 'INACTIVE' })] }),
    keyOf({ ...base, traits: [makeTrait(101, 'a == "1"', { ttlDays: 3 })] }),
    keyOf({ ...base, traits: [] }),
    keyOf({ ...base, mergeRules: [...base.mergeRules].slice(0, 1) }),
    keyOf({ ...base, dataSources: [makeDataSource(CRM, { idType: 'CROSS_DEVICE', retentionDays: 30 })] }),
  ])
  expect(new Set(keys).size).toBe(keys.length)
})

test('where a folder trait is used, a trait that comes into the folder or goes changes it [AUD-105~]', async () => {
  const folder = (folderId: number) => ({ folderId: folderId as FolderId })
  const folders = [{ folderId: 5 as FolderId, parentFolderId: 0 as FolderId, folderTraitId: 150 as TraitId }]
  const folderTrait = makeTrait(150, undefined, { traitType: 'FOLDER_TRAIT' })
  const of = (at: number) =>
    keyOf({
      ...base,
      folders,
      traits: [folderTrait, makeTrait(101, 'a == "1"', folder(at))],
      segments: [makeSegment(201, '150T')],
    })
  expect(await of(5)).not.toBe(await of(0))
})
