import { checkSignature } from '../activation/check-signature.ts'
import type { DestinationRule } from '../activation/destination-rules.ts'
import type { Delivery, DeliveryDetail, DeliveryRecipient } from '../contract.ts'
import type { Attempt } from '../model/delivery.ts'
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
}

/** A delivery in a list [OPS-51]. */
export function viewDelivery(delivery: StoredDelivery): Delivery {
  return { ...headOf(delivery), attempts: delivery.attempts.map(viewAttempt) }
}

/** One delivery with all that was sent and came back [OPS-51]. */
export function viewDetail(delivery: StoredDelivery, parts: DetailParts): DeliveryDetail {
  const { destination, destinationName, segmentNames } = parts
  const signature = destination && checkSignature(destination.config, delivery)
  return {
    ...headOf(delivery),
    destinationName: destinationName ?? null,
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
      response: { headers: { ...attempt.responseHeaders }, excerpt: attempt.responseExcerpt },
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
    segments.flatMap(([sid, code, status]) =>
      status === wanted ? [{ sid, name: names.get(sid) ?? `deleted segment ${sid}`, code }] : [],
    )
  return { active: withStatus(1), inactive: withStatus(0) }
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
    aamWouldDrop: status === 'dead' && aamWouldDrop,
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
