import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCatalog } from './catalog.ts'
import type { DataSourceDraft } from './data-sources.ts'
import { createNames } from './names.ts'
import { openSqlite } from './sqlite.ts'

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

test('names are found in portions as in one, the nearest fit first, whatever the size of a portion [OPS-40]', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'usher-names-'))
  const file = join(folder, 'catalog.sqlite')
  const catalog = await openCatalog({ file, masterKey: Buffer.alloc(32, 1), clock: Date.now })
  for (const name of NAMES) await catalog.dataSources.create({ ...draft, name }, 0)
  await catalog.close()
  const engine = openSqlite(file)
  const whole = createNames(engine.db)
  for (const text of ['boots', 'BOOTS', 'o', 'sandals', '1001', 'nothing'])
    for (const limit of [1, 3, 20])
      for (let portion = 1; portion <= NAMES.length + 2; portion++) {
        const found = await createNames(engine.db, portion).search('data_sources', text, limit)
        expect(found, `${text}, ${limit} of portions of ${portion}`).toEqual(
          await whole.search('data_sources', text, limit),
        )
      }
  await engine.close()
  rmSync(folder, { recursive: true })
})
