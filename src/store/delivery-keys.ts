import { randomBytes } from 'node:crypto'
import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import { profileIdBytes, startKey } from './keys.ts'
import { Kind } from './record-kinds.ts'

/**
 * Where deliveries lie: those of a destination in one partition, by time; two small indexes lead to them from a delivery
 * ID and from a profile. Stored, never change a form.
 */
export interface DeliveryPlace {
  readonly deliveryId: DeliveryId
  readonly destinationId: DestinationId
  readonly createdAtMs: number
}

const ID_BYTES = 16
const TIME_BYTES = 6

/** Random, so that it tells nothing of the message [SEC-41]. */
export function newDeliveryId(): DeliveryId {
  return `dl_${randomBytes(ID_BYTES).toString('base64url')}` as DeliveryId
}

export function isDeliveryId(text: string): text is DeliveryId {
  return /^dl_[A-Za-z0-9_-]{22}$/.test(text) && deliveryIdOf(idBytes(text)) === text
}

export function deliveryPartition(destinationId: DestinationId): number {
  return partitionOf(`destination:${destinationId}`)
}

export function destinationStateKey(destinationId: DestinationId): Buffer {
  return destinationPrefix(Kind.destinationState, destinationId)
}

export function openDeliveryKey(place: DeliveryPlace): Buffer {
  return timedKey(destinationPrefix(Kind.openDelivery, place.destinationId), place)
}

/**
 * `summary`: what lists filter by; summaries lie together, so that a list reads little. `head`: the ended delivery.
 * `body`: the bytes of its message, also while it is still open.
 */
export type HistoryPart = 'summary' | 'head' | 'body'

export function historyKey(part: HistoryPart, place: DeliveryPlace): Buffer {
  return timedKey(historyPrefix(part, place.destinationId), place)
}

/** All of a destination's records of one part, from a time on. */
export function historyFrom(part: HistoryPart, destinationId: DestinationId, fromMs: number): Buffer {
  const prefix = historyPrefix(part, destinationId)
  const key = Buffer.alloc(prefix.length + TIME_BYTES)
  prefix.copy(key)
  key.writeUIntBE(fromMs, prefix.length, TIME_BYTES)
  return key
}

/** Reads the place out of a key of either kind. */
export function readDeliveryKey(key: Buffer): DeliveryPlace {
  const idAt = key.length - ID_BYTES
  return {
    destinationId: key.readUInt32BE(3) as DestinationId,
    createdAtMs: key.readUIntBE(idAt - TIME_BYTES, TIME_BYTES),
    deliveryId: deliveryIdOf(key.subarray(idAt)),
  }
}

/** Finds a delivery by its ID; lies in a partition of its own. */
export function deliveryIdKey(deliveryId: DeliveryId): Buffer {
  const key = startKey(partitionOf(deliveryId), Kind.deliveryOfProfile, 2 + ID_BYTES)
  // A profile ID is never empty, so this form cannot meet the one below.
  key.writeUInt16BE(0, 3)
  idBytes(deliveryId).copy(key, 5)
  return key
}

/** Finds the deliveries of a profile, oldest first; lies in the profile's partition. */
export function profileDeliveryKey(profileId: ProfileId, place: DeliveryPlace): Buffer {
  return timedKey(profileDeliveryPrefix(profileId), place)
}

export function profileDeliveryPrefix(profileId: ProfileId): Buffer {
  const id = profileIdBytes(profileId)
  const key = startKey(partitionOf(profileId), Kind.deliveryOfProfile, 2 + id.length)
  key.writeUInt16BE(id.length, 3)
  id.copy(key, 5)
  return key
}

/** What both indexes hold: destination and time. */
export function placeBytes({ destinationId, createdAtMs }: DeliveryPlace): Buffer {
  const bytes = Buffer.allocUnsafe(4 + TIME_BYTES)
  bytes.writeUInt32BE(destinationId, 0)
  bytes.writeUIntBE(createdAtMs, 4, TIME_BYTES)
  return bytes
}

export function readPlace(deliveryId: DeliveryId, bytes: Buffer): DeliveryPlace {
  return {
    deliveryId,
    destinationId: bytes.readUInt32BE(0) as DestinationId,
    createdAtMs: bytes.readUIntBE(4, TIME_BYTES),
  }
}

/** The ID at the end of a key. */
export function deliveryIdOfKey(key: Buffer): DeliveryId {
  return deliveryIdOf(key.subarray(key.length - ID_BYTES))
}

export const HISTORY_PARTS: readonly HistoryPart[] = ['summary', 'head', 'body']

function historyPrefix(part: HistoryPart, destinationId: DestinationId): Buffer {
  return Buffer.concat([destinationPrefix(Kind.endedDelivery, destinationId), Buffer.of(HISTORY_PARTS.indexOf(part))])
}

function destinationPrefix(kind: number, destinationId: DestinationId): Buffer {
  const key = startKey(deliveryPartition(destinationId), kind, 4)
  key.writeUInt32BE(destinationId, 3)
  return key
}

function timedKey(prefix: Buffer, { createdAtMs, deliveryId }: DeliveryPlace): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + TIME_BYTES + ID_BYTES)
  prefix.copy(key)
  key.writeUIntBE(createdAtMs, prefix.length, TIME_BYTES)
  idBytes(deliveryId).copy(key, prefix.length + TIME_BYTES)
  return key
}

function idBytes(deliveryId: string): Buffer {
  return Buffer.from(deliveryId.slice(3), 'base64url')
}

function deliveryIdOf(bytes: Buffer): DeliveryId {
  return `dl_${bytes.toString('base64url')}` as DeliveryId
}
