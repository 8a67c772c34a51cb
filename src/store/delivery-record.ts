import type { Delivery, DeliveryStatus } from '../model/delivery.ts'
import type { DeliveryId } from '../model/ids.ts'
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
  /** Dead in `compat`, where AAM would have dropped it without a trace [SEC-45]. */
  readonly aamWouldDrop: boolean
}

/** What lists filter by. */
export interface DeliverySummary {
  readonly status: DeliveryStatus
  /** Segments named in it, ascending. */
  readonly segments: readonly number[]
}

const VERSION = 1

/** 4 bytes of length, JSON of all but the body, then the body's exact bytes. */
export function sealDelivery(delivery: StoredDelivery): Buffer {
  const { body, ...rest } = delivery
  const head = Buffer.from(JSON.stringify(rest))
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(head.length)
  return sealRecord(VERSION, 0, Buffer.concat([length, head, Buffer.from(body)]))
}

/** @throws RecordCorruptError */
export function openDelivery(record: Buffer): StoredDelivery {
  const { body: bytes } = openRecord(record)
  const bodyStart = 4 + bytes.readUInt32BE(0)
  const head = JSON.parse(bytes.toString('utf8', 4, bodyStart)) as Omit<StoredDelivery, 'body'>
  return { ...head, body: bytes.toString('utf8', bodyStart) }
}

export function sealSummary(delivery: Delivery): Buffer {
  return sealRecord(VERSION, 0, Buffer.from(JSON.stringify(summaryOf(delivery))))
}

/** @throws RecordCorruptError */
export function openSummary(record: Buffer): DeliverySummary {
  return JSON.parse(openRecord(record).body.toString('utf8')) as DeliverySummary
}

export function summaryOf({ status, users }: Delivery): DeliverySummary {
  const segments = new Set(users.flatMap((user) => [...user.active, ...user.inactive]))
  return { status, segments: [...segments].sort((a, b) => a - b) }
}
