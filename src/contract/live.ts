import { z } from 'zod'

const time = z.string().meta({ format: 'date-time' })

/** Items of `GET /v1/live` [OPS-45], by the name of the server-sent event. `rates` are true; the others are a sample. */
export const LiveRates = z.object({
  at: time,
  eventsPerSecond: z.number(),
  membershipsPerSecond: z.number(),
  deliveriesPerSecond: z.number(),
})
export type LiveRates = z.infer<typeof LiveRates>

export const LiveEvent = z.object({ at: time, profileId: z.string(), region: z.int(), traits: z.array(z.int()) })
export type LiveEvent = z.infer<typeof LiveEvent>

export const LiveMembership = z.object({
  at: time,
  profileId: z.string(),
  sid: z.int(),
  name: z.string().nullable(),
  status: z.enum(['in', 'out']),
})
export type LiveMembership = z.infer<typeof LiveMembership>

export const LiveDelivery = z.object({
  at: time,
  deliveryId: z.string(),
  destinationId: z.int(),
  status: z.string(),
  users: z.int(),
})
export type LiveDelivery = z.infer<typeof LiveDelivery>
