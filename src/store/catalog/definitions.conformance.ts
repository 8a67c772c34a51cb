import { monitorEventLoopDelay } from 'node:perf_hooks'
import { sql } from 'kysely'
import { expect } from 'vitest'
import {
  all,
  dataSourceDraft,
  destinationDraft,
  factsOf,
  type MakePlace,
  segmentDraft,
  traitDraft,
} from './catalog-place.conformance.ts'
import type { CatalogEngine } from './engine.ts'
import { fillTraits } from './fill-traits.conformance.ts'
import { CatalogRefusal } from './refusal.ts'
import { SecretUnreadableError } from './secrets.ts'

/** What is defined survives, has ids and versions, and is read as one. */
export function describeDefinitions(name: string, makePlace: MakePlace): void {
  const fact = factsOf(name, makePlace)

  fact('opening again changes nothing: migrations and first contents come once', async ({ open }) => {
    const first = await open()
    const sources = await all(first.dataSources.list({ includeGlobal: true }))
    const version = first.version()
    await first.close()
    const second = await open()
    expect(await all(second.dataSources.list({ includeGlobal: true }))).toEqual(sources)
    expect(second.version()).toBe(version)
    expect(await second.mergeRules.list().count()).toBe(1)
  })

  fact('everything survives a restart, the version and the sequences too', async ({ open }) => {
    const first = await open()
    const created = await first.traits.create(traitDraft(), 0)
    const kept = await first.segments.create(segmentDraft(created.traitId), 0)
    const place = await first.folders.create('traits', { folderId: undefined, parentFolderId: 0, name: 'Shop' }, 0)
    const version = first.version()
    await first.close()

    const second = await open()
    expect(second.version()).toBe(version)
    expect(await second.traits.get(created.traitId)).toEqual(created)
    expect(await second.segments.get(kept.segmentId)).toEqual(kept)
    expect((await second.folders.list('traits')).at(-1)).toEqual(place)
    expect((await second.traits.create(traitDraft(), 0)).traitId).toBeGreaterThan(kept.segmentId)
  })

  fact('a deleted object does not give its id to the next one', async ({ open }) => {
    const catalog = await open()
    const { traitId } = await catalog.traits.create(traitDraft(), 0)
    await catalog.traits.remove([traitId])
    expect((await catalog.traits.create(traitDraft(), 0)).traitId).toBe(traitId + 1)
  })

  fact(
    'an id stays with what was deleted until profiles hold nothing of it, over a restart too [AUD-59] [OPS-44]',
    async ({ open }) => {
      const first = await open()
      const shop = await first.dataSources.create(dataSourceDraft({ dataSourceId: 5_000 }), 0)
      const shoes = await first.traits.create(traitDraft({ traitId: 100_000, dataSourceId: shop.dataSourceId }), 0)
      const buyers = await first.segments.create(
        segmentDraft(shoes.traitId, { segmentId: 100_001, dataSourceId: 5_000 }),
        0,
      )
      await first.segments.remove([buyers.segmentId])
      await first.traits.remove([shoes.traitId])
      const versions = [first.version() - 1, first.version()]
      await first.dataSources.remove([shop.dataSourceId])
      await first.close()

      const catalog = await open()
      const again = {
        shop: () => catalog.dataSources.create(dataSourceDraft({ dataSourceId: 5_000 }), 0),
        shoes: (traitId: number) => catalog.traits.create(traitDraft({ traitId }), 0),
        buyers: () => catalog.segments.create(segmentDraft(100_002, { segmentId: 100_001 }), 0),
      }
      const leaving = { kind: 'conflict', code: 'id_leaving' }
      await expect(again.shop()).rejects.toMatchObject({ ...leaving, field: 'dataSourceId', ids: [5_000] })
      await expect(again.shoes(100_000)).rejects.toMatchObject({ ...leaving, field: 'sid', ids: [100_000] })
      // One sequence: what had been a segment is no trait yet.
      await expect(again.shoes(100_001)).rejects.toMatchObject(leaving)
      // Of the ids that are given in sequence those are left out.
      expect((await catalog.traits.create(traitDraft(), 0)).traitId).toBe(100_002)
      await expect(again.buyers()).rejects.toMatchObject(leaving)

      expect(await catalog.definitions()).toMatchObject({ deletionVersion: (versions[1] as number) + 1 })
      const before = catalog.version()
      await catalog.freeIds(versions[0] as number)
      await again.buyers()
      await expect(again.shoes(100_000)).rejects.toMatchObject(leaving)
      await catalog.freeIds(versions[1] as number)
      await again.shoes(100_000)
      await expect(again.shop()).rejects.toMatchObject(leaving)
      await catalog.freeIds(catalog.version())
      await again.shop()
      // Nothing but what was made here is a change.
      expect(catalog.version()).toBe(before + 3)
    },
  )

  fact(
    'what can be deleted without a trace in profiles gives its id back at once; a refused deletion takes none',
    async ({ open }) => {
      const catalog = await open()
      const folder = { folderId: 7, parentFolderId: 0, name: 'Shop' }
      await catalog.folders.create('traits', folder, 0)
      await catalog.folders.remove('traits', 7)
      await catalog.folders.create('traits', folder, 0)
      expect(await catalog.definitions()).toMatchObject({ deletionVersion: 0 })

      const { traitId } = await catalog.traits.create(traitDraft(), 0)
      const free = await catalog.traits.create(traitDraft(), 0)
      await catalog.segments.create(segmentDraft(traitId), 0)
      await expect(catalog.traits.remove([free.traitId, traitId])).rejects.toMatchObject({ code: 'in_use' })
      expect(await catalog.definitions()).toMatchObject({ deletionVersion: 0 })
    },
  )

  fact(
    'every change raises the version by one and is announced once it is written; a refused one is neither',
    async ({ open }) => {
      const catalog = await open()
      const heard: number[] = []
      catalog.onChange(() => heard.push(catalog.version()))
      const before = catalog.version()
      const { traitId } = await catalog.traits.create(traitDraft(), 0)
      await expect(catalog.traits.create(traitDraft({ folderId: 4711 }), 0)).rejects.toThrow(CatalogRefusal)
      await catalog.segments.create(segmentDraft(traitId), 0)
      expect(heard).toEqual([before + 1, before + 2])
      const definitions = await catalog.definitions()
      expect(definitions.version).toBe(before + 2)
    },
  )

  fact('changes that are asked for together are all made, one after the other', async ({ open }) => {
    const catalog = await open()
    const before = catalog.version()
    const made = await Promise.all(Array.from({ length: 50 }, () => catalog.traits.create(traitDraft(), 0)))
    expect(new Set(made.map((one) => one.traitId)).size).toBe(50)
    expect(catalog.version()).toBe(before + 50)
  })

  fact('definitions hold what the rulebook needs, in clear', async ({ open }) => {
    const catalog = await open()
    const global = await catalog.traits.create(
      traitDraft({ dataSourceId: 20914, traitType: 'ON_BOARDED_TRAIT', traitRule: undefined }),
      0,
    )
    const place = await catalog.folders.create('traits', { folderId: undefined, parentFolderId: 0, name: 'Shop' }, 0)
    const own = await catalog.traits.create(traitDraft({ folderId: place.folderId }), 0)
    await catalog.folders.create('segments', { folderId: undefined, parentFolderId: 0, name: 'Not for rules' }, 0)
    const audience = await catalog.segments.create(segmentDraft(own.traitId), 0)
    const { destinationId } = await catalog.destinations.create(destinationDraft(), 0)
    await catalog.mappings.create(
      destinationId,
      [{ segmentId: audience.segmentId, value: undefined, startDay: 20_000, endDay: undefined }],
      0,
    )

    const { dataSources, folders, traits, segments, mergeRules, destinations, mappings } = await catalog.definitions()
    expect([...dataSources]).toHaveLength(9)
    expect([...folders]).toEqual([
      { folderId: 0, parentFolderId: 0, folderTraitId: undefined },
      { folderId: place.folderId, parentFolderId: 0, folderTraitId: place.folderTraitId },
    ])
    const shown = [...traits]
    expect(shown.map((one) => [one.traitId, one.isFirstParty])).toEqual([
      [global.traitId, false],
      [place.folderTraitId, true],
      [own.traitId, true],
    ])
    expect(shown.at(-1)).toEqual({
      traitId: own.traitId,
      name: 'Shoes',
      traitType: 'RULE_BASED_TRAIT',
      dataSourceId: 1_000,
      folderId: place.folderId,
      traitRule: 'product == 17',
      ttlDays: 120,
      status: 'ACTIVE',
      isFirstParty: true,
    })
    expect([...segments]).toEqual([
      {
        segmentId: audience.segmentId,
        name: 'Intenders',
        segmentRule: `${own.traitId}T`,
        dataSourceId: 1_000,
        mergeRuleId: 1_001,
        status: 'ACTIVE',
      },
    ])
    expect([...mergeRules]).toMatchObject([{ mergeRuleId: 1_001, isDefault: true }])
    expect([...destinations]).toMatchObject([
      { destinationId, vendorId: 12, mappingVersion: 2, config: { auth: { key: 'secret' } } },
    ])
    expect([...mappings]).toMatchObject([
      {
        destinationId,
        segmentId: audience.segmentId,
        value: String(audience.segmentId),
        startDay: 20_000,
        endDay: undefined,
      },
    ])
  })

  fact(
    'a catalogue of an earlier version begins as if something had been deleted last, so that profiles are cleaned of it [AUD-59]',
    async ({ open, place }) => {
      const first = await open()
      await first.traits.create(traitDraft(), 0)
      const version = first.version()
      await first.close()
      const engine = place.engine()
      await forget(engine)
      await engine.close()
      expect(await (await open()).definitions()).toMatchObject({ version, deletionVersion: version })
    },
  )

  fact('a catalogue does not open with another master key [SEC-62~]', async ({ open }) => {
    await (await open()).close()
    await expect(open({ masterKey: Buffer.alloc(32, 2) })).rejects.toThrow(SecretUnreadableError)
  })

  fact('many mappings are made at once, in their order, or none of them', async ({ open, place }) => {
    const catalog = await open()
    const { traitId } = await catalog.traits.create(traitDraft(), 0)
    const { segmentId } = await catalog.segments.create(segmentDraft(traitId), 0)
    const { destinationId } = await catalog.destinations.create(destinationDraft(), 0)
    const engine = place.engine()
    const segments = engine.db.selectFrom('segments').selectAll().where('segment_id', '=', segmentId)
    const pattern = await segments.executeTakeFirstOrThrow()
    const ids = Array.from({ length: 1_200 }, (_, n) => 300_000 + n)
    for (let start = 0; start < ids.length; start += 400) {
      const rows = ids.slice(start, start + 400).map((segment_id) => ({ ...pattern, segment_id }))
      await engine.db.insertInto('segments').values(rows).execute()
    }
    await engine.close()
    const mapped = (segmentId: number, value?: string) => ({ segmentId, value, startDay: 20_000, endDay: undefined })
    const create = (...last: readonly ReturnType<typeof mapped>[]) =>
      catalog.mappings.create(destinationId, [...ids.map((id) => mapped(id)), ...last], 0)

    await expect(create(mapped(300_007))).rejects.toMatchObject({ code: 'already_mapped', ids: [8] })
    await expect(create(mapped(segmentId, '300700'))).rejects.toMatchObject({ code: 'alias_taken', ids: [701] })
    await expect(create(mapped(4_711))).rejects.toMatchObject({ kind: 'invalid', field: 'sid' })
    expect(await catalog.mappings.list(destinationId).count()).toBe(0)
    const made = await create(mapped(segmentId))
    expect(made.map((one): number => one.segmentId)).toEqual([...ids, segmentId])
    expect(made.map((one): number => one.mappingId)).toEqual(Array.from({ length: 1_201 }, (_, n) => n + 1))
    await expect(create()).rejects.toMatchObject({ code: 'already_mapped', ids: [1] })
  })

  fact('definitions are all of one moment, whatever is written while they are read', async ({ open, place }) => {
    const catalog = await open()
    const engine = place.engine()
    await fillTraits(engine.db, 2_000)
    await engine.close()
    const before = catalog.version()
    const named = async (n: number) => {
      const { traitId } = await catalog.traits.create(traitDraft({ name: `later ${n}` }), 0)
      await catalog.segments.create(segmentDraft(traitId), 0)
    }
    const writing = Promise.all(Array.from({ length: 10 }, (_, n) => named(n)))
    for (let round = 0; round < 5; round++) {
      const { version, traits, segments } = await catalog.definitions()
      // Each change makes one object more; segments are read long after traits.
      expect([...traits].length + [...segments].length - 2_000).toBe(version - before)
      expect(catalog.version()).toBeGreaterThanOrEqual(version)
    }
    await writing
  })

  fact(
    '100,000 traits are read page by page, none missing and none twice; the longest turn is printed [AUD-300]',
    async ({ open, place }) => {
      const catalog = await open()
      const engine = place.engine()
      await fillTraits(engine.db, 100_000)
      await engine.close()
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      const startedMs = performance.now()
      const { traits } = await catalog.definitions()
      const tookMs = performance.now() - startedMs
      delay.disable()
      expect([...traits].map((one) => one.traitId)).toEqual(Array.from({ length: 100_000 }, (_, n) => 1_000_000 + n))
      console.log(`100,000 traits in ${tookMs.toFixed(0)} ms, longest turn ${(delay.max / 1e6).toFixed(1)} ms`)
      const refused = await catalog.traits.create(traitDraft(), 0).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'limit_reached', field: 'traits' })
    },
  )
}

/** Leaves the tables as they were before ids of what was deleted were kept. */
async function forget({ db }: CatalogEngine): Promise<void> {
  const tables = ['data_sources', 'folders', 'traits', 'segments', 'merge_rules', 'destinations', 'mappings']
  for (const table of tables) await sql`alter table ${sql.table(table)} drop column revision`.execute(db)
  for (const index of [
    'merge_rules_by_is_default',
    'folders_by_kind_parent_folder_id_name',
    'mappings_by_destination_id_value',
    'mappings_by_destination_id_segment_id',
    'data_sources_by_integration_code',
  ])
    await sql`drop index ${sql.ref(index)}`.execute(db)
  await sql`create index mappings_by_destination_id_segment_id on mappings (destination_id, segment_id)`.execute(db)
  await sql`create index data_sources_by_integration_code on data_sources (integration_code)`.execute(db)
  await sql`alter table destinations drop column former_aliases`.execute(db)
  await sql`drop table deleted_ids`.execute(db)
  await sql`delete from meta where key = 'deletion'`.execute(db)
  await sql`delete from kysely_migration where name >= '0003'`.execute(db)
}
