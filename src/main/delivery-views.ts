import { checkSignature } from '../activation/check-signature.ts'
import type { DestinationRule } from '../activation/destination-rules.ts'
import {
  type Delivery,
  type DeliveryDetail,
  type DeliveryRecipient,
  LISTED_SEGMENTS_MAX,
  type ListedSegment,
} from '../contract.ts'
import type { Attempt } from '../model/delivery.ts'
import type { ProfileId } from '../model/ids.ts'
import { isoTime } from '../model/time.ts'
import type { StoredDelivery, WrittenUser } from '../store/delivery-record.ts'

/** What the record of a delivery does not hold. */
export interface DetailParts {
  /** Undefined: the destination is gone. */
  readonly destinationName: string | undefined
  /** Undefined: nothing is delivered to it in real time. */
  readonly destination: DestinationRule | undefined
  /** Of today; a deleted one has none. */
  readonly segmentNames: ReadonlyMap<number, string>
  /** Undefined: it is not set. */
  readonly nextAttemptMs?: number | undefined
}

/** What a list tells of one delivery without names: those of a whole page are asked for at once. */
export interface ListedDelivery {
  readonly head: ReturnType<typeof headOf>
  readonly attempts: Delivery['attempts']
  readonly segments: readonly Omit<ListedSegment, 'name'>[]
  readonly segmentCount: number
  /** Which destination it was made for. */
  readonly madeFor: Pick<StoredDelivery, 'destinationId' | 'destinationCreatedAtMs' | 'createdAtMs'>
}

/** @param profileIds only what is said of these */
export function* listedDelivery(
  delivery: StoredDelivery,
  profileIds?: readonly ProfileId[],
): Generator<void, ListedDelivery> {
  const all = [...(yield* saidIn(delivery, profileIds))].sort(
    (a, b) => b.users - a.users || b.status - a.status || a.sid - b.sid,
  )
  return {
    head: headOf(delivery),
    attempts: delivery.attempts.map(viewAttempt),
    segments: all.slice(0, LISTED_SEGMENTS_MAX),
    segmentCount: all.length,
    madeFor: {
      destinationId: delivery.destinationId,
      destinationCreatedAtMs: delivery.destinationCreatedAtMs,
      createdAtMs: delivery.createdAtMs,
    },
  }
}

/** A delivery in a list [OPS-51]. */
export function viewDelivery(
  { head, attempts, segments, segmentCount }: ListedDelivery,
  destinationNames: ReadonlyMap<number, string>,
  segmentNames: ReadonlyMap<number, string>,
): Delivery {
  return {
    ...head,
    destinationName: destinationNames.get(head.destinationId) ?? null,
    segments: segments.map(({ sid, status, users }) => ({ sid, name: nameOf(sid, segmentNames), status, users })),
    segmentCount,
    attempts,
  }
}

/** Each segment and status, and of how many users it was said; a user under several partner IDs counts once. */
function* saidIn(
  { users, written }: StoredDelivery,
  profileIds: readonly ProfileId[] | undefined,
): Generator<void, Iterable<Omit<ListedSegment, 'name'>>> {
  // A message may say some hundred thousand things: the key is a number.
  const said = new Map<number, { sid: number; status: 0 | 1; users: number; lastUser: string }>()
  const say = (sid: number, status: 0 | 1, profileId: string) => {
    const known = said.get(sid * 2 + status)
    if (known === undefined) said.set(sid * 2 + status, { sid, status, users: 1, lastUser: profileId })
    // The entries of a user stand together.
    else if (known.lastUser !== profileId) {
      known.users += 1
      known.lastUser = profileId
    }
  }
  for (const [at, { profileId, active, inactive }] of users.entries()) {
    if (profileIds?.includes(profileId) === false) continue
    yield
    // Records of early versions do not hold what was written.
    const segments = written?.[at]?.segments
    if (segments !== undefined) for (const [sid, , status] of segments) say(sid, status, profileId)
    else {
      for (const sid of active) say(sid, 1, profileId)
      for (const sid of inactive) say(sid, 0, profileId)
    }
  }
  return said.values()
}

