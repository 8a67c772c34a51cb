import { Overview, OverviewQuery } from '../contract.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { OverviewReader } from './parts.ts'

/** `GET /v1/overview`: the figures of the admin UI's first page. */
export const overviewRoutes: Routes<{ overview: OverviewReader }> = (app, { overview }) => {
  app.get(
    '/v1/overview',
    {
      schema: {
        ...operationsOf('Overview')(
          'Show the overview',
          'The figures of the first page of the admin UI for a window of time: what came in, what it became, what partners were told, and what needs attention, worst first.',
        ),
        querystring: OverviewQuery,
        response: { 200: Overview },
      },
    },
    async (request) => overview.read(request.query.window),
  )
}
