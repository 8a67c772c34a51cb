import { z } from 'zod'
import { Delivery, DeliveryDetail, DeliveryListQuery, paged } from '../contract.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { DeliveryFilter, DeliveryReader } from './parts.ts'
import { noSuch } from './problem.ts'

/** Routes under `/v1/deliveries`. Source: spec/operating.md [OPS-51]. */
export const deliveryRoutes: Routes<{ deliveries: DeliveryReader }> = (app, { deliveries }) => {
  const says = operationsOf('Deliveries')

  app.get(
    '/v1/deliveries',
    {
      schema: {
        ...says(
          'List messages',
          'Newest first. Each has its status, its reason and its attempts; filter by destination, device, segment, status, reason or time. `q` finds a message by its own ID or by that of a visitor.',
        ),
        querystring: DeliveryListQuery,
        response: { 200: paged(Delivery) },
      },
    },
    async (request) => {
      const { page, pageSize } = request.query
      const { q, ...filter } = request.query
      const isSearch = q !== undefined && q !== ''
      const wanted = isSearch ? { ...readFilter(filter), q } : readFilter(filter)
      const { total, list } = await deliveries.list(wanted, { page, pageSize })
      return { total, page, pageSize, list: [...list] }
    },
  )

  const params = z.object({ deliveryId: z.string().min(1).max(64) })
  app.get(
    '/v1/deliveries/:deliveryId',
    {
      schema: {
        ...says(
          'Show a message',
          'Exactly what was sent and what came back: request, body, every attempt with the beginning of its answer, the signature computed anew, and what it told of whom. Secrets are masked.',
        ),
        params,
        response: { 200: DeliveryDetail },
      },
    },
    async (request) => {
      const found = await deliveries.get(request.params.deliveryId)
      if (found === undefined) throw noSuch('delivery', request.params.deliveryId)
      return found
    },
  )
}

/** As the store takes it. */
export function readFilter(query: Partial<z.output<typeof DeliveryListQuery>>): DeliveryFilter {
  const { destinationId, deviceId, segmentId, status, reason, from, to } = query
  return {
    destinationId,
    deviceId,
    segmentId,
    status,
    reason,
    fromMs: from === undefined ? undefined : Date.parse(from),
    toMs: to === undefined ? undefined : Date.parse(to),
  }
}
