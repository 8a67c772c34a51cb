import { NumberReader } from './varint.ts'

/**
 * What one native write put into LevelDB's log: the number of its first operation (8 bytes, little-endian), how many there
 * are (4 bytes), then each: 1, key, record, or 0, key; both with their length before them.
 */
const HEADER_BYTES = 12
const PUT = 1
const DELETE = 0

export interface Batch {
  readonly sequence: number
  readonly count: number
}

/**
 * The whole commits of a batch of which only the beginning is left. Commits are not marked in it, but each lies in one
 * partition: what stands in the partition of the last whole operation may be half of one, and is left out.
 * @returns undefined when no whole commit is left
 */
export function firstCommits(bytes: Buffer): Buffer | undefined {
  const batch = readBatch(bytes)
  if (batch === undefined) return undefined
  const ends = operationEnds(bytes)
  const last = ends.at(-1)?.partition
  const kept = ends.findLastIndex(({ partition }) => partition !== last)
  if (kept < 0 || kept >= batch.count) return undefined
  const shortened = Buffer.from(bytes.subarray(0, (ends[kept] as { end: number }).end))
  shortened.writeUInt32LE(kept + 1, 8)
  return shortened
}

/** @returns undefined when it is no batch */
export function readBatch(bytes: Buffer): Batch | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const sequence = bytes.readUInt32LE(0) + bytes.readUInt32LE(4) * 2 ** 32
  return sequence <= Number.MAX_SAFE_INTEGER ? { sequence, count: bytes.readUInt32LE(8) } : undefined
}

function operationEnds(bytes: Buffer): { readonly end: number; readonly partition: number }[] {
  const reader = new NumberReader(bytes, HEADER_BYTES)
  const ends: { end: number; partition: number }[] = []
  while (!reader.isAtEnd) {
    const type = reader.slice(1)[0]
    const key = reader.prefixed()
    if (type === PUT) reader.prefixed()
    else if (type !== DELETE) break
    if (reader.isBad || key.length < 2) break
    ends.push({ end: reader.at, partition: key.readUInt16BE(0) })
  }
  return ends
}
