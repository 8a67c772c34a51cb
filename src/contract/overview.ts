import { z } from 'zod'
import { standingFields } from './destination-health.ts'
import { withDefault } from './fields.ts'

const time = z.string().meta({ format: 'date-time' })
const count = z.int()

export const OverviewWindow = z.enum(['1h', '24h'])
export type OverviewWindow = z.infer<typeof OverviewWindow>
export const OverviewQuery = z.strictObject({ window: withDefault(OverviewWindow, '24h') })

export const Figures = z.object({
  eventsPerSecond: z.number().meta({ description: 'Mean of the last one to two minutes' }),
  eventsPeakPerSecond: count.meta({ description: 'The busiest second of the window' }),
  events: count,
  profilesSeen: count.meta({ description: 'Devices, each once' }),
  entered: count.meta({ description: 'Memberships of devices that began, for whatever reason' }),
  left: count,
  acknowledged: count.meta({ description: 'Messages' }),
  dead: count,
  waiting: count.meta({
    description:
      'Messages, now: those that wait, and the fewest that waiting users need; 10,000 users of a destination at most are counted',
  }),
  retrying: count,
  refused: count.meta({
    description:
      'Messages, now: those that were tried and not accepted, and all that wait for a destination that takes none',
  }),
  waitingUsers: count.meta({
    description: 'Users, now: those who wait at destinations that need attention, as counted there',
  }),
  acknowledgedShare: z
    .number()
    .nullable()
    .meta({ description: 'Of acknowledged, dead and refused: 0 to 1; null when there are none' }),
  eventToPartnerMs: z
    .object({ median: z.number(), p99: z.number() })
    .nullable()
    .meta({ description: 'From the commit of an event to the acknowledgement of its message; at most 10 % off' }),
})
export type Figures = z.infer<typeof Figures>

export const SeriesPoint = z.object({
  at: time.meta({ description: 'Where its part of the window begins' }),
  events: count,
  entered: count,
  left: count,
  acknowledged: count,
  dead: count,
  medianMs: z.number().nullable(),
})
export type SeriesPoint = z.infer<typeof SeriesPoint>

const owedFields = {
  waitingUsers: count.meta({
    description:
      'Owed something: in messages that have not ended, or without a message yet; of the latter 10,000 at most are counted',
  }),
  moreOnDisk: z.boolean().meta({ description: 'More users wait on disk than are counted' }),
  openMessages: count.meta({ description: 'Built, and not ended' }),
}
const waiting = count.meta({ description: 'Messages: those built, and the fewest that users without one still need' })

/** What each count means stands at `Activity` in src/reports/activity.ts. */
export const FlowAnswer = z.object({
  sources: z.array(z.object({ dataSourceId: z.int(), name: z.string(), events: count })),
  traits: z.array(z.object({ sid: z.int(), name: z.string(), realized: count })),
  segments: z.array(z.object({ sid: z.int(), name: z.string(), entered: count })),
  destinations: z.array(
    z.object({
      destinationId: z.int(),
      name: z.string(),
      acknowledged: count,
      waiting,
      dead: count,
      ...owedFields,
      ...standingFields,
    }),
  ),
  links: z
    .array(z.object({ from: z.string(), to: z.string(), count }))
    .meta({ description: 'Ends are `source:2001`, `trait:100001`, `segment:100007`, `destination:423`' }),
  others: z
    .object({ sources: count, traits: count, segments: count, destinations: count, links: count })
    .meta({ description: 'Counted, but not under a name: there are more names than are kept one by one' }),
})
export type FlowAnswer = z.infer<typeof FlowAnswer>

export const AttentionItem = z.object({
  kind: z.enum([
    'unusable',
    'paused',
    'breaker_open',
    'failing',
    'partial',
    'dead_letters',
    'backlog',
    'disk_share',
    'disk',
    'damage',
    'opt_out_list',
    'private_destinations',
    'clock',
  ]),
  severity: z.enum(['critical', 'warning', 'info']),
  destinationId: z.int().nullable(),
  name: z.string().nullable(),
  count: count.nullable().meta({
    description:
      'Of how a destination stands: the users who wait there; of dead_letters: messages; of damage: records or files',
  }),
  messages: count.nullable().meta({ description: 'Built for those users, and not ended' }),
  deadLetters: count.nullable().meta({
    description:
      'Where nobody waits and its dead letters are all there is to do: how many; they have no item of their own then',
  }),
  atLeast: z.boolean().meta({ description: 'More wait on disk than `count` says' }),
  since: time.nullable(),
  reason: z.string().nullable(),
  nextAttempt: time.nullable().meta({ description: 'When something is tried next' }),
})
export type AttentionItem = z.infer<typeof AttentionItem>

export const LedgerRow = z.object({
  destinationId: z.int(),
  name: z.string(),
  acknowledged: count,
  waiting,
  dead: count,
  blocked: count,
  ...owedFields,
  ...standingFields,
})
export type LedgerRow = z.infer<typeof LedgerRow>

/** `GET /v1/overview`. */
export const Overview = z.object({
  at: time,
  since: time.meta({ description: 'From when the figures count: the start of the window, or of the counting' }),
  figures: Figures,
  series: z.array(SeriesPoint),
  flow: FlowAnswer,
  needsAttention: z.array(AttentionItem).meta({ description: 'Worst first' }),
  ledger: z.array(LedgerRow).meta({ description: 'Worst first, then those with most messages' }),
})
export type Overview = z.infer<typeof Overview>
