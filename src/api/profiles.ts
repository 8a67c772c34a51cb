import { z } from 'zod'
import { ExplainQuery, ExplainView, ProfileView } from '../contract.ts'
import { isDeviceId, parseProfileId } from '../model/ids.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { ProfileReader } from './parts.ts'
import { invalidField, Problem } from './problem.ts'

const params = z.object({
  id: z.string().min(1).max(600).meta({ description: 'A device ID, or data source and partner ID as 77052:hd-9f21' }),
})

/** Routes under `/v1/profiles`. Source: spec/operating.md [OPS-52]. */
export const profileRoutes: Routes<{ profiles: ProfileReader }> = (app, { profiles }) => {
  const says = operationsOf('Profiles')

  app.get(
    '/v1/profiles/:id',
    {
      schema: {
        ...says(
          'Show a profile',
          'Everything that is known of a device or of a declared ID: its IDs, traits, segments, consent, opt-out and what partners were told. 404 when nothing is known.',
        ),
        params,
        response: { 200: ProfileView },
      },
    },
    async (request) => {
      const found = await profiles.profile(readId(request.params.id))
      if (found === undefined) throw unknownProfile()
      return found
    },
  )

  app.get(
    '/v1/profiles/:id/explain',
    {
      schema: {
        ...says(
          'Explain a membership',
          'The rule of a segment as a tree with a verdict at each node, counted for this profile now or at a given time, and what each destination was told.',
        ),
        params,
        querystring: ExplainQuery,
        response: { 200: ExplainView },
      },
    },
    async (request) => {
      const { segmentId, at } = request.query
      const found = await profiles.explain(
        readId(request.params.id),
        segmentId,
        at === undefined ? undefined : Date.parse(at),
      )
      if (found === undefined) throw unknownProfile()
      return found
    },
  )
}

function readId(id: string): string {
  const isKnownForm = isDeviceId(id) || (id.includes(':') && parseProfileId(id) !== undefined)
  if (!isKnownForm)
    throw invalidField('id', 'It is neither a device ID of 38 digits nor a data source and an ID, as 77052:hd-9f21.')
  return id
}

/** Without the id: answers end up in logs of others. */
function unknownProfile(): Problem {
  return new Problem(404, 'not_found', 'Nothing is known of this profile.')
}
