import { expect } from 'vitest'
import type { Catalog } from './catalog.ts'
import {
  dataSourceDraft,
  destinationDraft,
  factsOf,
  type MakePlace,
  mergeRuleDraft,
  segmentDraft,
  together,
  traitDraft,
} from './catalog-place.conformance.ts'
import { createdBy } from './connection.ts'
import { DEFAULT_OPTIONS } from './seed.ts'

const ROUNDS = 5

/** Two processes work on one database at the same time, each with a catalogue of its own. */
export function describeConcurrency(name: string, makePlace: MakePlace): void {
  const fact = factsOf(name, makePlace)

  fact('of two that ask for one id, one gets it, the other is refused by name [OPS-44]', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    for (let id = 5_000; id < 5_000 + ROUNDS; id++) {
      const create = (catalog: Catalog) => () => catalog.dataSources.create(dataSourceDraft({ dataSourceId: id }), 0)
      const { made, refused } = await together(create(left), create(right))
      expect(made).toHaveLength(1)
      expect(refused).toMatchObject([{ kind: 'conflict', code: 'id_taken', field: 'dataSourceId', ids: [id] }])
    }
    // One sequence for two tables: no constraint of one of them would find it.
    const { made, refused } = await together<unknown>(
      () => left.traits.create(traitDraft({ traitId: 200_000 }), 0),
      async () => {
        const { traitId } = await right.traits.create(traitDraft(), 0)
        return right.segments.create(segmentDraft(traitId, { segmentId: 200_000 }), 0)
      },
    )
    expect(made).toHaveLength(1)
    expect(refused).toMatchObject([{ code: 'id_taken', field: 'sid', ids: [200_000] }])
  })

  fact('ids that are given in sequence are given once, whoever asks', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? left : right).traits.create(traitDraft(), 0)),
    )
    expect(made.map((one) => one.traitId).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, n) => 100_000 + n),
    )
  })

  fact(
    'of two equal integration codes, names in a folder, or aliases, one is taken [COL-63] [AUD-172]',
    async ({ open }) => {
      const [left, right] = [await open(), await open()]
      const options = { ...DEFAULT_OPTIONS, uniqueTraitIntegrationCodes: true }
      const { dataSourceId } = await left.dataSources.create(dataSourceDraft({ options }), 0)
      const { destinationId } = await left.destinations.create(destinationDraft(), 0)
      const { traitId } = await left.traits.create(traitDraft(), 0)
      const segments = [
        await left.segments.create(segmentDraft(traitId), 0),
        await left.segments.create(segmentDraft(traitId), 0),
      ]
      const mapping = { value: undefined as string | undefined, startDay: 20_000, endDay: undefined }

      for (let round = 0; round < ROUNDS; round++) {
        const integrationCode = `code ${round}`
        const sources = (catalog: Catalog) => () => catalog.dataSources.create(dataSourceDraft({ integrationCode }), 0)
        const traits = (catalog: Catalog) => () =>
          catalog.traits.create(traitDraft({ dataSourceId, integrationCode }), 0)
        const folders = (catalog: Catalog) => () =>
          catalog.folders.create('segments', { folderId: undefined, parentFolderId: 0, name: integrationCode }, 0)
        for (const [create, code, field] of [
          [sources, 'integration_code_taken', 'integrationCode'],
          [traits, 'integration_code_taken', 'integrationCode'],
          [folders, 'name_taken', 'name'],
        ] as const) {
          const { made, refused } = await together<object>(create(left), create(right))
          expect(made).toHaveLength(1)
          const [id] = made.flatMap((one) => Object.values(one).filter((value) => typeof value === 'number'))
          expect(refused).toMatchObject([{ kind: 'conflict', code, field, ids: [expect.any(Number)] }])
          expect(id).toBeDefined()
        }
      }

      const map = (catalog: Catalog, segmentId: number, value?: string) => () =>
        catalog.mappings.create(destinationId, [{ ...mapping, segmentId, value }], 0)
      const [first = 0, second = 0] = segments.map((one): number => one.segmentId)
      const twins = await together(map(left, first), map(right, first))
      expect(twins.refused).toMatchObject([{ code: 'already_mapped', field: 'sid' }])
      await left.mappings.remove(twins.made[0]?.[0]?.mappingId ?? 0, destinationId)
      const namesakes = await together(map(left, first, 'one'), map(right, second, 'one'))
      expect(namesakes.refused).toMatchObject([{ code: 'alias_taken', field: 'traitAlias' }])
      expect(await left.mappings.list(destinationId).count()).toBe(1)
    },
  )

  fact('limits hold, whoever asks [AUD-300] [OUT-05]', async ({ open }) => {
    const limits = { traits: 3, segments: 3, dataSources: 4, destinations: 3, segmentFolders: 3, mergeRules: 3 }
    const [left, right] = [await open({ limits }), await open({ limits })]
    const { traitId } = await left.traits.create(traitDraft(), 0)
    const makers: Record<string, (catalog: Catalog, n: number) => Promise<unknown>> = {
      traits: (catalog) => catalog.traits.create(traitDraft(), 0),
      segments: (catalog) => catalog.segments.create(segmentDraft(traitId), 0),
      dataSources: (catalog) => catalog.dataSources.create(dataSourceDraft(), 0),
      destinations: (catalog) => catalog.destinations.create(destinationDraft(), 0),
      segmentFolders: (catalog, n) =>
        catalog.folders.create('segments', { folderId: undefined, parentFolderId: 0, name: `${n}` }, 0),
      mergeRules: (catalog, n) => catalog.mergeRules.create(mergeRuleDraft(`${n}`), 0),
    }
    for (const [limit, make] of Object.entries(makers)) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => make(n % 2 === 0 ? left : right, n)),
      )
      const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
      expect(refused.length, limit).toBeGreaterThanOrEqual(5)
      for (const reason of refused) expect(reason).toMatchObject({ code: 'limit_reached', field: limit })
    }
    expect((await left.traits.usage())['traits']).toEqual({ count: 3, max: 3 })
    expect((await left.segments.usage())['segments']).toEqual({ count: 3, max: 3 })
    expect((await left.destinations.usage()).destinations).toEqual({ count: 3, max: 3 })
    expect(await left.mergeRules.list().count()).toBe(3)
    expect(await left.dataSources.list({ includeGlobal: false }).count()).toBe(4)
    expect(await left.folders.list('segments')).toHaveLength(4)
  })

  fact('what one refers to, another cannot delete at the same time', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round++) {
      const { traitId } = await left.traits.create(traitDraft(), 0)
      const { made, refused } = await together<unknown>(
        () => left.segments.create(segmentDraft(traitId), 0),
        () => right.traits.remove([traitId]),
      )
      expect(made).toHaveLength(1)
      expect([
        expect.objectContaining({ code: 'in_use' }),
        expect.objectContaining({ code: 'invalid_rule' }),
      ]).toContainEqual(refused[0])
    }
  })

  fact('two folders do not move into each other', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    const make = (name: string) => left.folders.create('segments', { folderId: undefined, parentFolderId: 0, name }, 0)
    for (let round = 0; round < ROUNDS; round++) {
      const [a, b] = [await make(`a${round}`), await make(`b${round}`)]
      const { made, refused } = await together(
        () => left.folders.revise('segments', a.folderId, (one) => ({ ...one, parentFolderId: b.folderId }), 0),
        () => right.folders.revise('segments', b.folderId, (one) => ({ ...one, parentFolderId: a.folderId }), 0),
      )
      expect(made).toHaveLength(1)
      expect(refused).toMatchObject([{ code: 'invalid_request', field: 'parentFolderId' }])
    }
  })

  fact('no version is taken twice, and what another process changed is heard of', async ({ open }) => {
    const [left, right] = [await open(), await open()]
    const before = left.version()
    let heard = 0
    right.onChange(() => heard++)
    await left.traits.create(traitDraft(), 0)
    await right.look()
    expect([right.version(), heard]).toEqual([before + 1, 1])
    await right.look()
    expect(heard).toBe(1)

    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? left : right).traits.create(traitDraft(), 0)))
    await left.look()
    expect(left.version()).toBe(before + 21)
    // Who reads definitions knows their version from then on.
    await right.traits.create(traitDraft(), 0)
    expect((await left.definitions()).version).toBe(before + 22)
    expect(left.version()).toBe(before + 22)
  })

  fact('what is written past all checks is refused by the table, and then by name', async ({ open, place }) => {
    const catalog = await open()
    const beside = place.engine()
    const integrationCode = 'crm'
    const row = {
      data_source_id: 4_000,
      name: 'beside',
      description: null,
      integration_code: integrationCode,
      id_type: 'COOKIE',
      status: 'ACTIVE',
      origin: 'own',
      options: JSON.stringify(DEFAULT_OPTIONS),
      ...createdBy(0, 1),
    }
    // It holds the code but has not committed when the catalogue looks, and does not wait in line for the version.
    let create: Promise<unknown> = Promise.resolve()
    await beside.db.transaction().execute(async (tx) => {
      await tx.insertInto('data_sources').values(row).execute()
      create = catalog.dataSources.create(dataSourceDraft({ integrationCode }), 0).catch((error: unknown) => error)
      await new Promise((resolve) => setTimeout(resolve, 200))
    })
    expect(await create).toMatchObject({ code: 'integration_code_taken', field: 'integrationCode', ids: [4_000] })
    await expect(
      beside.db
        .insertInto('data_sources')
        .values({ ...row, data_source_id: 4_001 })
        .execute(),
    ).rejects.toSatisfy(beside.isLostRace)
    await beside.close()
  })
}