/** One delivery with all that was sent and came back [OPS-51]. */
export function viewDetail(delivery: StoredDelivery, parts: DetailParts): DeliveryDetail {
  const { destination, destinationName, segmentNames, nextAttemptMs } = parts
  const signature = destination && checkSignature(destination.config, delivery)
  return {
    ...headOf(delivery),
    destinationName: destinationName ?? null,
    nextAttempt: nextAttemptMs === undefined ? null : isoTime(nextAttemptMs),
    request: {
      method: delivery.method,
      url: delivery.url,
      headers: joinHeaders(delivery.headers, destination?.config.headers ?? {}),
      body: delivery.body,
    },
    signature: signature ?? null,
    recipients: recipientsOf(delivery, segmentNames),
    attempts: delivery.attempts.map((attempt) => ({
      ...viewAttempt(attempt),
      response: {
        headers: { ...attempt.responseHeaders },
        excerpt: attempt.responseExcerpt,
        note: attempt.responseNote ?? null,
      },
    })),
  }
}

/** Segments that a message names. */
export function segmentsIn({ written = [] }: StoredDelivery): number[] {
  return written.flatMap(({ segments }) => segments.map(([sid]) => sid))
}

/** IDs of one user that were told the same stand together; one that opted out is told something else. */
function recipientsOf(
  { users, written = [] }: StoredDelivery,
  names: ReadonlyMap<number, string>,
): DeliveryRecipient[] {
  const recipients = new Map<string, DeliveryRecipient>()
  for (const [at, { dataSourceId, partnerId, segments }] of written.entries()) {
    const profileId = users[at]?.profileId ?? ''
    const partnerIds = partnerId === '' ? [] : [{ dataSourceId, id: partnerId }]
    const key = `${profileId} ${JSON.stringify(segments)}`
    const told = toldBy(segments, names)
    const others = recipients.get(key)
    recipients.set(key, { profileId, partnerIds: [...(others?.partnerIds ?? []), ...partnerIds], ...told })
  }
  return [...recipients.values()]
}

function toldBy(segments: WrittenUser['segments'], names: ReadonlyMap<number, string>) {
  const withStatus = (wanted: 0 | 1) =>
    segments.flatMap(([sid, code, status]) => (status === wanted ? [{ sid, name: nameOf(sid, names), code }] : []))
  return { active: withStatus(1), inactive: withStatus(0) }
}

function nameOf(sid: number, names: ReadonlyMap<number, string>): string {
  return names.get(sid) ?? `deleted segment ${sid}`
}

function headOf(delivery: StoredDelivery) {
  const { deliveryId, destinationId, status, reason, users, createdAtMs, finishedAtMs, aamWouldDrop } = delivery
  return {
    deliveryId,
    destinationId,
    status,
    reason,
    users: users.length,
    createdAt: isoTime(createdAtMs),
    finishedAt: finishedAtMs === null ? null : isoTime(finishedAtMs),
    // Of an ending that a replay has taken back nothing is said.
    attemptsBefore: delivery.attemptsBefore,
    aamWouldDrop: status === 'dead' && aamWouldDrop,
    replayOf: delivery.replayOf,
    replayedBy: delivery.replayedBy ?? null,
  }
}

function viewAttempt({ number, startedAtMs, durationMs, outcome, httpStatus, error }: Attempt) {
  return { number, startedAt: isoTime(startedAtMs), durationMs: Math.round(durationMs), outcome, httpStatus, error }
}

/**
 * Two lines of one name are shown as HTTP joins them.
 * @param free headers of the destination: their values are secrets, which records of early versions hold in clear
 */
function joinHeaders(
  headers: StoredDelivery['headers'],
  free: Readonly<Record<string, string>>,
): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, stored] of headers) {
    const value = Object.hasOwn(free, name) ? '***' : stored
    joined[name] = joined[name] === undefined ? value : `${joined[name]}, ${value}`
  }
  return joined
}
