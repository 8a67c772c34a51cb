import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type Catalog, type CatalogOptions, openCatalog } from './catalog.ts'
import type { Listing } from './listing.ts'
import { CatalogRefusal } from './refusal.ts'
import { SecretUnreadableError } from './secrets.ts'
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

test('a catalogue does not open with another master key [SEC-62]', async () => {
  const file = newFile()
  await (await open(file)).close()
  opened.length = 0
  await expect(openCatalog({ file, masterKey: Buffer.alloc(32, 2), clock: () => NOW_MS })).rejects.toThrow(
    SecretUnreadableError,
  )
})

test('changes are flushed to the device, whatever level events have [OPS-24]', async () => {
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
