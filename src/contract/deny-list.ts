import { z } from 'zod'
import { objectId, optional, wholeNumber, withDefault } from './fields.ts'
import { PAGE_SIZE_MAX } from './list.ts'

const time = z.string().meta({ format: 'date-time' })
/** Whose ID it is: ours, of the ID service, of a person, or the advertising ID of a device. */
const ID_TYPES = ['device', 'ecid', 'declared', 'declaredDevice'] as const

/** An ID that was called too often and is refused for a time [COL-150]. */
export const DenyListEntry = z.object({
  entryId: z.string(),
  idType: z.enum(ID_TYPES),
  dataSourceId: z
    .int()
    .nullable()
    .meta({ description: 'Of a declared ID; its entry holds for this data source alone' }),
  id: z.string(),
  cause: z.enum(['minute', 'day']).meta({ description: 'The window in which there were too many calls' }),
  times: z.int().meta({ description: 'Blocks within 30 days: an hour, a day, and the third for good' }),
  firstAt: time.meta({ description: 'Begin of the first of these blocks' }),
  lastAt: time.meta({ description: 'The last call that was refused' }),
  count: z.int().meta({ description: 'Calls refused since the last block began' }),
  until: time.nullable().meta({ description: 'null: for good' }),
})
export type DenyListEntry = z.infer<typeof DenyListEntry>

export const DenyListQuery = z.strictObject({
  idType: optional(z.enum(ID_TYPES)),
  dataSourceId: optional(objectId),
  id: optional(z.string().min(1).max(4_096)).meta({ description: 'The whole ID, in its own case' }),
  page: withDefault(wholeNumber(0, 1_000_000), 0),
  pageSize: withDefault(wholeNumber(1, PAGE_SIZE_MAX), 10),
})
