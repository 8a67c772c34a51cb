import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres } from '../../../testkit/postgres-programs.mjs'
import { startPostgres, type TestPostgres } from '../../../testkit/start-postgres.ts'
import { describeCatalog } from '../catalog.conformance.ts'
import { openCatalog } from '../catalog.ts'
import { MASTER_KEY, NOW_MS, traitDraft } from '../catalog-place.conformance.ts'
import { openPostgres } from './postgres-engine.ts'

/** A real server, which this file starts. */
describe.skipIf(!hasPostgres() && process.env['CI'] !== 'true')('PostgreSQL', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const makePlace = async () => {
    const url = await server.createDatabase()
    return { url, engine: () => openPostgres(url), [Symbol.asyncDispose]: () => server.dropDatabase(url) }
  }
  const openIn = (url: string) => openCatalog({ engine: openPostgres(url), masterKey: MASTER_KEY, clock: () => NOW_MS })

  describeCatalog('postgres', makePlace)

  test('several that open an empty database at one time all find one catalogue', async () => {
    await using place = await makePlace()
    const catalogs = await Promise.all(Array.from({ length: 4 }, () => openIn(place.url)))
    const made = await Promise.all(catalogs.map((catalog) => catalog.traits.create(traitDraft(), 0)))
    expect(new Set(made.map((trait) => trait.traitId)).size).toBe(4)
    expect(await catalogs[0]?.mergeRules.list().count()).toBe(1)
    for (const catalog of catalogs) await catalog.close()
  })

  test('what another process defined is heard of without asking, well within 5 s', async () => {
    await using place = await makePlace()
    const [left, right] = [await openIn(place.url), await openIn(place.url)]
    const heard = new Promise<void>((resolve) => right.onChange(resolve))
    await left.traits.create(traitDraft(), 0)
    await heard
    expect(right.version()).toBe(left.version())
    await left.close()
    await right.close()
  })

  test('changes wait for the device, also on a server that is set not to [OPS-24~]', async () => {
    await using place = await makePlace()
    const engine = place.engine()
    const { rows } = await sql`show synchronous_commit`.execute(engine.db)
    expect(rows).toEqual([{ synchronous_commit: 'on' }])
    await engine.close()
  })

  test('a connection that ends is told as what may succeed later, and the next one is made', async () => {
    await using place = await makePlace()
    const catalog = await openIn(place.url)
    const { traitId } = await catalog.traits.create(traitDraft(), 0)
    const engine = place.engine()
    const interrupted = engine.db.transaction().execute(async (tx) => {
      await tx.updateTable('traits').set({ name: 'half' }).where('trait_id', '=', traitId).execute()
      await server.disconnectAll()
      await tx.updateTable('traits').set({ comments: 'half' }).where('trait_id', '=', traitId).execute()
    })
    await expect(interrupted).rejects.toMatchObject({ code: 'store_unavailable', retryable: true })
    // One that was idle when it ended may be given out before that is noticed.
    await expect.poll(() => catalog.traits.get(traitId).catch(() => undefined)).toMatchObject({ name: 'Shoes' })
    await catalog.traits.replace(traitId, traitDraft({ name: 'Boots' }), 0)
    await engine.close()
    await catalog.close()
  })

  test('a server that is not there is told as such, and nothing stays open', async () => {
    const nowhere = openIn('postgres://usher@127.0.0.1:1/none')
    await expect(nowhere).rejects.toMatchObject({ code: 'store_unavailable', retryable: true })
  })

  test('a database that lacks letters is refused before anything is made in it', async () => {
    await using place = await makePlace()
    const engine = place.engine()
    await sql`create database narrow template template0 encoding 'LATIN1' locale 'C'`.execute(engine.db)
    await engine.close()
    const url = place.url.replace(/[^/]+$/, 'narrow')
    await expect(openIn(url)).rejects.toMatchObject({ code: 'catalog_unsuitable' })
    await server.dropDatabase(url)
  })
})
