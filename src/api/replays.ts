import { z } from 'zod'
import {
  DiscardAnswer,
  DiscardRequest,
  paged,
  Replay,
  ReplayAnswer,
  ReplayDetail,
  ReplayDetailQuery,
  ReplayListQuery,
  ReplayRequest,
} from '../contract.ts'
import type { Routes } from './app.ts'
import { readFilter } from './deliveries.ts'
import { operationsOf } from './operation-words.ts'
import type { ReplayControl } from './parts.ts'
import { noDelivery, noSuch, Problem } from './problem.ts'

/** Replays of deliveries: asked for, looked at, called off. Source: spec/operating.md [OPS-51], spec/rest-api.md [API-165]. */
export const replayRoutes: Routes<{ replays: ReplayControl | undefined }> = (app, { replays }) => {
  const says = operationsOf('Deliveries')
  const control = (): ReplayControl => {
    if (replays === undefined) throw noDelivery()
    return replays
  }

  app.post(
    '/v1/deliveries/replay',
    {
      schema: {
        ...says(
          'Send messages again',
          'By their IDs or by a filter, not both. `dryRun` only counts. `same` sends the stored bytes where the partner was told nothing newer since; `current` builds new messages from the state of today. The answer names the replay, whose result says of each message what was sent or why nothing was.',
        ),
        body: ReplayRequest,
        response: { 200: ReplayAnswer },
      },
    },
    async (request) => {
      const { deliveryIds, dryRun, as, perSecond } = request.body
      const select = deliveryIds === undefined ? { filter: readFilter(request.body) } : { deliveryIds }
      const answer = await control().start({ select, dryRun, as, perSecond })
      if (answer === 'too_many')
        throw new Problem(409, 'too_many_replays', 'Too many replays are under way; wait for one, or cancel one.')
      return answer
    },
  )

  app.post(
    '/v1/deliveries/discard',
    {
      schema: {
        ...says(
          'Let dead letters go',
          'By their IDs or by a filter, not both; other messages that fit stay as they are. Nothing of them is sent: they become `superseded` with the reason `discarded`, and count as dead letters no more. `dryRun` only counts.',
        ),
        body: DiscardRequest,
        response: { 200: DiscardAnswer },
      },
    },
    async ({ body }) => {
      const { deliveryIds, withoutDestination, dryRun } = body
      const select = deliveryIds === undefined ? { filter: readFilter(body) } : { deliveryIds }
      return control().discard({ select, withoutDestination, dryRun })
    },
  )

  app.get(
    '/v1/deliveries/replays',
    {
      schema: {
        ...says('List replays', 'Newest first, with how far each has come.'),
        querystring: ReplayListQuery,
        response: { 200: paged(Replay) },
      },
    },
    async ({ query: { page, pageSize } }) => {
      const { total, list } = control().list({ page, pageSize })
      return { total, page, pageSize, list: [...list] }
    },
  )

  const params = z.object({ replayId: z.string().min(1).max(64) })
  app.get(
    '/v1/deliveries/replays/:replayId',
    {
      schema: {
        ...says('Show a replay', 'Its state, its counts, and of each message what was sent or why nothing was.'),
        params,
        querystring: ReplayDetailQuery,
        response: { 200: ReplayDetail },
      },
    },
    async ({ params: { replayId }, query }) => {
      const found = await control().get(replayId, query)
      if (found === undefined) throw noSuch('replay', replayId)
      return found
    },
  )

  app.post(
    '/v1/deliveries/replays/:replayId/cancel',
    {
      schema: {
        ...says('Stop a replay', 'What was sent stays sent; the rest is not. 409 when it has ended already.'),
        params,
        response: { 202: Replay },
      },
    },
    async ({ params: { replayId } }, reply) => {
      const cancelled = await control().cancel(replayId)
      if (cancelled === 'unknown') throw noSuch('replay', replayId)
      if (cancelled === 'ended') throw new Problem(409, 'already_ended', `The replay ${replayId} has ended already.`)
      return reply.code(202).send(cancelled)
    },
  )
}
