import { crc32 } from 'node:zlib'

/**
 * The envelope of every stored record [SEC-60]: format version (1 byte), revision (unsigned varint), body, CRC-32 of all
 * before it (4 bytes, big-endian). The version says how the body is coded, so that old records open for ever.
 */
const CHECKSUM_BYTES = 4

export class RecordCorruptError extends Error {
  readonly code = 'record_corrupt'
}

export interface OpenedRecord {
  readonly version: number
  readonly revision: number
  readonly body: Buffer
}

/** Seals a body. @param revision 0 to 2^53 - 1 */
export function sealRecord(version: number, revision: number, body: Uint8Array): Buffer {
  const head: number[] = [version]
  let rest = revision
  while (rest >= 0x80) {
    head.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  head.push(rest)
  const record = Buffer.allocUnsafe(head.length + body.length + CHECKSUM_BYTES)
  for (let i = 0; i < head.length; i++) record[i] = head[i] as number
  record.set(body, head.length)
  const end = head.length + body.length
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

/** The revision alone, without verifying the checksum: for guards inside an engine. */
export function readRevision(record: Buffer): { readonly revision: number; readonly bodyStart: number } {
  let revision = 0
  let scale = 1
  let at = 1
  for (;;) {
    const byte = record[at++] as number
    revision += (byte & 0x7f) * scale
    if (byte < 0x80) return { revision, bodyStart: at }
    scale *= 0x80
  }
}
