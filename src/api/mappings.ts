import { z } from 'zod'
import { listOf, Mapping, MappingDraft, MappingListQuery, objectId } from '../contract.ts'
import { eachInSlices, runInSlices } from '../lib/slices.ts'
import type { Clock } from '../model/clock.ts'
import { DAY_MS, isoDay, utcDay } from '../model/time.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { MappingDraft as StoredDraft, StoredMapping } from '../store/catalog/mappings.ts'
import { BULK_BODY_BYTES_MAX, NoContent, PatchBody, patched, type Routes } from './app.ts'
import { sendList } from './list-answer.ts'
import { operationsOf } from './operation-words.ts'

const ofDestination = z.object({ destinationId: objectId })
const ofMapping = z.object({ mappingId: objectId })
const ofBoth = z.object({ destinationId: objectId, mappingId: objectId })

/** Segments mapped to a destination, under every path that clients use. Source: spec/rest-api.md [API-90]..[API-98]. */
export const mappingRoutes: Routes<{ catalog: Catalog; now: Clock }> = (app, { catalog, now }) => {
  const { destinations, mappings } = catalog
  const says = operationsOf('Mappings')
  const list = '/v1/destinations/:destinationId/mappings'
  const readDraft = (body: MappingDraft) => readMappingDraft(body, now())

  app.get(
    list,
    {
      schema: {
        ...says(
          'List the segments of a destination',
          'Each with the alias under which the partner knows it and the days between which it is sent.',
        ),
        params: ofDestination,
        querystring: MappingListQuery,
        response: { 200: listOf(Mapping) },
      },
    },
    async (request, reply) => {
      const { destinationId } = await destinations.get(request.params.destinationId)
      return sendList(reply, mappings.list(destinationId, request.query), request.query, (items) =>
        items.map(renderMapping),
      )
    },
  )

  app.get(
    `${list}/:mappingId`,
    {
      schema: {
        ...says('Show a mapping', 'One segment of a destination.'),
        params: ofBoth,
        response: { 200: Mapping },
      },
    },
    async (request) => renderMapping(await mappings.get(request.params.mappingId, request.params.destinationId)),
  )

  // `traits` is the older path of the same [API-94].
  for (const path of [list, '/v1/destinations/:destinationId/traits']) {
    app.post(
      path,
      {
        schema: {
          ...says(
            'Map a segment to a destination',
            'From `startDate` on (today when left out) its members are told to the partner under `traitAlias`, or under its number; 409 when another segment of the destination has that alias. `…/traits` is the older path of the same.',
          ),
          params: ofDestination,
          body: MappingDraft,
          response: { 201: Mapping },
        },
      },
      async (request, reply) => {
        const [created] = await mappings.create(
          request.params.destinationId,
          [readDraft(request.body)],
          request.caller.author,
        )
        if (created === undefined) throw new Error('one mapping was asked for, none was created')
        return reply.code(201).send(renderMapping(created))
      },
    )
  }

  const bulk = {
    bodyLimit: BULK_BODY_BYTES_MAX,
    schema: {
      ...says('Map several segments', 'Up to 20,000 in one call, all or none.'),
      params: ofDestination,
      body: z.array(MappingDraft).min(1).max(20_000),
      response: { 201: z.array(Mapping) },
    },
  }
  app.post('/v1/destinations/:destinationId/bulk-create', bulk, async (request, reply) => {
    const drafts = await runInSlices(eachInSlices(request.body, readDraft))
    const created = await mappings.create(request.params.destinationId, drafts, request.caller.author)
    return reply.code(201).send(await runInSlices(eachInSlices(created, renderMapping)))
  })

  app.put(
    '/v1/destinations/mappings/:mappingId',
    {
      schema: {
        ...says('Replace a mapping by its own id', 'Alias and days; the segment stays what it is.'),
        params: ofMapping,
        body: MappingDraft,
        response: { 200: Mapping },
      },
    },
    async (request) =>
      renderMapping(
        await mappings.replace(request.params.mappingId, undefined, readDraft(request.body), request.caller.author),
      ),
  )
  app.put(
    `${list}/:mappingId`,
    {
      schema: {
        ...says('Replace a mapping', 'Alias and days; the segment stays what it is.'),
        params: ofBoth,
        body: MappingDraft,
        response: { 200: Mapping },
      },
    },
    async (request) => {
      const { mappingId, destinationId } = request.params
      return renderMapping(
        await mappings.replace(mappingId, destinationId, readDraft(request.body), request.caller.author),
      )
    },
  )
  app.patch(
    `${list}/:mappingId`,
    {
      schema: {
        ...says('Change a mapping', 'Only the members of the body change.'),
        params: ofBoth,
        body: PatchBody,
        response: { 200: Mapping },
      },
    },
    async (request) => {
      const { mappingId, destinationId } = request.params
      const next = (stored: StoredMapping) => readDraft(patched(MappingDraft, renderMapping(stored), request.body))
      return renderMapping(await mappings.revise(mappingId, destinationId, next, request.caller.author))
    },
  )

  // The documentation gives the first, clients use the second [API-97].
  for (const path of ['/v1/destinations/:destinationId/segments/:mappingId', `${list}/:mappingId`]) {
    app.delete(
      path,
      {
        schema: {
          ...says(
            'Remove a mapping',
            'The segment is not sent any more; with `unsegmentOnUnmap` its members are told out in the background, whether they come by or not. `…/segments/{id}` is the documented path, `…/mappings/{id}` the one that clients use.',
          ),
          params: ofBoth,
          response: { 204: NoContent },
        },
      },
      async (request, reply) => {
        await mappings.remove(request.params.mappingId, request.params.destinationId)
        return reply.code(204).send()
      },
    )
  }
}

/** Days are stored as sent, UTC [API-90]. */
function readMappingDraft(body: MappingDraft, nowMs: number): StoredDraft {
  return {
    segmentId: body.sid,
    value: body.traitAlias,
    startDay: body.startDate === undefined ? utcDay(nowMs) : dayOf(body.startDate),
    endDay: body.endDate === undefined ? undefined : dayOf(body.endDate),
  }
}

function dayOf(date: string): number {
  return Date.parse(date) / DAY_MS
}

export function renderMapping(mapping: StoredMapping): Mapping {
  return {
    destinationMappingId: mapping.mappingId,
    mappingId: mapping.mappingId,
    destinationId: mapping.destinationId,
    sid: mapping.segmentId,
    traitType: 'SEGMENT',
    traitValue: 0,
    elementName: mapping.segmentName,
    elementDescription: mapping.segmentDescription ?? null,
    elementStatus: mapping.segmentStatus === 'ACTIVE' ? 'active' : 'inactive',
    startDate: isoDay(mapping.startDay),
    endDate: mapping.endDay === undefined ? null : isoDay(mapping.endDay),
    priority: null,
    url: null,
    secureUrl: null,
    tagCode: null,
    secureTagCode: null,
    traitAlias: mapping.value,
    valueAlias: null,
    createTime: mapping.createdAtMs,
    updateTime: mapping.updatedAtMs,
    crUID: mapping.createdBy,
    upUID: mapping.updatedBy,
  }
}
