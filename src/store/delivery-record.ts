import type { Delivery, DeliveryStatus } from '../model/delivery.ts'
import type { DeliveryId, ProfileId } from '../model/ids.ts'
import { openRecord, sealRecord } from './record.ts'

/** A delivery with what only its store and its sender need. */
export interface StoredDelivery extends Delivery {
  /** Header lines of the request, secrets masked. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Messages frozen together, because they share users: the first one's ID, and how many they were. */
  readonly roundId: DeliveryId
  readonly roundSize: number
  /** Attempts made before it was sent again by hand: they no longer count for its mode. */
  readonly attemptsBefore: number
  /** Devices and declared IDs that it tells with Status 1: asked for opt-outs before it leaves later; absent in old records. */
  readonly named?: readonly ProfileId[]
  /** Dead in `compat`, where AAM would have dropped it without a trace [SEC-45]. */
  readonly aamWouldDrop: boolean
}

export type DeliveryHead = Omit<StoredDelivery, 'body'>

/** What lists filter by. */
export interface DeliverySummary {
  readonly status: DeliveryStatus
  readonly reason: string | null
  /** Segments named in it, ascending. */
  readonly segments: readonly number[]
}

const VERSION = 1

/** All but the body, which is written once and not again with each attempt. */
export function sealHead({ body: _body, ...head }: StoredDelivery): Buffer {
  return sealRecord(VERSION, 0, Buffer.from(JSON.stringify(head)))
}

/** The exact bytes of the body. */
export function sealBody({ body }: StoredDelivery): Buffer {
  return sealRecord(VERSION, 0, Buffer.from(body))
}

/** @throws RecordCorruptError */
export function openHead(record: Buffer): DeliveryHead {
  return JSON.parse(openRecord(record).body.toString('utf8')) as DeliveryHead
}

/** @throws RecordCorruptError */
export function openBody(record: Buffer): string {
  return openRecord(record).body.toString('utf8')
}

export function sealSummary(delivery: StoredDelivery): Buffer {
  return sealRecord(VERSION, 0, Buffer.from(JSON.stringify(summaryOf(delivery))))
}

/** @throws RecordCorruptError */
export function openSummary(record: Buffer): DeliverySummary {
  return JSON.parse(openRecord(record).body.toString('utf8')) as DeliverySummary
}

export function summaryOf({ status, reason, users }: Pick<Delivery, 'status' | 'reason' | 'users'>): DeliverySummary {
  const segments = new Set(users.flatMap((user) => [...user.active, ...user.inactive]))
  return { status, reason, segments: [...segments].sort((a, b) => a - b) }
}
