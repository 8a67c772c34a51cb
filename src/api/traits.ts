import { z } from 'zod'
import {
  IdList,
  listOf,
  RuleToValidate,
  RuleVerdict,
  Trait,
  TraitDraft,
  TraitListQuery,
  TraitRuleVersion,
  UsageByLimit,
} from '../contract.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { TraitDraft as StoredDraft, StoredTrait } from '../store/catalog/trait-rows.ts'
import { BULK_BODY_BYTES_MAX, NoContent, PatchBody, patched, type Routes } from './app.ts'
import { authorship } from './authorship.ts'
import { sendList } from './list-answer.ts'
import { objectKey, resolveKey } from './object-key.ts'
import { operationsOf } from './operation-words.ts'
import type { RuleChecker } from './parts.ts'
import { invalidField, invalidRule } from './problem.ts'

const params = z.object({ sid: objectKey })

/** Routes under `/v1/traits`. Source: spec/rest-api.md section 5. */
export const traitRoutes: Routes<{ catalog: Catalog; rules: RuleChecker }> = (app, { catalog, rules }) => {
  const { traits } = catalog
  const says = operationsOf('Traits')
  const view = (trait: StoredTrait) => renderTrait(trait, catalog.pid)
  const idOf = (key: string) => resolveKey('trait', key, traits.idsByIntegrationCode)

  app.get(
    '/v1/traits',
    {
      schema: {
        ...says(
          'List traits',
          'Everything as one array, or a page of it. `includeDetails=true` adds rule, TTL and integration code to each.',
        ),
        querystring: TraitListQuery,
        response: { 200: listOf(Trait) },
      },
    },
    (request, reply) => {
      const { restrictType, dataSourceId, includeDetails, ...filter } = request.query
      const listing = traits.list({ ...filter, traitTypes: restrictType, dataSourceIds: dataSourceId }, request.query)
      return sendList(reply, listing, request.query, (items) =>
        items.map(includeDetails === true ? view : (trait) => withoutDetails(view(trait))),
      )
    },
  )

  app.get(
    '/v1/traits/limits',
    {
      schema: {
        ...says('Show the limits of traits', 'How many there are of how many there may be, by kind.'),
        response: { 200: UsageByLimit },
      },
    },
    () => traits.usage(),
  )

  app.get(
    '/v1/traits/:sid',
    {
      schema: {
        ...says('Show a trait', 'By its number, or by its integration code as `ic:code`.'),
        params,
        response: { 200: Trait },
      },
    },
    async (request) => view(await traits.get(await idOf(request.params.sid))),
  )

  const versions = {
    schema: {
      ...says('List the versions of a trait rule', 'Every rule it ever had, with who wrote it and when.'),
      params,
      response: { 200: z.array(TraitRuleVersion) },
    },
  }
  app.get('/v1/traits/:sid/trait-rule/versions', versions, async (request) => {
    const found = await traits.ruleVersions(await idOf(request.params.sid))
    return found.map((one) => ({
      traitRuleVersion: one.version,
      traitRule: one.traitRule,
      crUID: one.createdBy,
      createTime: one.createdAtMs,
    }))
  })

  app.post(
    '/v1/traits/validate',
    {
      schema: {
        ...says(
          'Check a trait rule',
          'Answers the rule as it would be stored, with hints on what will surprise; or 400 with the position of the first error. Nothing is stored.',
        ),
        body: RuleToValidate,
        response: { 200: RuleVerdict },
      },
    },
    async (request) => {
      const parsed = await rules.checkTraitRule(request.body.code)
      if (!parsed.ok) throw invalidRule('code', parsed)
      return { valid: true as const, code: parsed.normalized, hints: [...parsed.hints] }
    },
  )

  app.post(
    '/v1/traits',
    {
      schema: {
        ...says(
          'Create a trait',
          'Of the kind that `traitType` names. A rule-based one counts from the next event on. A folder trait comes with its folder. A `sid` of your own answers 409 while it is used, or what had it before is still leaving profiles (`id_leaving`).',
        ),
        body: TraitDraft,
        response: { 201: Trait },
      },
    },
    async (request, reply) => {
      if (request.body.traitType === 'FOLDER_TRAIT')
        throw invalidField('traitType', 'A folder trait is made with its folder.')
      if (request.body.traitType === 'ALGO_TRAIT')
        throw invalidField('traitType', 'Models are not built yet, so nobody would ever have an algorithmic trait.')
      const created = await traits.create(await readDraft(request.body, rules), request.caller.author)
      return reply.code(201).send(view(created))
    },
  )

  app.put(
    '/v1/traits/:sid',
    {
      schema: {
        ...says(
          'Replace a trait',
          'A changed rule becomes its next version and counts from the next event on; what was counted stays.',
        ),
        params,
        body: TraitDraft,
        response: { 200: Trait },
      },
    },
    async (request) =>
      view(
        await traits.replace(
          await idOf(request.params.sid),
          await readDraft(request.body, rules),
          request.caller.author,
        ),
      ),
  )

  app.patch(
    '/v1/traits/:sid',
    {
      schema: {
        ...says('Change a trait', 'Only the members of the body change.'),
        params,
        body: PatchBody,
        response: { 200: Trait },
      },
    },
    async (request) => {
      const { params, body, caller } = request
      const next = (stored: StoredTrait) => readDraft(patched(TraitDraft, view(stored), body), rules)
      return view(await traits.revise(await idOf(params.sid), next, caller.author))
    },
  )

  app.delete(
    '/v1/traits/:sid',
    {
      schema: {
        ...says(
          'Delete a trait',
          'Answers 409 with the segments whose rules name it. Its data goes from every profile, in the background and in moments; until then nothing is made under its `sid` (409 `id_leaving`).',
        ),
        params,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await traits.remove([await idOf(request.params.sid)])
      return reply.code(204).send()
    },
  )

  const bulk = {
    bodyLimit: BULK_BODY_BYTES_MAX,
    schema: {
      ...says('Delete several traits', 'All of the listed ids or, when one cannot be deleted, none.'),
      body: IdList,
      response: { 204: NoContent },
    },
  }
  app.post('/v1/traits/bulk-delete', bulk, async (request, reply) => {
    await traits.remove(request.body)
    return reply.code(204).send()
  })
}

/** Only rule-based traits have a rule; it is stored as the parser writes it. @throws Problem with the position of the error */
async function readDraft(body: TraitDraft, rules: RuleChecker): Promise<StoredDraft> {
  // Of an onboarded trait the catalogue refuses it; other kinds have none, and there it is passed over [API-50].
  let traitRule = body.traitType === 'ON_BOARDED_TRAIT' ? body.traitRule?.trim() || undefined : undefined
  if (body.traitType === 'RULE_BASED_TRAIT') {
    const parsed = await rules.checkTraitRule(body.traitRule ?? '')
    if (!parsed.ok) throw invalidRule('traitRule', parsed)
    traitRule = parsed.normalized
  }
  return {
    traitId: body.sid,
    name: body.name,
    description: body.description,
    comments: body.comments,
    integrationCode: body.integrationCode,
    dataSourceId: body.dataSourceId,
    folderId: body.folderId,
    traitType: body.traitType,
    traitRule,
    ttlDays: body.ttl,
    status: body.status,
    eventTypeId: body.type,
    categoryId: body.categoryId,
  }
}

function renderTrait(trait: StoredTrait, pid: number): Trait {
  return {
    sid: trait.traitId,
    name: trait.name,
    description: trait.description ?? null,
    comments: trait.comments ?? null,
    integrationCode: trait.integrationCode ?? null,
    dataSourceId: trait.dataSourceId,
    folderId: trait.folderId,
    traitType: trait.traitType,
    traitRule: trait.traitRule ?? null,
    traitRuleVersion: trait.traitRuleVersion,
    type: trait.eventTypeId ?? null,
    categoryId: trait.categoryId ?? null,
    ttl: trait.ttlDays,
    status: trait.status,
    algoModelId: null,
    thresholdValue: null,
    backfillStatus: null,
    ...authorship(trait, pid),
  }
}

/** A list without `includeDetails` [API-41]. */
function withoutDetails(trait: Trait): Trait {
  const {
    ttl: _ttl,
    integrationCode: _code,
    comments: _comments,
    traitRule: _rule,
    traitRuleVersion: _version,
    type: _type,
    ...short
  } = trait
  return short
}
