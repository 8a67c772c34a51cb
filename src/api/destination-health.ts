import { z } from 'zod'
import { DestinationHealthView, objectId } from '../contract.ts'
import type { DestinationHealth } from '../model/delivery.ts'
import { isoTime } from '../model/time.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { Routes } from './app.ts'
import type { DeliveryControl } from './parts.ts'
import { noDelivery } from './problem.ts'

/** How delivery to a destination stands, and an operator's hand on it. Source: spec/security.md [SEC-47]. */
export const destinationHealthRoutes: Routes<{ catalog: Catalog; delivery: DeliveryControl | undefined }> = (
  app,
  { catalog, delivery },
) => {
  const schema = {
    tags: ['Destinations'],
    params: z.object({ destinationId: objectId }),
    response: { 200: DestinationHealthView },
  }
  const existing = async (destinationId: number): Promise<DeliveryControl> => {
    await catalog.destinations.get(destinationId)
    if (delivery === undefined) throw noDelivery()
    return delivery
  }

  app.get('/v1/destinations/:destinationId/health', { schema }, async ({ params: { destinationId } }) =>
    view((await existing(destinationId)).health(destinationId)),
  )

  for (const action of ['pause', 'resume'] as const) {
    app.post(`/v1/destinations/:destinationId/${action}`, { schema }, async ({ params: { destinationId } }) => {
      const control = await existing(destinationId)
      await control[action](destinationId)
      return view(control.health(destinationId))
    })
  }
}

function view(health: DestinationHealth): DestinationHealthView {
  const { paused, lastFailure, oldestWaitingMs, lastSuccessMs } = health
  const timeOrNull = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms))
  return {
    destinationId: health.destinationId,
    breaker: health.breaker,
    paused: paused === undefined ? null : { reason: paused.reason, at: isoTime(paused.atMs) },
    waitingUsers: health.waitingUsers,
    moreOnDisk: health.moreOnDisk,
    openMessages: health.openMessages,
    oldestWaiting: timeOrNull(oldestWaitingMs),
    failuresInRow: health.failuresInRow,
    lastFailure: lastFailure === undefined ? null : { reason: lastFailure.reason, at: isoTime(lastFailure.atMs) },
    lastSuccess: timeOrNull(lastSuccessMs),
  }
}
