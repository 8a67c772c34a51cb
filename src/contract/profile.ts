import { z } from 'zod'
import { moment, objectId, optional } from './fields.ts'

const time = z.string().meta({ format: 'date-time' })
const day = z.string().meta({ format: 'date' })

/** [OPS-52] */
export const ProfileView = z.object({
  profileId: z.string(),
  kind: z.enum(['device', 'declared']),
  deviceId: z.string().optional(),
  firstSeen: time,
  lastSeen: time,
  region: z.int().nullable(),
  ids: z.array(z.object({ dataSourceId: z.int(), id: z.string(), syncedAt: time, authState: z.int() })),
  devices: z
    .array(z.object({ deviceId: z.string(), syncedAt: time }))
    .optional()
    .meta({ description: 'Devices of a declared ID' }),
  traits: z.array(
    z.object({
      sid: z.int(),
      name: z.string(),
      count: z.int(),
      days: z.array(z.object({ day, count: z.int() })),
      lastRealized: time,
      expires: day.nullable(),
    }),
  ),
  segments: z.array(
    z.object({
      sid: z.int(),
      name: z.string(),
      status: z.enum(['in', 'out']),
      since: time,
      until: time.nullable(),
      mergeRuleDataSourceId: z.int().nullable(),
    }),
  ),
  consent: z
    .object({
      store: z.boolean(),
      sync: z.record(z.string(), z.boolean()),
      deliver: z.record(z.string(), z.boolean()),
      reason: z.string(),
    })
    .nullable(),
  optOut: z.object({ level: z.enum(['global', 'partner']), reason: z.string(), at: time }).nullable(),
  deliveries: z.array(z.object({ destinationId: z.int(), segment: z.int(), state: z.string(), at: time.nullable() })),
})
export type ProfileView = z.infer<typeof ProfileView>

const nodeFields = z.object({
  op: z.enum(['and', 'or', 'not', 'trait', 'frequency']),
  holds: z.boolean(),
  sid: z.union([z.int(), z.array(z.int())]).optional(),
  count: z.int().optional(),
  windowDays: z.int().nullable().optional(),
  windowOperator: z.enum(['>=', '<=']).optional().meta({ description: '<=: at most so many days ago; >=: at least' }),
  required: z.union([z.int(), z.string()]).optional(),
  requiredOperator: z.enum(['>=', '<=', '==']).optional(),
  days: z.array(z.object({ day, count: z.int() })).optional(),
  profiles: z.array(z.string()).optional(),
})

/** A node of a segment's rule with its verdict; leaves name traits and what was counted. */
export interface ExplainedNode extends z.infer<typeof nodeFields> {
  readonly children?: ExplainedNode[] | undefined
}
export const ExplainedNode: z.ZodType<ExplainedNode> = nodeFields
  .extend({
    get children() {
      return z.array(ExplainedNode).optional()
    },
  })
  .meta({ id: 'ExplainedNode' })

export const ExplainView = z.object({
  rule: ExplainedNode,
  inSince: time.nullable(),
  leavesAt: time.nullable(),
  told: z.array(z.object({ destinationId: z.int(), state: z.string(), why: z.string() })),
})
export type ExplainView = z.infer<typeof ExplainView>

export const ExplainQuery = z.strictObject({ segmentId: objectId, at: optional(moment) })
