import type { DeliveryId, DestinationId, ProfileId } from './ids.ts'

/** [OPS-51] */
export type DeliveryStatus = 'waiting' | 'sending' | 'retrying' | 'acknowledged' | 'dead' | 'superseded' | 'blocked'

/** One try at sending a delivery. */
export interface Attempt {
  readonly number: number
  readonly startedAtMs: number
  readonly durationMs: number
  /** `unknown`: the bytes may have arrived, but no answer did. */
  readonly outcome: 'acknowledged' | 'failed' | 'unknown'
  readonly httpStatus: number | null
  /** A stable code (`timeout`, `connection_reset`, `egress_denied`, `oauth_http_401`, ...) or null. */
  readonly error: string | null
  readonly responseHeaders: Readonly<Record<string, string>>
  /** At most 1 KiB, secrets removed [SEC-27]. */
  readonly responseExcerpt: string
  /** The body was longer, slower or broken off, or is not what its `Content-Encoding` says; absent: all of it was read. */
  readonly responseNote?: 'cut' | 'not_decodable'
  /** Why it uses up none of the attempts its mode allows [SEC-47], [SEC-54]. */
  readonly uncounted?: Uncounted
  /** The partner said so in words of its own; absent: as the status says, 401. */
  readonly isTokenRefused?: true
}

/** It asked whether the destination is back; a key was just removed; the destination said it is gone; there was no token. */
export type Uncounted = 'probe' | 'key_rotation' | 'gone' | 'no_token'

/** What one user of a message was told, needed to know what is owed once the message has ended. */
export interface DeliveryUser {
  readonly profileId: ProfileId
  /** Revision of the profile the entry was built from. */
  readonly revision: number
  /** Segments sent with Status 1, and with Status 0. */
  readonly active: readonly number[]
  readonly inactive: readonly number[]
}

/** A message that was frozen before its first byte left: the same key and bytes for ever [SEC-41], [SEC-43]. */
export interface Delivery {
  readonly deliveryId: DeliveryId
  readonly destinationId: DestinationId
  readonly status: DeliveryStatus
  /** Why it is dead, blocked or superseded. */
  readonly reason: string | null
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
  readonly method: 'POST' | 'GET'
  readonly url: string
  /** Exact bytes of the body, UTF-8. */
  readonly body: string
  readonly users: readonly DeliveryUser[]
  readonly attempts: readonly Attempt[]
  /** When the next attempt is due; 0 when none is. */
  readonly nextAttemptMs: number
  /** The delivery this one replays as "current state", if any [SEC-41]. */
  readonly replayOf: DeliveryId | null
}

export type PauseReason = 'operator' | 'gone' | 'failing' | 'quota'

/** How delivery to one destination stands, for the API, the UI and metrics. */
export interface DestinationHealth {
  readonly destinationId: DestinationId
  /** `open`: nothing is sent but a probe now and then [SEC-47]. */
  readonly breaker: 'closed' | 'open' | 'half_open'
  /** By an operator, by 410, after days of failures, or by dead letters that fill its disk share; undefined while it delivers. */
  readonly paused: { readonly reason: PauseReason; readonly atMs: number } | undefined
  /** Users who are owed something, in messages on their way or without one yet, and those messages. */
  readonly waitingUsers: number
  /** More users wait on disk, uncounted. */
  readonly moreOnDisk: boolean
  readonly openMessages: number
  /** When the oldest of them began to wait; undefined when nothing waits. */
  readonly oldestWaitingMs: number | undefined
  /** Failed attempts in a row that count for the breaker, and why the last attempt of all was not accepted. */
  readonly failuresInRow: number
  readonly lastFailure: { readonly reason: string; readonly atMs: number } | undefined
  readonly lastSuccessMs: number | undefined
  /** Attempts since the last accepted one, whatever became of them, and when the first of them was. */
  readonly refusedInRow: number
  readonly refusingSinceMs: number | undefined
  /** Its partner asked for silence (`Retry-After`): nothing is sent before. */
  readonly askedToWaitUntilMs?: number | undefined
  /** Messages on their way that were tried and not accepted, or that the address rules keep back. */
  readonly refusedMessages: number
  /** When something is tried next; undefined: nothing waits for a moment, or nothing will be tried. */
  readonly nextAttemptMs: number | undefined
  /** False: an operator set it to INACTIVE. What it is owed waits. */
  readonly isActive: boolean
  /** Why its stored settings cannot be used; undefined: they can. What it is owed waits. */
  readonly unusable: string | undefined
}
