import { expect } from 'vitest'
import type { Catalog } from './catalog.ts'
import {
  all,
  dataSourceDraft,
  destinationDraft,
  factsOf,
  type MakePlace,
  mergeRuleDraft,
  segmentDraft,
  together,
  traitDraft,
} from './catalog-place.conformance.ts'

const ROUNDS = 5

/** Two processes change one object at the same time. */
export function describeRevisions(name: string, makePlace: MakePlace): void {
  const fact = factsOf(name, makePlace)

  fact('of two changes of one object at a time both hold, of every kind [API-37]', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    const { traitId } = await left.traits.create(traitDraft(), 0)
    const { segmentId } = await left.segments.create(segmentDraft(traitId), 0)
    const { dataSourceId } = await left.dataSources.create(dataSourceDraft(), 0)
    const { mergeRuleId } = await left.mergeRules.create(mergeRuleDraft('rule'), 0)
    const { destinationId } = await left.destinations.create(destinationDraft(), 0)
    const folder = await left.folders.create('traits', { folderId: undefined, parentFolderId: 0, name: 'Shop' }, 0)
    const parent = await left.folders.create('traits', { folderId: undefined, parentFolderId: 0, name: 'All' }, 0)
    const day = { segmentId, value: undefined, startDay: 20_000, endDay: undefined }
    const [mapping] = await left.mappings.create(destinationId, [day], 0)
    const mappingId = mapping?.mappingId ?? 0
    const asDraft = (one: Awaited<ReturnType<Catalog['segments']['get']>>) => ({ ...one, traitIds: [traitId] })

    // Each makes its draft from what it read before the other wrote.
    const kinds: Record<string, (catalog: Catalog, isLeft: boolean, met: () => Promise<void>) => Promise<object>> = {
      traits: (catalog, isLeft, met) =>
        catalog.traits.revise(
          traitId,
          async (one) => {
            await met()
            return isLeft ? { ...one, name: 'new name' } : { ...one, description: 'new text' }
          },
          0,
        ),
      segments: (catalog, isLeft, met) =>
        catalog.segments.revise(
          segmentId,
          async (one) => {
            await met()
            return isLeft ? { ...asDraft(one), name: 'new name' } : { ...asDraft(one), description: 'new text' }
          },
          0,
        ),
      dataSources: (catalog, isLeft) =>
        catalog.dataSources.revise(
          dataSourceId,
          (one) => (isLeft ? { ...one, name: 'new name' } : { ...one, description: 'new text' }),
          0,
        ),
      mergeRules: (catalog, isLeft) =>
        catalog.mergeRules.revise(
          mergeRuleId,
          (one) => (isLeft ? { ...one, name: 'new name' } : { ...one, description: 'new text' }),
          0,
        ),
      destinations: (catalog, isLeft) =>
        catalog.destinations.revise(
          destinationId,
          (one) => ({ ...one, dataSourceIds: [], ...(isLeft ? { name: 'new name' } : { description: 'new text' }) }),
          0,
        ),
    }
    for (const [kind, reviseWith] of Object.entries(kinds)) {
      const met = meetingOf(2)
      const { refused } = await together(
        () => reviseWith(left, true, met),
        () => reviseWith(right, false, met),
      )
      expect(refused, kind).toEqual([])
      const stored = {
        traits: () => right.traits.get(traitId),
        segments: () => right.segments.get(segmentId),
        dataSources: () => right.dataSources.get(dataSourceId),
        mergeRules: () => right.mergeRules.get(mergeRuleId),
        destinations: () => right.destinations.get(destinationId),
      }[kind] as () => Promise<object>
      expect(await stored(), kind).toMatchObject({ name: 'new name', description: 'new text', revision: 3 })
    }

    const mapped = (catalog: Catalog, change: object) => () =>
      catalog.mappings.revise(mappingId, destinationId, (one) => ({ ...one, ...change }), 0)
    await together(mapped(left, { value: 'alias' }), mapped(right, { startDay: 20_001 }))
    expect(await right.mappings.get(mappingId)).toMatchObject({ value: 'alias', startDay: 20_001, revision: 3 })
    const moved = (catalog: Catalog, change: object) => () =>
      catalog.folders.revise('traits', folder.folderId, (one) => ({ ...one, ...change }), 0)
    await together(moved(left, { name: 'Shoes' }), moved(right, { parentFolderId: parent.folderId }))
    const tree = await right.folders.list('traits')
    expect(tree.find((one) => one.folderId === folder.folderId)).toMatchObject({
      name: 'Shoes',
      parentFolderId: parent.folderId,
    })
  })

  fact('who is overtaken again and again is refused, and nothing of it is written', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    const { traitId } = await left.traits.create(traitDraft(), 0)
    let overtaken = 0
    const revised = left.traits.revise(
      traitId,
      async (one) => {
        await right.traits.replace(traitId, traitDraft({ name: `other ${++overtaken}` }), 0)
        return { ...one, description: 'never' }
      },
      0,
    )
    await expect(revised).rejects.toMatchObject({ kind: 'conflict', code: 'changed_meanwhile' })
    expect(await left.traits.get(traitId)).toMatchObject({ name: `other ${overtaken}`, description: undefined })
  })

  fact('one default merge rule is left, whoever names another [AUD-201]', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    const ids = [
      await left.mergeRules.create(mergeRuleDraft('a'), 0),
      await left.mergeRules.create(mergeRuleDraft('b'), 0),
    ]
    const name = (catalog: Catalog, n: number) => () =>
      catalog.mergeRules.revise(ids[n]?.mergeRuleId ?? 0, (one) => ({ ...one, isDefault: true }), 0)
    for (let round = 0; round < ROUNDS; round++) {
      await together(name(left, 0), name(right, 1))
      expect((await all(left.mergeRules.list())).filter((one) => one.isDefault)).toHaveLength(1)
    }
  })
}

/** Resolves for all when this many wait, and at once from then on. */
function meetingOf(count: number): () => Promise<void> {
  let waiting = 0
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  return () => {
    if (++waiting >= count) begin()
    return begun
  }
}
