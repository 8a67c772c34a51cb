import { z } from 'zod'
import { flag, moment, objectId, optional, wholeNumber, withDefault } from './fields.ts'
import { PAGE_SIZE_MAX } from './list.ts'

/** ISO 8601 UTC with milliseconds. */
const time = z.string().meta({ format: 'date-time' })
export const DELIVERY_STATUSES = [
  'waiting',
  'sending',
  'retrying',
  'acknowledged',
  'dead',
  'superseded',
  'blocked',
] as const

const attemptFields = {
  number: z.int(),
  startedAt: time,
  durationMs: z.int(),
  outcome: z.enum(['acknowledged', 'failed', 'unknown']),
  httpStatus: z.int().nullable(),
  error: z.string().nullable(),
}
const deliveryFields = {
  deliveryId: z.string(),
  destinationId: z.int(),
  status: z.enum(DELIVERY_STATUSES),
  reason: z.string().nullable(),
  users: z.int(),
  createdAt: time,
  finishedAt: time.nullable(),
  attemptsBefore: z.int().meta({ description: 'Of its attempts, those made before it was sent again by hand' }),
  aamWouldDrop: z.boolean().meta({ description: 'A dead letter that Audience Manager would have dropped' }),
  replayOf: z.string().nullable().meta({ description: 'The delivery whose users it told again' }),
  replayedBy: z
    .string()
    .nullable()
    .meta({ description: 'The delivery that told its users instead: it was a dead letter and is superseded' }),
}

const destinationName = z.string().nullable().meta({ description: 'null: the destination no longer exists' })

/** Segments that a list tells of one message; `segmentCount` counts all. */
export const LISTED_SEGMENTS_MAX = 5
export const ListedSegment = z.object({
  sid: z.int(),
  name: z.string(),
  status: z.literal([0, 1]).meta({ description: '1: in it, 0: no longer' }),
  users: z.int().meta({ description: 'Of the message, told so' }),
})
export type ListedSegment = z.infer<typeof ListedSegment>

/** [OPS-51] */
export const Delivery = z.object({
  ...deliveryFields,
  destinationName,
  segments: z.array(ListedSegment).max(LISTED_SEGMENTS_MAX).meta({
    description:
      'What the message says, said of most users first; at most 5. Where a device is asked for, of that device only',
  }),
  segmentCount: z.int().meta({ description: 'Of all that `segments` would hold' }),
  attempts: z.array(z.object(attemptFields)),
})
export type Delivery = z.infer<typeof Delivery>

const headers = z.record(z.string(), z.string())

export const DeliverySignature = z.object({
  header: z.string(),
  sent: z.string(),
  recomputed: z.string().meta({ description: 'Of the stored bytes, with the key of today' }),
  matches: z.boolean(),
  algorithm: z.enum(['md5', 'sha1', 'sha256']),
  keyNumber: z.int().meta({ description: 'From 1, in the order of the keys of the destination' }),
  signedBytes: z.int(),
})
export type DeliverySignature = z.infer<typeof DeliverySignature>

const toldSegments = z.array(
  z.object({ sid: z.int(), name: z.string(), code: z.string().meta({ description: 'As it stands in the message' }) }),
)
/** What one message said of one user; a user with several partner IDs is there once for each different saying. */
export const DeliveryRecipient = z.object({
  profileId: z.string(),
  partnerIds: z.array(z.object({ dataSourceId: z.int(), id: z.string() })),
  active: toldSegments.meta({ description: 'Told with Status 1' }),
  inactive: toldSegments.meta({ description: 'Told with Status 0' }),
})
export type DeliveryRecipient = z.infer<typeof DeliveryRecipient>

const responseNote = z.enum(['cut', 'not_decodable']).nullable().meta({
  description:
    'cut: the body was longer than is read, slower, or broke off. not_decodable: it is not what its Content-Encoding says. null: all of it was read',
})

export const DeliveryDetail = z.object({
  ...deliveryFields,
  destinationName,
  nextAttempt: time
    .nullable()
    .meta({ description: 'When it is tried next; null: it has ended or is being sent, or the time is not known' }),
  signature: DeliverySignature.nullable().meta({
    description: 'null: it was sent without a signature that its destination makes today',
  }),
  recipients: z.array(DeliveryRecipient).meta({ description: 'Empty for messages of early versions' }),
  request: z.object({ method: z.string(), url: z.string(), headers, body: z.string() }),
  attempts: z.array(
    z.object({ ...attemptFields, response: z.object({ headers, excerpt: z.string(), note: responseNote }) }),
  ),
})
export type DeliveryDetail = z.infer<typeof DeliveryDetail>

