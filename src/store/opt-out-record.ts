import { hash } from 'node:crypto'
import type { ProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { startKey } from './keys.ts'
import type { OptOut } from './profile-store.ts'
import { openRecord, RecordCorruptError, readRevision, sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'

const VERSION = 1
const HASH_BYTES = 16
const RECENT_MAX = 256
const LEVELS = ['global', 'partner'] as const
const REASONS = ['request', 'consent'] as const

const writer = new ByteWriter()
const reader = new ByteReader()

/**
 * Makes the keys of opt-outs: the first 16 bytes of SHA-256(secret || profile ID), so that a record outlives its profile
 * without naming it [SEC-79]. It lies in the partition of the profile, where a commit of that can demand that there is none.
 */
export function optOutKeys(secret: Buffer): (profileId: ProfileId) => Buffer {
  let message = Buffer.concat([secret, Buffer.alloc(256)])
  // A call names the same opt-out twice: it asks for it, and its commit demands that there is none.
  const recent = new Map<ProfileId, Buffer>()
  return (profileId) => {
    const known = recent.get(profileId)
    if (known !== undefined) return known
    const bytesMax = secret.length + profileId.length * 3
    if (bytesMax > message.length) message = Buffer.concat([secret, Buffer.alloc(bytesMax)])
    const end = secret.length + message.write(profileId, secret.length, 'utf8')
    // As text of one character a byte: cheaper than a buffer of its own.
    const digest = hash('sha256', message.subarray(0, end), 'binary')
    const key = startKey(partitionOf(profileId), Kind.optOut, HASH_BYTES)
    key.write(digest, 3, HASH_BYTES, 'latin1')
    if (recent.size >= RECENT_MAX) recent.clear()
    recent.set(profileId, key)
    return key
  }
}

export function sealOptOut(optOut: OptOut, revision: number): Buffer {
  writer.start()
  writer.varint(LEVELS.indexOf(optOut.level))
  writer.varint(REASONS.indexOf(optOut.reason))
  writer.varint(Math.floor(optOut.atMs / 1000))
  return sealRecord(VERSION, revision, writer.written())
}

export interface OpenedOptOut {
  readonly optOut: OptOut
  readonly revision: number
  readonly isDamaged: boolean
}

/**
 * A damaged record reads as the widest opt-out: that there was one is certain from its key, and forgetting it would
 * follow somebody who said no.
 */
export function openOptOut(record: Buffer): OpenedOptOut {
  try {
    const { revision, body } = openRecord(record)
    reader.start(body)
    const level = LEVELS[reader.varint()]
    const reason = REASONS[reader.varint()]
    if (level === undefined || reason === undefined) throw new RecordCorruptError('an opt-out of an unknown form')
    return { optOut: { level, reason, atMs: reader.varint() * 1000 }, revision, isDamaged: false }
  } catch (error) {
    if (!(error instanceof RecordCorruptError)) throw error
    return {
      optOut: { level: 'global', reason: 'request', atMs: 0 },
      revision: readRevision(record).revision,
      isDamaged: true,
    }
  }
}
