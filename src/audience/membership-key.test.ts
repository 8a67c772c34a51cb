import { expect, test } from 'vitest'
import { runInSlices } from '../lib/slices.ts'
import type { Definitions } from '../model/definitions.ts'
import type { FolderId, TraitId } from '../model/ids.ts'
import { LAST_AND_DEVICE, makeDefinitions, makeSegment, makeTrait } from '../testkit/make-definitions.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { membershipKeyOf } from './membership-key.ts'

async function keyOf(definitions: Definitions): Promise<number> {
  return runInSlices(membershipKeyOf(await runInSlices(buildAudienceRules(definitions))))
}

const traits = [makeTrait(101, 'a == "1"'), makeTrait(102, 'b == "1"')]
const segments = [makeSegment(201, '101T')]
const base = makeDefinitions({ traits, segments })

test('what can move nobody in or out leaves the key: a new trait, another trait rule, names, a new version [AUD-142]', async () => {
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
})

test('what can, changes it: a segment, its rule, its merge rule, its status, the life of a trait it names [AUD-142] [AUD-143]', async () => {
  const keys = await Promise.all([
    keyOf(base),
    keyOf({ ...base, segments: [...segments, makeSegment(202, '102T')] }),
    keyOf({ ...base, segments: [makeSegment(201, '102T')] }),
    keyOf({ ...base, segments: [makeSegment(201, '101T', { mergeRuleId: LAST_AND_DEVICE })] }),
    keyOf({ ...base, segments: [makeSegment(201, '101T', { status: 'INACTIVE' })] }),
    keyOf({ ...base, traits: [makeTrait(101, 'a == "1"', { ttlDays: 3 })] }),
    keyOf({ ...base, traits: [] }),
    keyOf({ ...base, mergeRules: [...base.mergeRules].slice(0, 1) }),
  ])
  expect(new Set(keys).size).toBe(keys.length)
})

test('where a folder trait is used, a trait that comes into the folder or goes changes it [AUD-105]', async () => {
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
