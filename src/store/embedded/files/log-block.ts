import { crc32c, findEnd, findWrongByte, maskCrc, unmaskCrc } from './crc32c.ts'

/** A log is cut into blocks; a record never begins in the last 6 bytes of one. */
export const BLOCK_BYTES = 32 * 1024
/** Masked CRC-32C of type and content (4), length of the content (2), type (1). */
export const HEADER_BYTES = 7
export const Part = { full: 1, first: 2, middle: 3, last: 4 } as const

/** What stands at one place of a block. */
export interface LogPart {
  readonly at: number
  readonly end: number
  readonly state: 'sound' | 'corrected' | 'lost'
  /** Of `lost` neither is known. */
  readonly type: number
  readonly content: Buffer
  /** It was found behind damage by looking for it, not by following the lengths. */
  readonly isFound: boolean
}

const NOTHING = Buffer.alloc(0)

/**
 * The parts of a block, each byte in one of them. What fails its checksum is worked out again where one byte or the length
 * is wrong; else it is lost, and the next part is where its length says, or where whole parts follow each other to the end
 * of the block.
 *
 * @param isLast nothing follows the block: a part that is cut off there is what a crash leaves behind, and is left out
 */
export function* partsOf(block: Buffer, isLast: boolean): Generator<LogPart> {
  let at = 0
  let isFound = false
  while (block.length - at >= HEADER_BYTES) {
    const part = soundPart(block, at, isFound) ?? correctedPart(block, at)
    if (part !== undefined) {
      yield part
      at = part.end
      continue
    }
    const next = nextWhole(block, at)
    if (isLast && next === undefined && isCutOff(block, at)) return
    isFound = next !== undefined && next !== lengthEnd(block, at)
    yield { at, end: next ?? block.length, state: 'lost', type: 0, content: NOTHING, isFound: false }
    at = next ?? block.length
  }
}

function lengthEnd(block: Buffer, at: number): number {
  return at + HEADER_BYTES + block.readUInt16LE(at + 4)
}

function isCutOff(block: Buffer, at: number): boolean {
  return lengthEnd(block, at) > block.length
}

function soundPart(block: Buffer, at: number, isFound: boolean): LogPart | undefined {
  const end = lengthEnd(block, at)
  const type = block[at + 6] as number
  if (end > block.length || !isPart(type)) return undefined
  if (maskCrc(crc32c(block, at + 6, end)) !== block.readUInt32LE(at)) return undefined
  return { at, end, state: 'sound', type, content: block.subarray(at + HEADER_BYTES, end), isFound }
}

/** The part as it was, where one byte of it or its length is wrong. */
function correctedPart(block: Buffer, at: number): LogPart | undefined {
  const stored = block.readUInt32LE(at)
  const crc = unmaskCrc(stored)
  const type = block[at + 6] as number
  const make = (end: number, bytes: Buffer): LogPart => {
    const content = bytes.subarray(HEADER_BYTES)
    return { at, end, state: 'corrected', type: bytes[6] as number, content, isFound: false }
  }
  if (isPart(type)) {
    const end = findEnd(block, at + 6, block.length, crc, (end) => end - at >= HEADER_BYTES && isBoundary(block, end))
    if (end !== undefined) return make(end, block.subarray(at, end))
  }
  const end = lengthEnd(block, at)
  if (end > block.length) return undefined
  const difference = (maskCrc(crc32c(block, at + 6, end)) ^ stored) >>> 0
  if (isPart(type) && [0, 8, 16, 24].some((bit) => (difference & ~(0xff << bit)) === 0))
    return make(end, block.subarray(at, end))
  const fix = findWrongByte(block, at + 6, end, crc)
  if (fix === undefined) return undefined
  const bytes = Buffer.from(block.subarray(at, end))
  bytes[fix.at - at] = (block[fix.at] as number) ^ fix.xor
  return isPart(bytes[6] as number) ? make(end, bytes) : undefined
}

function isPart(type: number): boolean {
  return type >= Part.full && type <= Part.last
}

/** Where the length of a lost part says, or else the first place from which whole parts follow each other to the end. */
function nextWhole(block: Buffer, lost: number): number | undefined {
  const stated = lengthEnd(block, lost)
  if (stated < block.length && isBoundary(block, stated)) return stated
  for (let at = lost + 1; block.length - at >= HEADER_BYTES; at++) if (isChain(block, at)) return at
  return undefined
}

function isBoundary(block: Buffer, at: number): boolean {
  return at === block.length || (block.length - at < HEADER_BYTES && block.length === BLOCK_BYTES) || isWhole(block, at)
}

function isWhole(block: Buffer, at: number): boolean {
  return block.length - at >= HEADER_BYTES && soundPart(block, at, false) !== undefined
}

function isChain(block: Buffer, start: number): boolean {
  let at = start
  while (block.length - at >= HEADER_BYTES) {
    if (!isWhole(block, at)) return false
    at = lengthEnd(block, at)
  }
  return at > start
}
