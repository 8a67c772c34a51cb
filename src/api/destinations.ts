import { z } from 'zod'
import {
  Destination,
  DestinationDraft,
  DestinationListQuery,
  DestinationQuery,
  IdList,
  listOf,
  objectId,
  UsageByLimit,
} from '../contract.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { StoredDestination, DestinationDraft as StoredDraft } from '../store/catalog/destinations.ts'
import { BULK_BODY_BYTES_MAX, NoContent, PatchBody, patched, type Routes } from './app.ts'
import type { Caller } from './auth.ts'
import { authorship } from './authorship.ts'
import { sendList } from './list-answer.ts'
import { renderMapping } from './mappings.ts'
import { operationsOf } from './operation-words.ts'
import type { DestinationTypeDesk, DestinationTypes } from './parts.ts'
import { invalidField, Problem } from './problem.ts'

const params = z.object({ destinationId: objectId })
const one = '/v1/destinations/:destinationId'

/** As the types of destinations judge and show it, for the document; in the body it is judged by them alone. */
export function describedBy(types: DestinationTypes) {
  const members = (schemaOf: (type: DestinationTypeDesk) => Readonly<Record<string, unknown>>) =>
    Object.fromEntries(types.map((type) => [type.member, z.unknown().optional().meta(schemaOf(type))])) as Readonly<
      Record<never, z.ZodType>
    >
  return {
    body: DestinationDraft.extend(
      members((type) => ({
        ...type.schema('sent'),
        title: type.title,
        description: `Settings of a ${type.title.toLowerCase().replaceAll(' ', '-')} destination; secrets are write-only`,
      })),
    ),
    answer: Destination.extend(members((type) => ({ ...type.schema('shown'), description: 'Left out of lists' }))),
  }
}

/** With the settings under the member of its type. */
type SentDestination = DestinationDraft & Readonly<Record<string, unknown>>

/** Routes under `/v1/destinations`, without those of mappings. Source: spec/rest-api.md section 9, [OPS-42], [OPS-50]. */
export const destinationRoutes: Routes<{ catalog: Catalog; destinationTypes: DestinationTypes }> = (
  app,
  { catalog, destinationTypes },
) => {
  const { destinations, mappings } = catalog
  const says = operationsOf('Destinations')
  const described = describedBy(destinationTypes)
  const view = (destination: StoredDestination, generated?: readonly string[]) =>
    renderDestination(destination, catalog.pid, destinationTypes, generated)
  const readDraft = (body: SentDestination, stored: StoredDestination | undefined) =>
    readDestinationDraft(body, stored, destinationTypes)

  app.get(
    '/v1/destinations',
    {
      schema: {
        ...says(
          'List destinations',
          'Everything as one array, or a page of it, without settings and mappings. `containsSegment` keeps those a segment is mapped to.',
        ),
        querystring: DestinationListQuery,
        response: { 200: listOf(Destination) },
      },
    },
    (request, reply) => {
      const listing = destinations.list({ containsSegment: request.query.containsSegment }, request.query)
      return sendList(reply, listing, request.query, (items) =>
        items.map((item) => shortened(view(item), destinationTypes)),
      )
    },
  )

  app.get(
    '/v1/destinations/limits',
    {
      schema: {
        ...says(
          'Show the limits of destinations',
          'How many there are of how many there may be, by the name of the limit.',
        ),
        response: { 200: UsageByLimit },
      },
    },
    () => destinations.usage(),
  )

  const platforms = {
    schema: {
      ...says('List the platforms of destinations', 'The fixed list that clients of Audience Manager ask for.'),
      response: { 200: z.array(z.string()) },
    },
  }
  app.get('/v1/destinations/configurations/available-platforms', platforms, async () => [
    'BROWSER',
    'ANDROID',
    'iOS',
    'ALL',
  ])

  app.get(
    one,
    {
      schema: {
        ...says(
          'Show a destination',
          'With its settings, each secret as `set`, its last four characters and a fingerprint; with `includeMappings=true` also its segments.',
        ),
        params,
        querystring: DestinationQuery,
        response: { 200: described.answer },
      },
    },
    async (request) => {
      const shown = view(await destinations.get(request.params.destinationId))
      if (request.query.includeMappings !== true) return { ...shown, mappings: null }
      const shownMappings = []
      for await (const some of mappings.list(shown.destinationId).portions())
        shownMappings.push(...some.map(renderMapping))
      return { ...shown, mappings: shownMappings }
    },
  )

  app.post(
    '/v1/destinations',
    {
      schema: {
        ...says(
          'Create a destination',
          `${destinationTypes.map(({ type, member }) => `Of type ${type}, with its settings in \`${member}\`.`).join(' ')} Secrets are write-only. A signing key that is left out is generated and shown as \`value\` in this one answer.`,
        ),
        body: described.body,
        response: { 201: described.answer },
      },
    },
    async (request, reply) => {
      const { draft, generated } = readDraft(request.body, undefined)
      const created = await destinations.create(draft, request.caller.author)
      return reply.code(201).send(view(created, generated))
    },
  )

  const revise = async (
    { params: { destinationId }, caller }: { params: { destinationId: number }; caller: Caller },
    bodyOf: (stored: StoredDestination) => SentDestination,
  ) => {
    let generated: readonly string[] = []
    const reviseStored = (stored: StoredDestination) => {
      const read = readDraft(bodyOf(stored), stored)
      generated = read.generated
      return read.draft
    }
    return view(await destinations.revise(destinationId, reviseStored, caller.author), generated)
  }

  app.put(
    one,
    {
      schema: {
        ...says(
          'Replace a destination',
          'A secret sent back as it was shown stays; a new text replaces it. An entry of `auth.keys` without a `key` is generated, as the next key of a rotation.',
        ),
        params,
        body: described.body,
        response: { 200: described.answer },
      },
    },
    (request) => revise(request, () => request.body),
  )

  app.patch(
    one,
    {
      schema: {
        ...says(
          'Change a destination',
          'Only the members of the body change. `s2s` counts as one member: send it whole, its secrets as they were shown.',
        ),
        params,
        body: PatchBody,
        response: { 200: described.answer },
      },
    },
    (request) => revise(request, (stored) => patched(described.body, view(stored), request.body)),
  )

  app.delete(
    one,
    {
      schema: {
        ...says(
          'Delete a destination',
          'Answers 409 with the segments that are mapped to it. What it was still owed is not sent any more.',
        ),
        params,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await destinations.remove([request.params.destinationId])
      return reply.code(204).send()
    },
  )

  const bulk = {
    bodyLimit: BULK_BODY_BYTES_MAX,
    schema: {
      ...says('Delete several destinations', 'All of the listed ids or, when one has mappings, none.'),
      body: IdList,
      response: { 204: NoContent },
    },
  }
  app.post('/v1/destinations/bulk-delete', bulk, async (request, reply) => {
    await destinations.remove(request.body)
    return reply.code(204).send()
  })
}

