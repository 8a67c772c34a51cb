/**
 * What a partner's answer means, in words that the runner acts on. An author's `read` turns the answer into one of them;
 * what follows, a repetition, a pause, a smaller message, is decided for all types alike (`policy.ts`, `gate.ts`).
 */
export type Reading =
  | { readonly status: 'accepted' }
  /** By user: all that are not named were taken. */
  | { readonly status: 'itemised'; readonly refused: readonly RefusedUser[] }
  /** Only so many, nobody knows who. */
  | { readonly status: 'counted'; readonly accepted: number; readonly refused: number }
  /** Not known yet: to be asked for again by the ticket. */
  | { readonly status: 'pending'; readonly ticket: string; readonly askAfterMs: number }
  /** Nothing was taken, whatever the status of the answer was. */
  | { readonly status: 'refused'; readonly fault: Fault; readonly reason: string; readonly retryAfterMs?: number }

/** A message in real time is over with its answer: a type that gives a ticket for one does not compile. */
export type RealtimeReading = Exclude<Reading, { status: 'pending' }>

export interface RefusedUser {
  /** Its place in the message, from 0, or its ID as it was written there: always a text, since IDs exceed 2^53. */
  readonly user: number | string
  readonly fault: Extract<Fault, 'record' | 'busy' | 'other'>
}

/**
 * Who has to do something about it.
 * - `message`: the message is wrong as a whole. Three attempts; it says nothing of others.
 * - `record`: one of its users is, and the partner took none for that: it is told again in halves, until the one stands alone.
 * - `busy`: the partner asks for less, whatever status it says it with: the whole destination slows down.
 * - `unauthorized`: the token is stale, or the signature wrong. `forbidden`: known, and may not.
 * - `gone`: the address takes nothing any more: delivery is paused.
 * - `other`: trouble of the partner, which will pass.
 */
export type Fault = 'message' | 'record' | 'busy' | 'unauthorized' | 'forbidden' | 'gone' | 'other'

/** The body is at fault, not the wire [SEC-46]. */
export const BODY_STATUSES = [400, 413, 422]
/** Ask the whole destination to be slower [SEC-46]. */
const SLOW_STATUSES = [429, 502, 503, 504]

/** What a status alone says; null: there was no answer. */
export function faultOfStatus(httpStatus: number | null): Fault {
  if (httpStatus === null) return 'other'
  if (BODY_STATUSES.includes(httpStatus)) return 'message'
  if (SLOW_STATUSES.includes(httpStatus)) return 'busy'
  if (httpStatus === 401) return 'unauthorized'
  if (httpStatus === 403) return 'forbidden'
  return httpStatus === 410 ? 'gone' : 'other'
}
