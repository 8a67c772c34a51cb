import { z } from 'zod'
import {
  IdList,
  listOf,
  MergeRuleReplacement,
  RuleToValidate,
  RuleVerdict,
  Segment,
  SegmentDraft,
  SegmentListQuery,
  SegmentQuery,
  UsageByLimit,
} from '../contract.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { SegmentDraft as StoredDraft, StoredSegment } from '../store/catalog/segment-rows.ts'
import { BULK_BODY_BYTES_MAX, NoContent, PatchBody, patched, type Routes } from './app.ts'
import { authorship } from './authorship.ts'
import { sendList } from './list-answer.ts'
import { objectKey, resolveKey } from './object-key.ts'
import { operationsOf } from './operation-words.ts'
import type { RuleChecker } from './parts.ts'
import { checkSegmentRule } from './segment-rule-check.ts'

const params = z.object({ sid: objectKey })
/** More traits than this only the code view shows [AUD-305]. */
const VISUAL_TRAITS_MAX = 50

/** Routes under `/v1/segments`. Source: spec/rest-api.md section 6. */
export const segmentRoutes: Routes<{ catalog: Catalog; rules: RuleChecker }> = (app, { catalog, rules }) => {
  const { segments } = catalog
  const says = operationsOf('Segments')
  const idOf = (key: string) => resolveKey('segment', key, segments.idsByIntegrationCode)
  const view = (segment: StoredSegment) => renderSegment(segment, catalog.pid)

  const viewAll = async (
    found: readonly StoredSegment[],
    query: Pick<z.output<typeof SegmentQuery>, 'includeInUseStatus' | 'includeTraitDataSourceIds'>,
  ): Promise<Segment[]> => {
    const ids = found.map((segment) => segment.segmentId)
    const mapped = query.includeInUseStatus === true ? await segments.mappedAmong(ids) : undefined
    const sources = query.includeTraitDataSourceIds === true ? await segments.traitDataSourcesOf(ids) : undefined
    return found.map((segment) => ({
      ...view(segment),
      ...(mapped && { inUse: mapped.has(segment.segmentId) }),
      ...(sources && { traitDataSourceIds: [...(sources.get(segment.segmentId) ?? [])] }),
    }))
  }

  const viewOne = async (segment: StoredSegment, query: z.output<typeof SegmentQuery>): Promise<Segment> => {
    const [shown = view(segment)] = await viewAll([segment], query)
    if (query.includeExprTree !== true) return shown
    const traits = await segments.traitsOf(segment.segmentId)
    const parsed = rules.parseSegmentRule(segment.segmentRule)
    return {
      ...shown,
      traits,
      codeViewOnly: traits.length > VISUAL_TRAITS_MAX,
      expressionTree: parsed.ok ? parsed.rule : null,
    }
  }

  const readDraft = async (body: SegmentDraft): Promise<StoredDraft> => {
    const { normalized, traitIds } = await checkSegmentRule(body.segmentRule, 'segmentRule', {
      rules,
      traits: catalog.traits,
    })
    return {
      segmentId: body.sid,
      name: body.name,
      description: body.description,
      integrationCode: body.integrationCode,
      segmentRule: normalized,
      traitIds,
      dataSourceId: body.dataSourceId,
      mergeRuleId: body.mergeRuleDataSourceId,
      folderId: body.folderId,
      status: body.status,
    }
  }

  app.get(
    '/v1/segments',
    {
      schema: {
        ...says(
          'List segments',
          'Everything as one array, or a page of it. Filter by folder, data source, status, integration code, contained trait or time of change.',
        ),
        querystring: SegmentListQuery,
        response: { 200: listOf(Segment) },
      },
    },
    (request, reply) => {
      const { query } = request
      const listing = segments.list(readFilter(query), query)
      return sendList(reply, listing, query, (items) => viewAll(items, query))
    },
  )

  app.get(
    '/v1/segments/limits',
    {
      schema: {
        ...says('Show the limits of segments', 'How many there are of how many there may be.'),
        response: { 200: UsageByLimit },
      },
    },
    () => segments.usage(),
  )

  app.get(
    '/v1/segments/:sid',
    {
      schema: {
        ...says(
          'Show a segment',
          'By its number, or by its integration code as `ic:code`. `includeExprTree` adds the parsed rule and the traits it names.',
        ),
        params,
        querystring: SegmentQuery,
        response: { 200: Segment },
      },
    },
    async (request) => viewOne(await segments.get(await idOf(request.params.sid)), request.query),
  )

  app.post(
    '/v1/segments/validate',
    {
      schema: {
        ...says(
          'Check a segment rule',
          'Answers the rule as it would be stored, with hints on what will surprise; or 400 with the position of the first error. Nothing is stored.',
        ),
        body: RuleToValidate,
        response: { 200: RuleVerdict },
      },
    },
    async (request) => {
      const { normalized, hints } = await checkSegmentRule(request.body.code, 'code', { rules, traits: catalog.traits })
      return { valid: true as const, code: normalized, hints: [...hints] }
    },
  )

  app.post(
    '/v1/segments',
    {
      schema: {
        ...says(
          'Create a segment',
          'A rule over traits with a merge rule. It fills with the next visits, and in the background with those who do not come. A `sid` of your own answers 409 while it is used, or what had it before is still leaving profiles (`id_leaving`).',
        ),
        body: SegmentDraft,
        response: { 201: Segment },
      },
    },
    async (request, reply) => {
      const created = await segments.create(await readDraft(request.body), request.caller.author)
      return reply.code(201).send(view(created))
    },
  )

  app.put(
    '/v1/segments/:sid',
    {
      schema: {
        ...says('Replace a segment', 'Members who no longer fit leave, and the partners it is mapped to are told.'),
        params,
        body: SegmentDraft,
        response: { 200: Segment },
      },
    },
    async (request) => {
      const id = await idOf(request.params.sid)
      return view(await segments.replace(id, await readDraft(request.body), request.caller.author))
    },
  )

  app.patch(
    '/v1/segments/:sid',
    {
      schema: {
        ...says(
          'Change a segment',
          'Only the members of the body change. `"status":"INACTIVE"` pauses it: nothing is sent meanwhile.',
        ),
        params,
        body: PatchBody,
        response: { 200: Segment },
      },
    },
    async (request) => {
      const { params, body, caller } = request
      const next = (stored: StoredSegment) => readDraft(patched(SegmentDraft, view(stored), body))
      return view(await segments.revise(await idOf(params.sid), next, caller.author))
    },
  )

  app.delete(
    '/v1/segments/:sid',
    {
      schema: {
        ...says(
          'Delete a segment',
          'Answers 409 with the destinations it is mapped to. Its members leave it in the background; until all did nothing is made under its `sid` (409 `id_leaving`).',
        ),
        params,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await segments.remove([await idOf(request.params.sid)])
      return reply.code(204).send()
    },
  )

  const bulk = {
    bodyLimit: BULK_BODY_BYTES_MAX,
    schema: {
      ...says('Delete several segments', 'All of the listed ids or, when one cannot be deleted, none.'),
      body: IdList,
      response: { 204: NoContent },
    },
  }
  app.post('/v1/segments/bulk-delete', bulk, async (request, reply) => {
    await segments.remove(request.body)
    return reply.code(204).send()
  })

  const replacement = {
    schema: {
      ...says(
        'Replace a merge rule in all segments',
        'Every segment with the one rule gets the other. Answers how many there were.',
      ),
      body: MergeRuleReplacement,
      response: { 200: z.object({ segmentCount: z.int() }) },
    },
  }
  app.post('/v1/segments/bulk-merge-rule-replace', replacement, async (request) => {
    const { existingMergeRuleDataSourceId, replaceWithMergeRuleDataSourceId } = request.body
    const replaced = catalog.mergeRules.replaceInSegments(
      existingMergeRuleDataSourceId,
      replaceWithMergeRuleDataSourceId,
      request.caller.author,
    )
    return { segmentCount: await replaced }
  })
}

function readFilter(query: z.output<typeof SegmentListQuery>) {
  const { updatedSince } = query
  // Up to the year 5138 a number below 10^11 is seconds.
  const updatedSinceMs =
    updatedSince === undefined ? undefined : updatedSince < 100_000_000_000 ? updatedSince * 1000 : updatedSince
  return { ...query, dataSourceIds: query.dataSourceId, mergeRuleId: query.mergeRuleDataSourceId, updatedSinceMs }
}

function renderSegment(segment: StoredSegment, pid: number): Segment {
  return {
    sid: segment.segmentId,
    name: segment.name,
    description: segment.description ?? null,
    integrationCode: segment.integrationCode ?? null,
    segmentRule: segment.segmentRule,
    dataSourceId: segment.dataSourceId,
    mergeRuleDataSourceId: segment.mergeRuleId,
    folderId: segment.folderId,
    status: segment.status,
    ...authorship(segment, pid),
  }
}
