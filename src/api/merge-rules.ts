import { z } from 'zod'
import { listOf, MergeRule, MergeRuleDraft, MergeRuleListQuery, objectId } from '../contract.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { MergeRuleDraft as StoredDraft, StoredMergeRule } from '../store/catalog/merge-rules.ts'
import { NoContent, PatchBody, patched, type Routes } from './app.ts'
import { authorship } from './authorship.ts'
import { sendList } from './list-answer.ts'
import { operationsOf } from './operation-words.ts'

const params = z.object({ mergeRuleDataSourceId: objectId })

/** Routes under `/v1/merge-rules`. Source: spec/rest-api.md [API-63], spec/audience-model.md section 7.2. */
export const mergeRuleRoutes: Routes<{ catalog: Catalog }> = (app, { catalog }) => {
  const { mergeRules } = catalog
  const says = operationsOf('Merge rules')
  const view = (rule: StoredMergeRule) => renderMergeRule(rule, catalog.pid)
  const one = '/v1/merge-rules/:mergeRuleDataSourceId'

  app.get(
    '/v1/merge-rules',
    {
      schema: {
        ...says('List merge rules', 'Which devices and which people together a segment looks at, by rule.'),
        querystring: MergeRuleListQuery,
        response: { 200: listOf(MergeRule) },
      },
    },
    (request, reply) => sendList(reply, mergeRules.list(request.query), request.query, (items) => items.map(view)),
  )

  app.get(
    one,
    {
      schema: {
        ...says('Show a merge rule', 'All members of one rule, as they can be sent back with `PUT`.'),
        params,
        response: { 200: MergeRule },
      },
    },
    async (request) => view(await mergeRules.get(request.params.mergeRuleDataSourceId)),
  )

  app.post(
    '/v1/merge-rules',
    {
      schema: {
        ...says(
          'Create a merge rule',
          'A pair of a cross-device and a device option that exists; another is refused with those that do.',
        ),
        body: MergeRuleDraft,
        response: { 201: MergeRule },
      },
    },
    async (request, reply) =>
      reply.code(201).send(view(await mergeRules.create(readDraft(request.body), request.caller.author))),
  )

  app.put(
    one,
    {
      schema: {
        ...says('Replace a merge rule', 'Segments that use it are evaluated anew.'),
        params,
        body: MergeRuleDraft,
        response: { 200: MergeRule },
      },
    },
    async (request) =>
      view(
        await mergeRules.replace(request.params.mergeRuleDataSourceId, readDraft(request.body), request.caller.author),
      ),
  )

  app.patch(
    one,
    {
      schema: {
        ...says('Change a merge rule', 'Only the members of the body change.'),
        params,
        body: PatchBody,
        response: { 200: MergeRule },
      },
    },
    async (request) => {
      const { params, body, caller } = request
      const next = (stored: StoredMergeRule) => readDraft(patched(MergeRuleDraft, view(stored), body))
      return view(await mergeRules.revise(params.mergeRuleDataSourceId, next, caller.author))
    },
  )

  app.delete(
    one,
    {
      schema: {
        ...says('Delete a merge rule', 'Answers 409 with the segments that use it. The default rule stays.'),
        params,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await mergeRules.remove(request.params.mergeRuleDataSourceId)
      return reply.code(204).send()
    },
  )
}

function readDraft(body: z.output<typeof MergeRuleDraft>): StoredDraft {
  const { mergeRuleDataSourceId, dataExportRestrictions: _none, ...draft } = body
  return { mergeRuleId: mergeRuleDataSourceId, ...draft }
}

function renderMergeRule(rule: StoredMergeRule, pid: number): MergeRule {
  return {
    mergeRuleDataSourceId: rule.mergeRuleId,
    name: rule.name,
    description: rule.description ?? null,
    isDefault: rule.isDefault,
    crossDeviceOption: rule.crossDeviceOption,
    deviceOption: rule.deviceOption,
    crossDeviceDataSourceIds: [...rule.crossDeviceDataSourceIds],
    // Not built: nothing is restricted.
    dataExportRestrictions: [],
    ...authorship(rule, pid),
  }
}
