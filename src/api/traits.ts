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
import type { RuleChecker } from './parts.ts'
import { invalidField, invalidRule } from './problem.ts'

const params = z.object({ sid: objectKey })

/** Routes under `/v1/traits`. Source: spec/rest-api.md section 5. */
export const traitRoutes: Routes<{ catalog: Catalog; rules: RuleChecker }> = (app, { catalog, rules }) => {
  const { traits } = catalog
  const tags = ['Traits']
  const view = (trait: StoredTrait) => renderTrait(trait, catalog.pid)
  const idOf = (key: string) => resolveKey('trait', key, traits.idsByIntegrationCode)

  app.get(
    '/v1/traits',
    { schema: { tags, querystring: TraitListQuery, response: { 200: listOf(Trait) } } },
    (request, reply) => {
      const { restrictType, dataSourceId, includeDetails, ...filter } = request.query
      const listing = traits.list({ ...filter, traitTypes: restrictType, dataSourceIds: dataSourceId }, request.query)
      return sendList(reply, listing, request.query, (items) =>
        items.map(includeDetails === true ? view : (trait) => withoutDetails(view(trait))),
      )
    },
  )

  app.get('/v1/traits/limits', { schema: { tags, response: { 200: UsageByLimit } } }, () => traits.usage())

  app.get('/v1/traits/:sid', { schema: { tags, params, response: { 200: Trait } } }, async (request) =>
    view(await traits.get(await idOf(request.params.sid))),
  )

  const versions = { schema: { tags, params, response: { 200: z.array(TraitRuleVersion) } } }
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
    { schema: { tags, body: RuleToValidate, response: { 200: RuleVerdict } } },
    async (request) => {
      const parsed = await rules.checkTraitRule(request.body.code)
      if (!parsed.ok) throw invalidRule('code', parsed)
      return { valid: true as const, code: parsed.normalized, hints: [...parsed.hints] }
    },
  )

  app.post('/v1/traits', { schema: { tags, body: TraitDraft, response: { 201: Trait } } }, async (request, reply) => {
    if (request.body.traitType === 'FOLDER_TRAIT')
      throw invalidField('traitType', 'A folder trait is made with its folder.')
    const created = await traits.create(await readDraft(request.body, rules), request.caller.author)
    return reply.code(201).send(view(created))
  })

  app.put(
    '/v1/traits/:sid',
    { schema: { tags, params, body: TraitDraft, response: { 200: Trait } } },
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
    { schema: { tags, params, body: PatchBody, response: { 200: Trait } } },
    async (request) => {
      const stored = await traits.get(await idOf(request.params.sid))
      const draft = await readDraft(patched(TraitDraft, view(stored), request.body), rules)
      return view(await traits.replace(stored.traitId, draft, request.caller.author))
    },
  )

  app.delete('/v1/traits/:sid', { schema: { tags, params, response: { 204: NoContent } } }, async (request, reply) => {
    await traits.remove([await idOf(request.params.sid)])
    return reply.code(204).send()
  })

  const bulk = { bodyLimit: BULK_BODY_BYTES_MAX, schema: { tags, body: IdList, response: { 204: NoContent } } }
  app.post('/v1/traits/bulk-delete', bulk, async (request, reply) => {
    await traits.remove(request.body)
    return reply.code(204).send()
  })
}

/** Only rule-based traits have a rule; it is stored as the parser writes it. @throws Problem with the position of the error */
async function readDraft(body: TraitDraft, rules: RuleChecker): Promise<StoredDraft> {
  let traitRule: string | undefined
  if (body.traitType === 'RULE_BASED_TRAIT') {
    const parsed = await rules.checkTraitRule(body.traitRule ?? '')
    if (!parsed.ok) throw invalidRule('traitRule', parsed)
    traitRule = parsed.normalized
  }
  const isAlgorithmic = body.traitType === 'ALGO_TRAIT'
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
    algoModelId: isAlgorithmic ? body.algoModelId : undefined,
    thresholdValue: isAlgorithmic ? body.thresholdValue : undefined,
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
    algoModelId: trait.algoModelId ?? null,
    thresholdValue: trait.thresholdValue ?? null,
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
