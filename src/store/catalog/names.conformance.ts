import { expect } from 'vitest'
import { dataSourceDraft, factsOf, type MakePlace } from './catalog-place.conformance.ts'

const NAMES = [
  'Boots',
  'Old boots',
  'Rubberboots',
  'boots and shoes',
  'Shoes',
  'Boots shop',
  'Sandals',
  'boots',
  'Rain boots',
  'Überzug',
]

const EXPECTED = [
  ['boots', ['Boots', 'boots', 'Boots shop', 'boots and shoes', 'Old boots', 'Rain boots', 'Rubberboots']],
  ['BOOTS S', ['Boots shop']],
  ['sandals', ['Sandals']],
  ['oot', ['Boots', 'boots', 'Old boots', 'Boots shop', 'Rain boots', 'Rubberboots', 'boots and shoes']],
  ['1003', ['Old boots']],
  ['Übe', ['Überzug']],
  ['nothing', []],
] as const

/** Names are found while somebody types. */
export function describeNames(name: string, makePlace: MakePlace): void {
  const fact = factsOf(name, makePlace)

  fact(
    'names are found by a part or by the ID, the nearest fit first, no more than asked for [OPS-40]',
    async ({ open }) => {
      const catalog = await open()
      for (const name of NAMES) await catalog.dataSources.create(dataSourceDraft({ name }), 0)
      for (const [text, names] of EXPECTED) {
        for (const limit of [1, 3, 20]) {
          const found = await catalog.names.search('data_sources', text, limit)
          expect(
            found.map((one) => one.name),
            `${text}, ${limit}`,
          ).toEqual(names.slice(0, limit))
        }
      }
      const names = await catalog.names.namesOf('data_sources', [1_002, 1_003, 1_002, 4_711])
      expect([...names]).toEqual([
        [1_002, 'Boots'],
        [1_003, 'Old boots'],
      ])
    },
  )
}
