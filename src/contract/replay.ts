import { z } from 'zod'
import { optional, wholeNumber, withDefault } from './fields.ts'
import { PAGE_SIZE_MAX, paged } from './list.ts'

/** Messages that are sent again by hand, and what became of each [SEC-48], [API-165]. */
const time = z.string().meta({ format: 'date-time' })
const count = z.int()

export const ReplayOutcome = z
  .enum(['waiting', 'queued', 'acknowledged', 'dead', 'superseded', 'not_sent', 'cancelled'])
  .meta({
    description:
      'waiting: its turn has not come. queued: on its way, or its users are owed their state of today. not_sent: see reason. cancelled: before it was sent. The others: how what was sent has ended.',
  })
export type ReplayOutcome = z.infer<typeof ReplayOutcome>

export const ReplayMessage = z.object({
  deliveryId: z.string(),
  destinationId: z.int().nullable(),
  outcome: ReplayOutcome,
  sent: z.enum(['same', 'current']).nullable().meta({
    description:
      'The same bytes; or other messages told its users their state of today: new ones, or newer ones of the same replay; null: nothing yet, or never',
  }),
  reason: z.string().nullable().meta({
    description:
      'Why nothing is sent: nothing_to_tell, outdated, no_unsegment, no_partner_id, no_profile, no_destination, under_way, replayed (a newer message told its users), discarded, unknown; why it died; or outdated beside sent current: why not the same bytes',
  }),
  sentAs: z.array(z.string()).meta({ description: 'Deliveries that told its users' }),
})
export type ReplayMessage = z.infer<typeof ReplayMessage>

export const ReplayState = z.enum(['running', 'completed', 'cancelled', 'failed'])
const replayFields = {
  replayId: z.string(),
  as: z.enum(['same', 'current']),
  perSecond: z.number().nullable(),
  state: ReplayState,
  reason: z.string().nullable().meta({
    description:
      'What it waits for, where a destination is stopped: operator, gone, failing, quota, inactive, unusable',
  }),
  createdAt: time,
  startedAt: time,
  finishedAt: time.nullable(),
  progress: z.object({
    done: count,
    of: count,
    share: z.number(),
    perSecond: z.number().nullable(),
    secondsLeft: z.number().nullable(),
  }),
  counts: z.record(ReplayOutcome, count),
}

export const Replay = z.object(replayFields)
export type Replay = z.infer<typeof Replay>
export const ReplayDetail = z.object({ ...replayFields, messages: paged(ReplayMessage) })
export type ReplayDetail = z.infer<typeof ReplayDetail>

export const ReplayListQuery = z.strictObject({
  page: withDefault(wholeNumber(0, 1_000_000), 0),
  pageSize: withDefault(wholeNumber(1, PAGE_SIZE_MAX), 10),
})
export const ReplayDetailQuery = z.strictObject({ ...ReplayListQuery.shape, outcome: optional(ReplayOutcome) })
