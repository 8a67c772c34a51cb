import { type DestinationId, type EventId, type ProfileId, parseProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import { DEVICE_BYTES, packDevice, unpackDevice } from './packed-device.ts'
import { packId, unpackId } from './packed-id.ts'
import { Kind } from './record-kinds.ts'

/** Starts a key: partition, kind, then `restBytes` for the caller to fill from offset 3 on. */
export function startKey(partition: number, kind: number, restBytes: number): Buffer {
  const key = Buffer.allocUnsafe(3 + restBytes)
  key[0] = partition >>> 8
  key[1] = partition & 0xff
  key[2] = kind
  return key
}

/** Lower and upper bound of all records of a kind in a partition. */
export function kindRange(partition: number, kind: number): { readonly from: Buffer; readonly to: Buffer } {
  return { from: startKey(partition, kind, 0), to: startKey(partition, kind + 1, 0) }
}

/** A key as the name it has in maps: one character a byte. */
export function keyName(key: Buffer): string {
  return key.toString('latin1')
}

export function partitionOfKey(key: Buffer): number {
  return ((key[0] as number) << 8) | (key[1] as number)
}

/** The smallest key after this one. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)])
}

/** The smallest key after every key that begins with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  const next = Buffer.from(prefix)
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i] !== 0xff) {
      next[i] = (next[i] as number) + 1
      return next.subarray(0, i + 1)
    }
  }
  throw new RangeError('no key follows a prefix of 0xff bytes')
}

/** Stands where a declared ID has its `IdForm`, which begins at 1. */
const DEVICE = 0

/**
 * Bytes of a profile ID inside keys: 0 and 16 bytes (`packed-device.ts`); or the form of the id (`packed-id.ts`), data source
 * (4 bytes) and the packed id.
 */
export function profileIdBytes(profileId: ProfileId): Buffer {
  if (profileId.charCodeAt(0) === 0x64 && profileId.charCodeAt(1) === 0x3a) {
    const bytes = Buffer.allocUnsafe(1 + DEVICE_BYTES)
    bytes[0] = DEVICE
    packDevice(profileId, 2, bytes, 1)
    return bytes
  }
  const parsed = parseProfileId(profileId)
  if (parsed?.kind !== 'declared') throw new TypeError(`not a profile ID: ${profileId.slice(0, 20)}`)
  const id = packId(parsed.id)
  const bytes = Buffer.allocUnsafe(5 + id.bytes.length)
  bytes[0] = id.form
  bytes.writeUInt32BE(parsed.dataSourceId, 1)
  id.bytes.copy(bytes, 5)
  return bytes
}

export function readProfileId(bytes: Buffer): ProfileId {
  if (bytes[0] === DEVICE) return `d:${unpackDevice(bytes, 1)}` as ProfileId
  return `${bytes.readUInt32BE(1)}:${unpackId(bytes[0] as number, bytes.subarray(5))}` as ProfileId
}

export function profileKey(profileId: ProfileId): Buffer {
  return withId(partitionOf(profileId), Kind.profile, profileId)
}

/** The profile whose key this is. */
export function readProfileKey(key: Buffer): ProfileId {
  return readProfileId(key.subarray(3))
}

/** @param dueMs whole seconds, up to `KEPT_MS_MAX`; entries sort by it */
export function dueKey(profileId: ProfileId, dueMs: number): Buffer {
  return besideProfile(profileKey(profileId), Kind.due, Math.floor(dueMs / 1000))
}

/** The key of a record that starts with a number and lies beside a profile: its due entry, an outbox marker. */
export function besideProfile(profile: Buffer, kind: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(profile.length + 4)
  key[0] = profile[0] as number
  key[1] = profile[1] as number
  key[2] = kind
  key.writeUInt32BE(number, 3)
  profile.copy(key, 7, 3)
  return key
}

export function readDueKey(key: Buffer): { readonly dueMs: number; readonly profileId: ProfileId } {
  return { dueMs: key.readUInt32BE(3) * 1000, profileId: readProfileId(key.subarray(7)) }
}

/**
 * Whether a key says the same when it is read and written again: its profile belongs to its partition. Bytes of a key that
 * changed on the device say something else, and no checksum of a record covers them. Other kinds name no profile.
 */
export function isSoundKey(key: Buffer): boolean {
  try {
    if (key[2] === Kind.profile) return profileKey(readProfileKey(key)).equals(key)
    if (key[2] !== Kind.due && key[2] !== Kind.outbox) return true
    return besideProfile(profileKey(readProfileId(key.subarray(7))), key[2], key.readUInt32BE(3)).equals(key)
  } catch {
    return false
  }
}

/** An outbox marker: (profile, destination). Lies in the profile's partition, sorted by destination. */
export function outboxKey(profileId: ProfileId, destinationId: DestinationId): Buffer {
  return besideProfile(profileKey(profileId), Kind.outbox, destinationId)
}

/** How the keys of all markers of a destination begin, behind their kind. */
export function outboxPrefix(destinationId: DestinationId): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(destinationId)
  return prefix
}

export function readOutboxKey(key: Buffer): { readonly destinationId: DestinationId; readonly profileId: ProfileId } {
  return { destinationId: key.readUInt32BE(3) as DestinationId, profileId: readProfileId(key.subarray(7)) }
}

/** What a destination was told of a profile; all of a profile's stand together. */
export function toldKey(profileId: ProfileId, destinationId: DestinationId): Buffer {
  const prefix = toldPrefix(profileId)
  const key = Buffer.allocUnsafe(prefix.length + 4)
  prefix.copy(key)
  key.writeUInt32BE(destinationId, prefix.length)
  return key
}

export function toldPrefix(profileId: ProfileId): Buffer {
  const id = profileIdBytes(profileId)
  const key = startKey(partitionOf(profileId), Kind.told, 2 + id.length)
  key.writeUInt16BE(id.length, 3)
  id.copy(key, 5)
  return key
}

/** A follow-up lies in the partition of the commit that made it. */
export function followUpKey(partition: number, eventId: EventId, index: number): Buffer {
  const id = Buffer.from(eventId, 'base64')
  const key = startKey(partition, Kind.followUp, id.length + 2)
  id.copy(key, 3)
  key.writeUInt16BE(index, 3 + id.length)
  return key
}

function withId(partition: number, kind: number, profileId: ProfileId): Buffer {
  const id = profileIdBytes(profileId)
  const key = startKey(partition, kind, id.length)
  id.copy(key, 3)
  return key
}