/** @param stored keeps its secrets where the body shows them redacted */
function readDestinationDraft(
  body: SentDestination,
  stored: StoredDestination | undefined,
  types: DestinationTypes,
): { readonly draft: StoredDraft; readonly generated: readonly string[] } {
  const { destinationType } = body
  const type = types.find((one) => one.type === destinationType)
  if (type === undefined) throw invalidField('destinationType', notAvailable(destinationType, types))
  for (const { member, type: other } of types)
    if (member !== type.member && body[member] != null)
      throw invalidField(member, `Is of destinations of type ${other}; this one is of type ${destinationType}.`)
  const sent = body[type.member]
  if (typeof sent !== 'object' || sent === null)
    throw invalidField(type.member, `A destination of type ${destinationType} needs its ${type.member} object.`)
  // The settings of another type hold no secret of this one.
  const previous = stored?.destinationType === destinationType ? stored.config : undefined
  const merged = type.merge(previous, sent)
  if (merged.issues.length > 0) throw invalidSettings(type, merged.issues)
  const { config, generated } = type.withGeneratedKeys(previous, merged.config)
  const parsed = type.parse(config)
  if (!parsed.ok) throw invalidSettings(type, parsed.issues)
  const draft = {
    destinationId: body.destinationId,
    name: body.name,
    description: body.description,
    destinationType,
    status: body.status,
    vendorId: body.vendorId,
    config: parsed.config,
    dataSourceIds: type.dataSources(parsed.config),
    dataSourceField: `${type.member}.userDpid`,
  }
  return { draft, generated }
}

function notAvailable(destinationType: string, types: DestinationTypes): string {
  const built = types.map(({ type }) => type).join(' and ')
  return `Destinations of type ${destinationType} are not available yet; ${built} ${types.length === 1 ? 'is' : 'are'}.`
}

function invalidSettings(
  { member }: DestinationTypeDesk,
  issues: readonly { readonly path: string; readonly message: string }[],
): Problem {
  const details = issues.map(({ path, message }) => ({ field: path === '' ? member : `${member}.${path}`, message }))
  return new Problem(400, 'invalid_request', 'The request is not valid.', details)
}

function renderDestination(
  destination: StoredDestination,
  pid: number,
  types: DestinationTypes,
  generated: readonly string[] = [],
): Destination {
  const type = types.find((one) => one.type === destination.destinationType)
  return {
    destinationId: destination.destinationId,
    name: destination.name,
    description: destination.description ?? null,
    destinationType: destination.destinationType,
    status: destination.status,
    vendorId: destination.vendorId ?? null,
    ...(type !== undefined && { [type.member]: type.redact(destination.config, generated) }),
    ...authorship(destination, pid),
  }
}

/** As lists show it [API-76]. */
function shortened(shown: Destination, types: DestinationTypes): Destination {
  const members = Object.entries(shown).filter(([name]) => !types.some(({ member }) => member === name))
  return Object.fromEntries(members) as Destination
}
