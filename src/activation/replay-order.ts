import type { DeliveryId, DestinationId } from '../model/ids.ts'

/** Messages that are sent again by hand, and what became of each. Source: security.md SEC-48; rest-api.md API-165. */
export interface Replay {
  readonly replayId: string
  readonly as: ReplayAs
  /** Messages a second to each destination; null: as fast as it takes them. */
  readonly perSecond: number | null
  readonly state: 'running' | 'completed' | 'cancelled' | 'failed'
  readonly total: number
  readonly counts: Readonly<Record<ReplayOutcome, number>>
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
  /** Messages of one destination each, or of none; a lane has chunks of its own, one after the other. */
  readonly lanes: readonly ReplayLane[]
}

/** What the sending of a message must know of the replay it belongs to. */
export type ReplayOrder = Pick<Replay, 'replayId' | 'as' | 'createdAtMs'>

/** `same`: the stored bytes, where nothing newer was told since; `current`: a new message of the state of today. */
export type ReplayAs = 'same' | 'current'

export interface ReplayLane {
  /** Null: nothing of it can be sent. */
  readonly destinationId: DestinationId | null
  readonly messages: number
}

/**
 * `waiting`: its turn has not come; `queued`: on its way, or its users are owed their state of today. The rest are endings:
 * those of the message that was sent, `not_sent` with its reason, and `cancelled` before it was sent.
 */
export const REPLAY_OUTCOMES = [
  'waiting',
  'queued',
  'acknowledged',
  'dead',
  'superseded',
  'not_sent',
  'cancelled',
] as const
export type ReplayOutcome = (typeof REPLAY_OUTCOMES)[number]

export interface ReplayMessage {
  readonly deliveryId: DeliveryId
  readonly destinationId: DestinationId | null
  readonly outcome: ReplayOutcome
  /** What was sent: the same bytes, or new messages; null: nothing yet. */
  readonly sent: ReplayAs | null
  /** Why nothing is sent, why it died, or why not the same bytes: `outdated`. */
  readonly reason: string | null
  /** The messages that told its users, by their keys; itself, where the same bytes went out. */
  readonly sentAs: readonly DeliveryId[]
}

/** What became known of one message. */
export type ReplayNews = Pick<ReplayMessage, 'outcome'> & Partial<Pick<ReplayMessage, 'sent' | 'reason' | 'sentAs'>>

export function hasEnded(outcome: ReplayOutcome): boolean {
  return outcome !== 'waiting' && outcome !== 'queued'
}
