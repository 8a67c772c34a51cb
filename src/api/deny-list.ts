import { z } from 'zod'
import { DenyListEntry, DenyListQuery, paged } from '../contract.ts'
import { NoContent, type Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { DenyListDesk } from './parts.ts'
import { noSuch, Problem } from './problem.ts'

/** Routes under `/v1/deny-list`. Source: spec/collection.md [COL-150]. */
export const denyListRoutes: Routes<{ denyList: DenyListDesk }> = (app, { denyList }) => {
  const says = operationsOf('Deny list')

  app.get(
    '/v1/deny-list',
    {
      schema: {
        ...says(
          'List refused IDs',
          'IDs that were called too often and are refused for a while, the longest blocked first.',
        ),
        querystring: DenyListQuery,
        response: { 200: paged(DenyListEntry) },
      },
    },
    async (request) => {
      const { page, pageSize, ...filter } = request.query
      const { total, list } = await denyList.list(filter, { page, pageSize })
      return { total, page, pageSize, list: [...list] }
    },
  )

  // By a number of its own, so that no ID of a person stands in an address that others log.
  const params = z.object({ entryId: z.string().regex(/^[0-9a-z]{1,11}$/) })
  app.delete(
    '/v1/deny-list/:entryId',
    {
      schema: {
        ...says(
          'Take an ID off the list',
          'It may call again at once. Answers 403 unless `edge.denyList.mayClear` is on.',
        ),
        params,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      const outcome = await denyList.remove(request.params.entryId)
      if (outcome === 'unknown') throw noSuch('deny list entry', request.params.entryId)
      if (outcome === 'off') {
        throw new Problem(403, 'deny_list_fixed', 'Taking IDs off the list is switched off (edge.denyList.mayClear).')
      }
      return reply.code(204).send()
    },
  )
}