const filterFields = {
  destinationId: optional(objectId),
  deviceId: optional(z.string().regex(/^[0-9]{38}$/, 'is not 38 digits')),
  segmentId: optional(objectId),
  status: optional(z.enum(DELIVERY_STATUSES)),
  reason: optional(z.string().regex(/^[a-z0-9_]{1,64}$/, 'is not a reason')).meta({
    description: 'Exactly: http_503, timeout, connection_refused, quota, ...',
  }),
  from: optional(moment),
  to: optional(moment),
}

/**
 * A span that no message can lie in: whoever means to act on it is mistaken. A list only shows nothing, since people fill in one
 * end after the other.
 */
function refuseBackwards(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  if (from !== undefined && to !== undefined && Date.parse(from) > Date.parse(to))
    context.addIssue({ code: 'custom', path: ['to'], message: 'It ends before it starts.' })
}
export const DeliveryListQuery = z.strictObject({
  ...filterFields,
  q: optional(z.string().trim().max(600)).meta({
    description:
      'A delivery ID, a device ID, or a partner ID with or without its data source before it (77052:hd-9f21)',
  }),
  page: withDefault(wholeNumber(0, 1_000_000), 0),
  pageSize: withDefault(wholeNumber(1, PAGE_SIZE_MAX), 10),
})

const chosenIds = optional(z.array(z.string().max(64)).min(1).max(10_000))

/** Deliveries by id or by filter, not both; an empty choice would be everything and is refused. */
function refuseNoChoice(
  { deliveryIds, ...filter }: { readonly deliveryIds?: unknown; readonly [name: string]: unknown },
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const hasFilter = Object.values(filter).some((value) => value !== undefined && value !== false)
  if (hasFilter === (deliveryIds !== undefined))
    context.addIssue({ code: 'custom', path: ['deliveryIds'], message: 'Give deliveryIds or a filter.' })
}

export const ReplayRequest = z
  .strictObject({
    ...filterFields,
    deliveryIds: chosenIds,
    // Nothing that is not plainly said: a replay sends.
    dryRun: flag.default(false),
    as: withDefault(z.enum(['same', 'current']), 'same').meta({
      description: 'The stored bytes, or the state of today',
    }),
    perSecond: optional(z.number().min(0.01).max(10_000)).meta({
      description: 'Messages a second to each destination; without it as fast as they are taken',
    }),
  })
  .superRefine(refuseBackwards)
  .superRefine(({ dryRun: _dryRun, as: _as, perSecond: _perSecond, ...choice }, context) =>
    refuseNoChoice(choice, context),
  )

const { status: _status, ...deadFilterFields } = filterFields
export const DiscardRequest = z
  .strictObject({
    ...deadFilterFields,
    deliveryIds: chosenIds,
    withoutDestination: withDefault(flag, false).meta({
      description: 'Only those whose destination was deleted, also where another one got its id',
    }),
    dryRun: withDefault(flag, false),
  })
  .superRefine(refuseBackwards)
  .superRefine(({ dryRun: _dryRun, withoutDestination, ...choice }, context) =>
    refuseNoChoice(choice.deliveryIds === undefined ? { ...choice, withoutDestination } : choice, context),
  )
export const DiscardAnswer = z.object({
  matched: z.int().meta({ description: 'Dead letters that fit' }),
  discarded: z.int().meta({ description: 'At most 5,000 in one call: ask again for the rest' }),
})
export type DiscardAnswer = z.infer<typeof DiscardAnswer>
/** What a replay would do. Those under way, unknown, or without a destination are not sent. */
export const ReplayPlan = z.object({
  unchanged: z.int().nullable().meta({ description: 'Go out as the same bytes; null: too many to look at each' }),
  rebuilt: z.int().nullable().meta({
    description:
      'Their users are told the state of today: by new messages, as few as it takes, or by newer ones of the same replay',
  }),
  nothingToTell: z
    .int()
    .nullable()
    .meta({ description: 'Nothing goes out: today there is nothing that could be told to their users' }),
  held: z.int().meta({ description: 'Of these, those that wait: their destination is paused or inactive' }),
  withoutDestination: z.int(),
  underWay: z.int().meta({ description: 'Not ended yet' }),
  unknown: z.int().meta({ description: 'IDs that are not kept' }),
})
export type ReplayPlan = z.infer<typeof ReplayPlan>
export const ReplayAnswer = z.object({
  matched: z.int().meta({ description: 'Ended deliveries that fit' }),
  queued: z.int(),
  replayId: z
    .string()
    .nullable()
    .meta({ description: 'Under which its result is found; null: a dry run, or nothing fits' }),
  plan: ReplayPlan.optional().meta({ description: 'Of a dry run' }),
})
export type ReplayAnswer = z.infer<typeof ReplayAnswer>
