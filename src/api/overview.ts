import { Overview, OverviewQuery } from '../contract.ts'
import type { Routes } from './app.ts'
import type { OverviewReader } from './parts.ts'

/** `GET /v1/overview`: the figures of the admin UI's first page. */
export const overviewRoutes: Routes<{ overview: OverviewReader }> = (app, { overview }) => {
  app.get(
    '/v1/overview',
    { schema: { tags: ['Overview'], querystring: OverviewQuery, response: { 200: Overview } } },
    async (request) => overview.read(request.query.window),
  )
}
