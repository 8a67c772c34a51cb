import { z } from 'zod'

const time = z.string().meta({ format: 'date-time' })

/** How delivery to a destination stands; `null` where there is nothing to tell. */
export const DestinationHealthView = z.object({
  destinationId: z.int(),
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
  waitingUsers: z.int().meta({ description: 'Those in memory, at most 10,000' }),
  moreOnDisk: z.boolean().meta({ description: 'More users wait on disk than are counted' }),
  openMessages: z.int(),
  oldestWaiting: time.nullable(),
  failuresInRow: z.int(),
  lastFailure: z.object({ reason: z.string(), at: time }).nullable(),
  lastSuccess: time.nullable(),
})
export type DestinationHealthView = z.infer<typeof DestinationHealthView>
