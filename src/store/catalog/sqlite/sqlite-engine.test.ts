import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeCatalog } from '../catalog.conformance.ts'
import { openSqlite } from './sqlite-engine.ts'

async function makePlace() {
  const folder = await mkdtemp(join(tmpdir(), 'usher-catalog-'))
  return {
    engine: () => openSqlite(join(folder, 'catalog.sqlite')),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

describeCatalog('sqlite', makePlace)

test('changes are flushed to the device, whatever level events have [OPS-24~]', async () => {
  await using place = await makePlace()
  const engine = place.engine()
  const { rows } = await sql`pragma synchronous`.execute(engine.db)
  const FULL = 2
  expect(rows).toEqual([{ synchronous: FULL }])
  await engine.close()
})
