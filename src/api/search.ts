import { z } from 'zod'
import { Found, SEARCH_RESULTS_MAX, SearchQuery } from '../contract.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { NamedKind } from '../store/catalog/names.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { DeliveryReader, ProfileReader } from './parts.ts'

/** Kinds with names, in the order of equal answers. */
const NAMED = [
  ['segments', 'segment'],
  ['traits', 'trait'],
  ['destinations', 'destination'],
  ['data_sources', 'data_source'],
] as const satisfies readonly (readonly [NamedKind, Found['kind']])[]

/**
 * `GET /v1/search`: whatever has a text in its name or as its ID, at most 20, best first. It shows what the caller may read
 * by the other routes: today every caller may read all. Source: spec/operating.md [OPS-40].
 */
export const searchRoutes: Routes<{ catalog: Catalog; profiles: ProfileReader; deliveries: DeliveryReader }> = (
  app,
  { catalog, profiles, deliveries },
) => {
  app.get(
    '/v1/search',
    {
      schema: {
        ...operationsOf('Search')(
          'Find anything',
          'Segments, traits, destinations and data sources by a part of their name or their number, profiles and messages by their ID. At most 20, best first.',
        ),
        querystring: SearchQuery,
        response: { 200: z.array(Found) },
      },
    },
    async ({ query: { q } }) => {
      const [message, found, ...named] = await Promise.all([
        deliveries.get(q),
        profiles.find(q),
        ...NAMED.map(([table, kind]) => namedAs(catalog, table, kind, q)),
      ])
      const whole: Found[] = message === undefined ? [] : [messageFound(message)]
      for (const { id, dataSource } of found) whole.push({ kind: 'profile', id, name: id, detail: dataSource })
      // A stable sort: of equal rank in the order of the kinds, each best first.
      const parts = named.flat().sort((a, b) => a.rank - b.rank)
      return [...whole, ...parts.map(({ rank: _rank, ...one }) => one)].slice(0, SEARCH_RESULTS_MAX)
    },
  )
}

async function namedAs({ names }: Catalog, table: NamedKind, kind: Found['kind'], q: string) {
  const found = await names.search(table, q, SEARCH_RESULTS_MAX)
  return found.map(({ id, name, rank }) => ({ kind, id, name, detail: null, rank }))
}

function messageFound({ deliveryId, status }: { readonly deliveryId: string; readonly status: string }): Found {
  return { kind: 'message', id: deliveryId, name: deliveryId, detail: status }
}
