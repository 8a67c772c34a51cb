import { crc32c, findWrongByte, maskCrc, unmaskCrc } from './crc32c.ts'
import { unpackSnappy } from './snappy.ts'
import { NumberReader, varintBytes } from './varint.ts'

/** After each block: how it is packed (1 byte), masked CRC-32C of both (4). */
export const TRAILER_BYTES = 5
const PLAIN = 0
const SNAPPY = 1
/** What one block may unpack to; beyond it the length is damage. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024

/** Where a block lies in its file, without its trailer. */
export interface Handle {
  readonly at: number
  readonly bytes: number
}

export interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/** @param stored a block with its trailer */
export function isSoundBlock(stored: Buffer): boolean {
  const end = stored.length - TRAILER_BYTES + 1
  return end > 0 && maskCrc(crc32c(stored, 0, end)) === stored.readUInt32LE(end)
}

/** The block as it was, where one flipped bit of it is to blame. @param stored a block with its trailer */
export function correctedBlock(stored: Buffer): Buffer | undefined {
  const end = stored.length - TRAILER_BYTES + 1
  const corrected = Buffer.from(stored)
  const fix = findWrongByte(stored, 0, end, unmaskCrc(stored.readUInt32LE(end)))
  if (fix !== undefined) corrected[fix.at] = (stored[fix.at] as number) ^ fix.xor
  // Or the checksum itself; what it says must then be told apart by its content.
  else corrected.writeUInt32LE(maskCrc(crc32c(stored, 0, end)), end)
  const changed = (stored.readUInt32LE(end) ^ corrected.readUInt32LE(end)) >>> 0
  const isOneByte = [0, 8, 16, 24].some((bit) => (changed & ~(0xff << bit)) === 0)
  return isOneByte && readEntries(corrected) !== undefined ? corrected : undefined
}

/** @returns undefined when the content is not the entries of a block in the form that LevelDB writes */
export function readEntries(stored: Buffer): readonly Entry[] | undefined {
  const text = unpack(stored)
  if (text === undefined || text.length < 4) return undefined
  const restarts = text.readUInt32LE(text.length - 4)
  const end = text.length - 4 - restarts * 4
  if (restarts === 0 || end < 0) return undefined
  const reader = new NumberReader(text.subarray(0, end))
  const entries: Entry[] = []
  let key: Buffer = Buffer.alloc(0)
  while (!reader.isAtEnd) {
    const shared = reader.varint()
    const rest = reader.varint()
    const valueBytes = reader.varint()
    if (shared > key.length) return undefined
    const suffix = reader.slice(rest)
    key = shared === 0 ? suffix : Buffer.concat([key.subarray(0, shared), suffix])
    entries.push({ key, value: reader.slice(valueBytes) })
    if (reader.isBad) return undefined
  }
  return entries
}

function unpack(stored: Buffer): Buffer | undefined {
  const content = stored.subarray(0, stored.length - TRAILER_BYTES)
  const packing = stored[stored.length - TRAILER_BYTES]
  if (packing === PLAIN) return content
  return packing === SNAPPY ? unpackSnappy(content, UNPACKED_BYTES_MAX) : undefined
}

/** A block with its trailer, not packed, in which every key stands in full: the form of an index. */
export function writeBlock(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const restarts: number[] = []
  let at = 0
  for (const { key, value } of entries) {
    restarts.push(at)
    const entry = Buffer.concat([varintBytes(0), varintBytes(key.length), varintBytes(value.length), key, value])
    parts.push(entry)
    at += entry.length
  }
  if (restarts.length === 0) restarts.push(0)
  const tail = Buffer.alloc(4 * (restarts.length + 1) + TRAILER_BYTES)
  for (const [i, restart] of restarts.entries()) tail.writeUInt32LE(restart, i * 4)
  tail.writeUInt32LE(restarts.length, restarts.length * 4)
  const block = Buffer.concat([...parts, tail])
  block[block.length - TRAILER_BYTES] = PLAIN
  block.writeUInt32LE(maskCrc(crc32c(block, 0, block.length - 4)), block.length - 4)
  return block
}

export function readHandle(bytes: Buffer): Handle | undefined {
  const reader = new NumberReader(bytes)
  const handle = { at: reader.varint(), bytes: reader.varint() }
  return reader.isBad ? undefined : handle
}

export function handleBytes({ at, bytes }: Handle): Buffer {
  return Buffer.concat([varintBytes(at), varintBytes(bytes)])
}
