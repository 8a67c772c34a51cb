import { z } from 'zod'
import { Delivery, DeliveryDetail, DeliveryListQuery, paged } from '../contract.ts'
import type { Routes } from './app.ts'
import type { DeliveryFilter, DeliveryReader } from './parts.ts'
import { noSuch } from './problem.ts'

/** Routes under `/v1/deliveries`. Source: spec/operating.md [OPS-51]. */
export const deliveryRoutes: Routes<{ deliveries: DeliveryReader }> = (app, { deliveries }) => {
  const tags = ['Deliveries']

  app.get(
    '/v1/deliveries',
    { schema: { tags, querystring: DeliveryListQuery, response: { 200: paged(Delivery) } } },
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
    { schema: { tags, params, response: { 200: DeliveryDetail } } },
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
