import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type Catalog, type CatalogOptions, openCatalog } from './catalog.ts'
import type { DataSourceDraft } from './data-sources.ts'
import type { Listing } from './listing.ts'
import { CatalogRefusal } from './refusal.ts'
import { SecretUnreadableError } from './secrets.ts'
import { DEFAULT_OPTIONS } from './seed.ts'
import type { SegmentDraft } from './segment-rows.ts'
import { openSqlite } from './sqlite.ts'
import type { TraitDraft } from './trait-rows.ts'

const NOW_MS = Date.UTC(2026, 10, 22)
const folder = mkdtempSync(join(tmpdir(), 'usher-catalog-'))
let files = 0
const opened: Catalog[] = []
afterEach(async () => {
  for (const catalog of opened.splice(0)) await catalog.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const newFile = () => join(folder, `${++files}.sqlite`)
const open = async (file: string, over: Partial<CatalogOptions> = {}) => {
  const catalog = await openCatalog({ file, masterKey: Buffer.alloc(32, 1), clock: () => NOW_MS, ...over })
  opened.push(catalog)
  return catalog
}
const trait = (over: Partial<TraitDraft> = {}): TraitDraft => ({
  traitId: undefined,
  name: 'Shoes',
  description: undefined,
  comments: undefined,
  integrationCode: undefined,
  dataSourceId: 1_000,
  folderId: 0,
  traitType: 'RULE_BASED_TRAIT',
  traitRule: 'product == 17',
  ttlDays: 120,
  status: 'ACTIVE',
  eventTypeId: undefined,
  categoryId: undefined,
  ...over,
})
const dataSource = (dataSourceId: number): DataSourceDraft => ({
  dataSourceId,
  name: 'Shop',
  description: undefined,
  integrationCode: undefined,
  idType: 'COOKIE',
  status: 'ACTIVE',
  options: DEFAULT_OPTIONS,
})
const segment = (traitId: number, over: Partial<SegmentDraft> = {}): SegmentDraft => ({
  segmentId: undefined,
  name: 'Intenders',
  description: undefined,
  integrationCode: undefined,
  segmentRule: `${traitId}T`,
  traitIds: [traitId],
  dataSourceId: 1_000,
  mergeRuleId: undefined,
  folderId: 0,
  status: 'ACTIVE',
  ...over,
})

async function all<Item>(listing: Listing<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const some of listing.portions()) items.push(...some)
  return items
}

test('opening again changes nothing: migrations and first contents come once', async () => {
  const file = newFile()
  const first = await open(file)
  const sources = await all(first.dataSources.list({ includeGlobal: true }))
  const version = first.version()
  await first.close()
  opened.length = 0
  const second = await open(file)
  expect(await all(second.dataSources.list({ includeGlobal: true }))).toEqual(sources)
  expect(second.version()).toBe(version)
  expect(await second.mergeRules.list().count()).toBe(1)
})

test('everything survives a restart, the version and the sequences too', async () => {
  const file = newFile()
  const first = await open(file)
  const created = await first.traits.create(trait(), 0)
  const kept = await first.segments.create(segment(created.traitId), 0)
  const place = await first.folders.create('traits', { folderId: undefined, parentFolderId: 0, name: 'Shop' }, 0)
  const version = first.version()
  await first.close()
  opened.length = 0

  const second = await open(file)
  expect(second.version()).toBe(version)
  expect(await second.traits.get(created.traitId)).toEqual(created)
  expect(await second.segments.get(kept.segmentId)).toEqual(kept)
  expect((await second.folders.list('traits')).at(-1)).toEqual(place)
  expect((await second.traits.create(trait(), 0)).traitId).toBeGreaterThan(kept.segmentId)
})

test('a deleted object does not give its id to the next one', async () => {
  const catalog = await open(newFile())
  const { traitId } = await catalog.traits.create(trait(), 0)
  await catalog.traits.remove([traitId])
  expect((await catalog.traits.create(trait(), 0)).traitId).toBe(traitId + 1)
})

test('an id stays with what was deleted until profiles hold nothing of it, over a restart too [AUD-59] [OPS-44]', async () => {
  const file = newFile()
  const first = await open(file)
  const shop = await first.dataSources.create(dataSource(5_000), 0)
  const shoes = await first.traits.create(trait({ traitId: 100_000, dataSourceId: shop.dataSourceId }), 0)
  const buyers = await first.segments.create(segment(shoes.traitId, { segmentId: 100_001, dataSourceId: 5_000 }), 0)
  await first.segments.remove([buyers.segmentId])
  await first.traits.remove([shoes.traitId])
  const versions = [first.version() - 1, first.version()]
  await first.dataSources.remove([shop.dataSourceId])
  await first.close()
  opened.length = 0

  const catalog = await open(file)
  const again = {
    shop: () => catalog.dataSources.create(dataSource(5_000), 0),
    shoes: (traitId: number) => catalog.traits.create(trait({ traitId }), 0),
    buyers: () => catalog.segments.create(segment(100_002, { segmentId: 100_001 }), 0),
  }
  const leaving = { kind: 'conflict', code: 'id_leaving' }
  await expect(again.shop()).rejects.toMatchObject({ ...leaving, field: 'dataSourceId', ids: [5_000] })
  await expect(again.shoes(100_000)).rejects.toMatchObject({ ...leaving, field: 'sid', ids: [100_000] })
  // One sequence: what had been a segment is no trait yet.
  await expect(again.shoes(100_001)).rejects.toMatchObject(leaving)
  // Of the ids that are given in sequence those are left out.
  expect((await catalog.traits.create(trait(), 0)).traitId).toBe(100_002)
  await expect(again.buyers()).rejects.toMatchObject(leaving)

  expect(catalog.definitions()).toMatchObject({ deletionVersion: (versions[1] as number) + 1 })
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
})

test('what can be deleted without a trace in profiles gives its id back at once; a refused deletion takes none', async () => {
  const catalog = await open(newFile())
  const folder = { folderId: 7, parentFolderId: 0, name: 'Shop' }
  await catalog.folders.create('traits', folder, 0)
  await catalog.folders.remove('traits', 7)
  await catalog.folders.create('traits', folder, 0)
  expect(catalog.definitions()).toMatchObject({ deletionVersion: 0 })

  const { traitId } = await catalog.traits.create(trait(), 0)
  const free = await catalog.traits.create(trait(), 0)
  await catalog.segments.create(segment(traitId), 0)
  await expect(catalog.traits.remove([free.traitId, traitId])).rejects.toMatchObject({ code: 'in_use' })
  expect(catalog.definitions()).toMatchObject({ deletionVersion: 0 })
})

test('a catalogue of an earlier version begins as if something had been deleted last, so that profiles are cleaned of it [AUD-59]', async () => {
  const file = newFile()
  const first = await open(file)
  await first.traits.create(trait(), 0)
  const version = first.version()
  await first.close()
  opened.length = 0
  const engine = openSqlite(file)
  await sql`drop table deleted_ids`.execute(engine.db)
  await sql`delete from meta where key = 'deletion'`.execute(engine.db)
  // As it was before all that came since.
  await sql`drop index mappings_by_destination_id_value`.execute(engine.db)
  await sql`alter table destinations drop column former_aliases`.execute(engine.db)
  await sql`delete from kysely_migration where name >= '0003'`.execute(engine.db)
  await engine.close()
  expect((await open(file)).definitions()).toMatchObject({ version, deletionVersion: version })
})

test('a catalogue does not open with another master key [SEC-62~]', async () => {
  const file = newFile()
  await (await open(file)).close()
  opened.length = 0
  await expect(openCatalog({ file, masterKey: Buffer.alloc(32, 2), clock: () => NOW_MS })).rejects.toThrow(
    SecretUnreadableError,
  )
})

test('changes are flushed to the device, whatever level events have [OPS-24~]', async () => {
  const engine = openSqlite(newFile())
  const { rows } = await sql`pragma synchronous`.execute(engine.db)
  const FULL = 2
  expect(rows).toEqual([{ synchronous: FULL }])
  await engine.close()
})

test('every change raises the version by one and is announced once it is written; a refused one is neither', async () => {
  const catalog = await open(newFile())
  const heard: number[] = []
  catalog.onChange(() => heard.push(catalog.version()))
  const before = catalog.version()
  const { traitId } = await catalog.traits.create(trait(), 0)
  await expect(catalog.traits.create(trait({ folderId: 4711 }), 0)).rejects.toThrow(CatalogRefusal)
  await catalog.segments.create(segment(traitId), 0)
  expect(heard).toEqual([before + 1, before + 2])
  const definitions = catalog.definitions()
  expect(definitions.version).toBe(before + 2)
  definitions.close()
})

test('changes that are asked for together are all made, one after the other', async () => {
  const catalog = await open(newFile())
  const before = catalog.version()
  const made = await Promise.all(Array.from({ length: 50 }, () => catalog.traits.create(trait(), 0)))
  expect(new Set(made.map((one) => one.traitId)).size).toBe(50)
  expect(catalog.version()).toBe(before + 50)
})

test('definitions hold what the rulebook needs, in clear', async () => {
  const catalog = await open(newFile())
  const global = await catalog.traits.create(
    trait({ dataSourceId: 20914, traitType: 'ON_BOARDED_TRAIT', traitRule: undefined }),
    0,
  )
  const place = await catalog.folders.create('traits', { folderId: undefined, parentFolderId: 0, name: 'Shop' }, 0)
  const own = await catalog.traits.create(trait({ folderId: place.folderId }), 0)
  await catalog.folders.create('segments', { folderId: undefined, parentFolderId: 0, name: 'Not for rules' }, 0)
  const audience = await catalog.segments.create(segment(own.traitId), 0)
  const destination = {
    destinationId: undefined,
    name: 'd',
    description: undefined,
    destinationType: 'S2S',
    status: 'ACTIVE',
    vendorId: 12,
    dataSourceIds: [],
    config: { auth: { key: 'secret' } },
  } as const
  const { destinationId } = await catalog.destinations.create(destination, 0)
  await catalog.mappings.create(
    destinationId,
    [{ segmentId: audience.segmentId, value: undefined, startDay: 20_000, endDay: undefined }],
    0,
  )

  const { dataSources, folders, traits, segments, mergeRules, destinations, mappings } = catalog.definitions()
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

test('definitions stay as they were while changes go on, for every list', async () => {
  const catalog = await open(newFile())
  const { traitId } = await catalog.traits.create(trait(), 0)
  const before = catalog.definitions()
  await catalog.traits.create(trait({ name: 'later' }), 0)
  await catalog.segments.create(segment(traitId), 0)
  expect([...before.traits].map((one) => one.traitId)).toEqual([traitId])
  expect([...before.segments]).toEqual([])
  const after = catalog.definitions()
  expect(after.version).toBe(before.version + 2)
  expect([...after.traits]).toHaveLength(2)
  before.close()
  after.close()
})

test('snapshots that nobody ends do not pile up', async () => {
  const catalog = await open(newFile())
  const [first, ...others] = Array.from({ length: 20 }, () => catalog.definitions())
  expect(() => [...(first?.traits ?? [])]).toThrow()
  expect([...(others.at(-1)?.traits ?? [])]).toEqual([])
})

test('100,000 traits are read page by page, none missing; the longest step is printed [AUD-300]', async () => {
  const file = newFile()
  await (await open(file)).close()
  opened.length = 0
  await fillTraits(file, 100_000)
  const catalog = await open(file)
  const { traits } = catalog.definitions()
  let count = 0
  let longestMs = 0
  const iterator = traits[Symbol.iterator]()
  for (;;) {
    const startedMs = performance.now()
    const { done } = iterator.next()
    longestMs = Math.max(longestMs, performance.now() - startedMs)
    if (done === true) break
    count++
  }
  expect(count).toBe(100_000)
  console.log(`longest step over 100,000 traits: ${longestMs.toFixed(1)} ms`)
  const refused = await catalog.traits.create(trait(), 0).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'limit_reached', field: 'traits' })
})

async function fillTraits(file: string, count: number): Promise<void> {
  const engine = openSqlite(file)
  await engine.db.transaction().execute(async (tx) => {
    for (let start = 0; start < count; start += 500) {
      const rows = Array.from({ length: 500 }, (_, i) => ({
        trait_id: 1_000_000 + start + i,
        name: `trait ${start + i}`,
        description: null,
        comments: null,
        integration_code: null,
        data_source_id: 1_000,
        folder_id: 0,
        trait_type: 'RULE_BASED_TRAIT',
        trait_rule: `c_product == "${start + i}" AND c_category contains "shoes"`,
        trait_rule_version: 0,
        ttl_days: 120,
        status: 'ACTIVE',
        event_type_id: null,
        category_id: null,
        algo_model_id: null,
        threshold_value: null,
        created_by: 0,
        updated_by: 0,
        created_at: NOW_MS,
        updated_at: NOW_MS,
      }))
      await tx.insertInto('traits').values(rows).execute()
    }
  })
  await engine.close()
}
