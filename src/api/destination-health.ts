import { z } from 'zod'
import { DestinationHealthView, objectId } from '../contract.ts'
import type { DestinationHealth } from '../model/delivery.ts'
import { isoTime } from '../model/time.ts'
import { standingOf } from '../reports/standing.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { DeliveryControl } from './parts.ts'
import { noDelivery } from './problem.ts'

/** How delivery to a destination stands, and an operator's hand on it. Source: spec/security.md [SEC-47]. */
export const destinationHealthRoutes: Routes<{
  catalog: Catalog
  delivery: DeliveryControl | undefined
  clock: { readonly now: () => number }
}> = (app, { catalog, delivery, clock: { now: nowMs } }) => {
  const says = operationsOf('Destinations')
  const schema = {
    params: z.object({ destinationId: objectId }),
    response: { 200: DestinationHealthView },
  }
  const existing = async (destinationId: number): Promise<DeliveryControl> => {
    await catalog.destinations.get(destinationId)
    if (delivery === undefined) throw noDelivery()
    return delivery
  }

  const health = says(
    'Show how delivery stands',
    'Circuit breaker, pause, what waits since when, and the last success and failure of one destination.',
  )
  app.get(
    '/v1/destinations/:destinationId/health',
    { schema: { ...schema, ...health } },
    async ({ params: { destinationId } }) => view((await existing(destinationId)).health(destinationId), nowMs()),
  )

  const actions = {
    pause: says('Pause delivery', 'Nothing more is sent to it. What is owed waits, and what was on its way ends.'),
    resume: says('Resume delivery', 'Everything that waits is due at once, whatever failed before.'),
  }
  for (const action of ['pause', 'resume'] as const) {
    const options = { schema: { ...schema, ...actions[action] } }
    app.post(`/v1/destinations/:destinationId/${action}`, options, async ({ params: { destinationId } }) => {
      const control = await existing(destinationId)
      await control[action](destinationId)
      return view(control.health(destinationId), nowMs())
    })
  }
}

function view(health: DestinationHealth, nowMs: number): DestinationHealthView {
  const { paused, lastFailure, oldestWaitingMs, lastSuccessMs } = health
  const timeOrNull = (ms: number | undefined | null) => (ms == null ? null : isoTime(ms))
  const { state, reason, sinceMs, nextAttemptMs } = standingOf(health, nowMs)
  return {
    destinationId: health.destinationId,
    state,
    reason,
    since: timeOrNull(sinceMs),
    nextAttempt: timeOrNull(nextAttemptMs),
    breaker: health.breaker,
    paused: paused === undefined ? null : { reason: paused.reason, at: isoTime(paused.atMs) },
    waitingUsers: health.waitingUsers,
    moreOnDisk: health.moreOnDisk,
    openMessages: health.openMessages,
    refusedMessages: health.refusedMessages,
    oldestWaiting: timeOrNull(oldestWaitingMs),
    askedToWaitUntil: timeOrNull(health.askedToWaitUntilMs),
    failuresInRow: health.failuresInRow,
    refusedInRow: health.refusedInRow,
    lastFailure: lastFailure === undefined ? null : { reason: lastFailure.reason, at: isoTime(lastFailure.atMs) },
    lastSuccess: timeOrNull(lastSuccessMs),
  }
}
