import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Catalog, openCatalog } from './catalog.ts'
import type { TraitDraft } from './trait-rows.ts'

const COUNT = 1_200
const LONG_RULE = `c_page == "${'x'.repeat(100 * 1024)}"`
const folder = mkdtempSync(join(tmpdir(), 'usher-listing-'))
let catalog: Catalog
beforeAll(async () => {
  catalog = await openCatalog({ file: join(folder, 'catalog.sqlite'), masterKey: Buffer.alloc(32, 1), clock: Date.now })
  const { dataSourceId } = await catalog.dataSources.get(1_000)
  for (let n = 0; n < COUNT; n++) {
    const draft: TraitDraft = {
      traitId: undefined,
      name: `Trait ${(n * 7) % COUNT}`,
      description: undefined,
      comments: undefined,
      integrationCode: undefined,
      dataSourceId,
      folderId: 0,
      traitType: 'RULE_BASED_TRAIT',
      // Ten in a row are long.
      traitRule: n >= 600 && n < 610 ? LONG_RULE : 'c_page == "1"',
      ttlDays: 120,
      status: 'ACTIVE',
      eventTypeId: undefined,
      categoryId: undefined,
    }
    await catalog.traits.create(draft, 0)
  }
})
afterAll(async () => {
  await catalog.close()
  rmSync(folder, { recursive: true })
})

async function portionsOf(...list: Parameters<Catalog['traits']['list']>) {
  const portions = []
  for await (const portion of catalog.traits.list(...list).portions()) portions.push(portion)
  return portions
}

test('no portion of a list has more than 500 rows, or more than 256 KiB of rules [API-24]', async () => {
  const portions = await portionsOf()
  expect(portions.flat().map((trait) => trait.traitId)).toEqual(Array.from({ length: COUNT }, (_, n) => 100_000 + n))
  for (const portion of portions) {
    expect(portion.length).toBeLessThanOrEqual(500)
    expect(portion.reduce((sum, { traitRule = '' }) => sum + traitRule.length, 0)).toBeLessThanOrEqual(256 * 1024)
  }
  // Two long ones are in one, three are too many.
  expect(portions.length).toBeGreaterThanOrEqual(6)
})

test('what is removed while a list is read is left out, what is added does not come twice [API-24]', async () => {
  const seen: number[] = []
  let isFirst = true
  for await (const portion of catalog.traits.list({}, { sortBy: 'name', descending: true }).portions()) {
    seen.push(...portion.map((trait) => trait.traitId))
    if (isFirst) {
      const all = await portionsOf({}, { sortBy: 'name' })
      const last = all.flat()[0]
      await catalog.traits.remove([last?.traitId ?? 0])
    }
    isFirst = false
  }
  expect(seen).toHaveLength(COUNT - 1)
  expect(new Set(seen).size).toBe(COUNT - 1)
})
