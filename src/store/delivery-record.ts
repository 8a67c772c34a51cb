import { parseListInSlices } from '../lib/json-list.ts'
import type { Delivery, DeliveryStatus } from '../model/delivery.ts'
import type { DataSourceId, DeliveryId, ProfileId } from '../model/ids.ts'
import { type DeliveryPlace, placeBytes } from './delivery-keys.ts'
import { openRecord, sealRecord } from './record.ts'

/** A delivery with what only its store and its sender need. */
export interface StoredDelivery extends Delivery {
  /** Of its destination: another one may get the id later. Absent in old records. */
  readonly destinationCreatedAtMs?: number | undefined
  /** Header lines of the request, secrets masked. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Messages frozen together, because they share users: the first one's ID, and how many they were. */
  readonly roundId: DeliveryId
  readonly roundSize: number
  /** Attempts made before it was sent again by hand: they no longer count for its mode. */
  readonly attemptsBefore: number
  /** How it had ended before it was sent again by hand: it is put back if the replay is called off in time. */
  readonly endedBefore?: Pick<Delivery, 'status' | 'reason' | 'finishedAtMs'> | undefined
  /** The replay that sent it again last. */
  readonly replayId?: string | undefined
  /** A dead letter no more: this message told its users instead [SEC-41]. */
  readonly replayedBy?: DeliveryId | undefined
  /** Devices and declared IDs that it tells with Status 1: asked for opt-outs before it leaves later; absent in old records. */
  readonly named?: readonly ProfileId[]
  /** Its users as the message names them, in the order of `users`; stored once beside the body, absent in old records. */
  readonly written?: readonly WrittenUser[]
  /** Dead in `compat`, where AAM would have dropped it without a trace [SEC-45]. */
  readonly aamWouldDrop: boolean
}

/** One user as it stands in the message: its ID there, and each segment with what the partner calls it. */
export interface WrittenUser {
  readonly dataSourceId: DataSourceId
  /** Empty where the partner has none. */
  readonly partnerId: string
  readonly segments: readonly (readonly [sid: number, code: string, status: 0 | 1])[]
}

export type DeliveryHead = Omit<StoredDelivery, 'body' | 'written'>
export type DeliveryBody = Pick<StoredDelivery, 'body' | 'written'>

/** What lists filter by. */
export interface DeliverySummary {
  readonly status: DeliveryStatus
  readonly reason: string | null
  /** Segments named in it, ascending. */
  readonly segments: readonly number[]
}

const VERSION = 1
/** A body with its users before it: their length (4 bytes, big-endian), their JSON, the bytes. */
const VERSION_WITH_USERS = 2
const LENGTH_BYTES = 4

/** All but the body, which is written once and not again with each attempt. */
export function sealHead({ body: _body, written: _written, ...head }: StoredDelivery): Buffer {
  return sealRecord(VERSION, 0, Buffer.from(JSON.stringify(head)))
}

/** The exact bytes of the body, and whom they name. */
export function sealBody({ body, written }: DeliveryBody): Buffer {
  if (written === undefined) return sealRecord(VERSION, 0, Buffer.from(body))
  const users = Buffer.from(JSON.stringify(written))
  const length = Buffer.allocUnsafe(LENGTH_BYTES)
  length.writeUInt32BE(users.length)
  return sealRecord(VERSION_WITH_USERS, 0, Buffer.concat([length, users, Buffer.from(body)]))
}

/** @throws RecordCorruptError */
export function openHead(record: Buffer): DeliveryHead {
  return JSON.parse(openRecord(record).body.toString('utf8')) as DeliveryHead
}

/** @throws RecordCorruptError */
export function openBody(record: Buffer): DeliveryBody {
  const { body, users } = splitBody(record)
  return users === undefined ? { body } : { body, written: JSON.parse(users) as readonly WrittenUser[] }
}

/** A body may be megabytes long: opened now, its users read one after the other. @throws RecordCorruptError */
export function openBodyInSlices(record: Buffer): Generator<void, DeliveryBody> {
  const { body, users } = splitBody(record)
  return (function* () {
    if (users === undefined) return { body }
    return { body, written: (yield* parseListInSlices(users, JSON.parse)) as readonly WrittenUser[] }
  })()
}

function splitBody(record: Buffer): { readonly body: string; readonly users?: string } {
  const { version, body } = openRecord(record)
  if (version === VERSION) return { body: body.toString('utf8') }
  const end = LENGTH_BYTES + body.readUInt32BE(0)
  return { body: body.toString('utf8', end), users: body.toString('utf8', LENGTH_BYTES, end) }
}

export function sealSummary(delivery: StoredDelivery): Buffer {
  return sealRecord(VERSION, 0, Buffer.from(JSON.stringify(summaryOf(delivery))))
}

/** What both indexes hold, to find a delivery by its ID and by its users. */
export function sealPlace(place: DeliveryPlace): Buffer {
  return sealRecord(VERSION, 0, placeBytes(place))
}

/** @throws RecordCorruptError */
export function openSummary(record: Buffer): DeliverySummary {
  return JSON.parse(openRecord(record).body.toString('utf8')) as DeliverySummary
}

export function summaryOf({ status, reason, users }: Pick<Delivery, 'status' | 'reason' | 'users'>): DeliverySummary {
  const segments = new Set(users.flatMap((user) => [...user.active, ...user.inactive]))
  return { status, reason, segments: [...segments].sort((a, b) => a - b) }
}
