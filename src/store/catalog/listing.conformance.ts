import { expect } from 'vitest'
import type { Catalog } from './catalog.ts'
import { factsOf, type MakePlace, type OpenedCatalogs, traitDraft } from './catalog-place.conformance.ts'
import { FIRST_FILLED, fillTraits } from './fill-traits.conformance.ts'

const COUNT = 1_200
const LONG_RULE = `c_page == "${'x'.repeat(100 * 1024)}"`

/** Lists are read in portions, and have one order. */
export function describeListing(name: string, makePlace: MakePlace): void {
  const fact = factsOf(name, makePlace)

  fact('no portion of a list has more than 500 rows, or more than 256 KiB of rules [API-24]', async (opened) => {
    const catalog = await fillWithLongRules(opened)
    const portions = await portionsOf(catalog)
    expect(portions.flat().map((trait) => trait.traitId)).toEqual(
      Array.from({ length: COUNT }, (_, n) => FIRST_FILLED + n),
    )
    for (const portion of portions) {
      expect(portion.length).toBeLessThanOrEqual(500)
      expect(portion.reduce((sum, { traitRule = '' }) => sum + traitRule.length, 0)).toBeLessThanOrEqual(256 * 1024)
    }
    // Two long ones are in one, three are too many.
    expect(portions.length).toBeGreaterThanOrEqual(6)
  })

  fact(
    'what is removed while a list is read is left out, what is added does not come twice [API-24]',
    async (opened) => {
      const catalog = await fillWithLongRules(opened)
      const seen: number[] = []
      let isFirst = true
      for await (const portion of catalog.traits.list({}, { sortBy: 'name', descending: true }).portions()) {
        seen.push(...portion.map((trait) => trait.traitId))
        if (isFirst) {
          const all = await portionsOf(catalog, {}, { sortBy: 'name' })
          const last = all.flat()[0]
          await catalog.traits.remove([last?.traitId ?? 0])
        }
        isFirst = false
      }
      expect(seen).toHaveLength(COUNT - 1)
      expect(new Set(seen).size).toBe(COUNT - 1)
    },
  )

  fact(
    'texts sort by their bytes, letters A to Z in one case; ids decide between equals [API-17]',
    async ({ open }) => {
      const catalog = await open()
      for (const name of ['_b', 'Zebra', 'apple', 'Äpfel', 'a b', 'Apple', 'ab', 'zoo', 'A-b', '10', '9'])
        await catalog.traits.create(traitDraft({ name }), 0)
      const sorted = ['10', '9', '_b', 'a b', 'A-b', 'ab', 'apple', 'Apple', 'Zebra', 'zoo', 'Äpfel']
      const names = async (descending: boolean) =>
        (await portionsOf(catalog, {}, { sortBy: 'name', descending })).flat().map((trait) => trait.name)
      expect(await names(false)).toEqual(sorted)
      expect(await names(true)).toEqual([...sorted].reverse())
    },
  )

  fact('a search finds a part of any text in any case of A to Z, with signs as they are [API-19]', async ({ open }) => {
    const catalog = await open()
    for (const name of ['100% wool', '100 shoes', 'a_b', 'aXb', 'back\\slash', 'Äpfel'])
      await catalog.traits.create(traitDraft({ name, traitRule: undefined, traitType: 'ON_BOARDED_TRAIT' }), 0)
    const found = async (search: string) => {
      const listing = catalog.traits.list({}, { search, sortBy: 'name' })
      const names = (await portionsOf(catalog, {}, { search, sortBy: 'name' })).flat().map((trait) => trait.name)
      expect(await listing.count()).toBe(names.length)
      return names
    }
    expect(await found('WOOL')).toEqual(['100% wool'])
    expect(await found('100%')).toEqual(['100% wool'])
    expect(await found('A_B')).toEqual(['a_b'])
    expect(await found('k\\s')).toEqual(['back\\slash'])
    expect(await found('Äpf')).toEqual(['Äpfel'])
    expect(await found('onboarded')).toEqual([])
    expect(await found('ON_BOARDED')).toHaveLength(6)
    expect(await found('100003')).toEqual(['aXb'])
  })
}

/** 1,200 traits, ten in a row with long rules. */
async function fillWithLongRules({ open, place }: OpenedCatalogs): Promise<Catalog> {
  const catalog = await open()
  const engine = place.engine()
  await fillTraits(engine.db, COUNT, (n) => ({
    name: `Trait ${(n * 7) % COUNT}`,
    trait_rule: n >= 600 && n < 610 ? LONG_RULE : 'c_page == "1"',
  }))
  await engine.close()
  return catalog
}

async function portionsOf(catalog: Catalog, ...list: Parameters<Catalog['traits']['list']>) {
  const portions = []
  for await (const portion of catalog.traits.list(...list).portions()) portions.push(portion)
  return portions
}
