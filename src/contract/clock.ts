import { z } from 'zod'
import { wholeNumber } from './fields.ts'

const time = z.string().meta({ format: 'date-time' })

/** `GET /v1/clock`: how far the machine's clock is relied on [SEC-82]. */
export const ClockView = z.object({
  state: z.enum(['trusted', 'held', 'waiting', 'followed']).meta({
    description:
      'held: it leapt, and time goes on as before; waiting: nothing expires by the new time yet; followed: things expire, nothing is deleted for its age',
  }),
  now: time.meta({ description: 'The time that Usher goes by, moved by the test switch where that was used' }),
  machine: time.meta({ description: "The time of the machine's clock" }),
  leapSeconds: z.number().meta({ description: 'How far it leapt; negative: back; 0 when it is trusted' }),
  since: time.nullable(),
  offsetSeconds: z.number().meta({ description: 'How far the test switch moved `now`; 0 without it' }),
})
export type ClockView = z.infer<typeof ClockView>

/** [OPS-27] */
export const ClockAdvance = z.strictObject({ advanceMs: wholeNumber(0, 3_155_760_000_000) })
export const ClockReading = z.object({ now: time })
