import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCatalog } from './catalog.ts'
import type { DataSourceDraft } from './data-sources.ts'

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
]

const draft: DataSourceDraft = {
  dataSourceId: undefined,
  name: '',
  description: undefined,
  integrationCode: undefined,
  idType: 'COOKIE',
  status: 'ACTIVE',
  options: {} as DataSourceDraft['options'],
}

const EXPECTED = [
  ['boots', ['Boots', 'boots', 'Boots shop', 'boots and shoes', 'Old boots', 'Rain boots', 'Rubberboots']],
  ['BOOTS S', ['Boots shop']],
  ['sandals', ['Sandals']],
  ['oot', ['Boots', 'boots', 'Old boots', 'Boots shop', 'Rain boots', 'Rubberboots', 'boots and shoes']],
  ['1003', ['Old boots']],
  ['nothing', []],
] as const

test('names are found by a part or by the ID, the nearest fit first, no more than asked for [OPS-40]', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'usher-names-'))
  const file = join(folder, 'catalog.sqlite')
  const catalog = await openCatalog({ file, masterKey: Buffer.alloc(32, 1), clock: Date.now })
  for (const name of NAMES) await catalog.dataSources.create({ ...draft, name }, 0)
  for (const [text, names] of EXPECTED) {
    for (const limit of [1, 3, 20]) {
      const found = await catalog.names.search('data_sources', text, limit)
      expect(
        found.map((one) => one.name),
        `${text}, ${limit}`,
      ).toEqual(names.slice(0, limit))
    }
  }
  await catalog.close()
  rmSync(folder, { recursive: true })
})
