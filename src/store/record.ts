import { crc32 } from 'node:zlib'

/**
 * The envelope of every stored record [SEC-60]: format version (1 byte), revision (unsigned varint), body, CRC-32 of all
 * before it (4 bytes, big-endian). The version says how the body is coded, so that old records open for ever.
 */
const CHECKSUM_BYTES = 4

/** What `readRevision` answers for bytes that hold no revision: it equals no revision that was ever sealed. */
export const UNREADABLE_REVISION = -1

export class RecordCorruptError extends Error {
  readonly code = 'record_corrupt'
}

/** A sound record of a format this program does not know, written by a newer one: never set aside, never overwritten. */
export class RecordVersionError extends Error {
  readonly code = 'record_version_unknown'
}

export interface OpenedRecord {
  readonly version: number
  readonly revision: number
  readonly body: Buffer
}

/** Seals a body. @param revision 0 to 2^53 - 1 */
export function sealRecord(version: number, revision: number, body: Uint8Array): Buffer {
  let headBytes = 2
  for (let rest = revision; rest >= 0x80; rest = Math.floor(rest / 0x80)) headBytes += 1
  const end = headBytes + body.length
  const record = Buffer.allocUnsafe(end + CHECKSUM_BYTES)
  record[0] = version
  let rest = revision
  for (let at = 1; at < headBytes - 1; at++) {
    record[at] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  record[headBytes - 1] = rest
  record.set(body, headBytes)
  record.writeUInt32BE(crc32(record.subarray(0, end)), end)
  return record
}

/** @throws RecordCorruptError when the checksum does not match */
export function openRecord(record: Buffer): OpenedRecord {
  const end = record.length - CHECKSUM_BYTES
  if (end < 2 || crc32(record.subarray(0, end)) !== record.readUInt32BE(end)) {
    throw new RecordCorruptError(`a stored record of ${record.length} bytes fails its checksum`)
  }
  const { revision, bodyStart } = readRevision(record)
  return { version: record[0] as number, revision, body: record.subarray(bodyStart, end) }
}

/**
 * The revision alone, without verifying the checksum: for guards inside an engine. Damaged bytes give any number, or
 * `UNREADABLE_REVISION`; they never make it run on.
 */
export function readRevision(record: Buffer): { readonly revision: number; readonly bodyStart: number } {
  let revision = 0
  let scale = 1
  for (let at = 1; at < record.length && at <= 8; at++) {
    const byte = record[at] as number
    revision += (byte & 0x7f) * scale
    if (byte < 0x80) return { revision, bodyStart: at + 1 }
    scale *= 0x80
  }
  return { revision: UNREADABLE_REVISION, bodyStart: record.length }
}
