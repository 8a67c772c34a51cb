import { z } from 'zod'

const time = z.string().meta({ format: 'date-time' })

/** One word for how a destination stands, worst first; the overview and the health of a destination say the same. */
export const DestinationState = z
  .enum(['unusable', 'paused', 'stopped', 'failing', 'partial', 'behind', 'inactive', 'delivering'])
  .meta({
    description:
      'unusable: its stored settings cannot be used. paused: by its reason. stopped: nothing is tried but a probe now and then. failing: the last attempt was not accepted. partial: the last one was, others wait to be tried again. behind: it answers, and does not keep up. inactive: set so by an operator.',
  })
export type DestinationState = z.infer<typeof DestinationState>

export const standingFields = {
  state: DestinationState,
  reason: z.string().nullable().meta({ description: 'Of the state: http_400, timeout, gone, ...' }),
  since: time.nullable(),
  nextAttempt: time.nullable().meta({
    description: 'When something is tried next, while it takes nothing; null: at once, at no set time, or never',
  }),
}

/** How delivery to a destination stands; `null` where there is nothing to tell. */
export const DestinationHealthView = z.object({
  destinationId: z.int(),
  ...standingFields,
  breaker: z
    .enum(['closed', 'open', 'half_open'])
    .meta({ description: 'open: nothing is sent but a probe now and then' }),
  paused: z
    .object({ reason: z.enum(['operator', 'gone', 'failing', 'quota']), at: time })
    .nullable()
    .meta({
      description:
        'quota: its dead letters fill its disk share; resume it after they were sent again, or with a larger share',
    }),
  waitingUsers: z.int().meta({
    description:
      'Owed something: in messages that have not ended, or without a message yet; of the latter 10,000 at most are counted',
  }),
  moreOnDisk: z.boolean().meta({ description: 'More users wait on disk than are counted' }),
  openMessages: z.int(),
  refusedMessages: z
    .int()
    .meta({ description: 'Of the open ones: tried and not accepted, or kept back by the address rules' }),
  oldestWaiting: time.nullable(),
  askedToWaitUntil: time
    .nullable()
    .meta({ description: 'The partner asked for silence by Retry-After: nothing is sent before' }),
  failuresInRow: z.int().meta({ description: 'Those that count for the breaker: not a refused body' }),
  refusedInRow: z.int().meta({ description: 'Attempts since the last accepted one, whatever became of them' }),
  lastFailure: z.object({ reason: z.string(), at: time }).nullable(),
  lastSuccess: time.nullable(),
})
export type DestinationHealthView = z.infer<typeof DestinationHealthView>
