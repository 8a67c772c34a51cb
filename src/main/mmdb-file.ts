import { Reader, type Response } from 'mmdb-lib'

/**
 * Reads tables in the MaxMind DB format. The format has no checksum, so a table of the operator's is looked through before
 * it is used: a pointer that leads nowhere would otherwise be found by a visitor's call.
 */
export interface MmdbFile {
  /** @param address IPv4 or IPv6; what is neither is in no table. @throws Error where the file is damaged */
  get(address: string): unknown
  readonly builtAt: Date
}

/** @throws Error saying why the bytes are no table */
export function openMmdb(bytes: Buffer): MmdbFile {
  const reader = openReader(bytes)
  return { get: (address) => reader.get(address), builtAt: reader.metadata.buildEpoch }
}

/**
 * Walks over all nodes of the search tree, some 50 ms for a million of them, so before anybody is served.
 * @returns addresses of up to `max` different records, to be tried
 * @throws Error at a pointer that leads out of the file
 */
export function checkMmdb(bytes: Buffer, max: number): readonly string[] {
  const { nodeCount, recordSize, searchTreeSize, ipVersion } = openReader(bytes).metadata
  const recordOf = recordReader(bytes, recordSize)
  const recordMax = nodeCount + bytes.length - searchTreeSize
  for (let node = 0; node < nodeCount; node++) {
    for (const side of SIDES) {
      const record = recordOf(node, side)
      if (record > nodeCount && (record < nodeCount + DATA_SEPARATOR_BYTES || record >= recordMax))
        throw new Error('is damaged: a part of its tree leads out of the file')
    }
  }
  return sampleAddresses(nodeCount, recordOf, ipVersion === 4 ? 32 : 128, max)
}

const DATA_SEPARATOR_BYTES = 16
const SIDES = [0, 1] as const
/** Nodes looked at for samples; the first records stand close together. */
const STEPS_MAX = 500_000

type RecordOf = (node: number, side: 0 | 1) => number

function openReader(bytes: Buffer): Reader<Response> {
  let reader: Reader<Response> | undefined
  try {
    reader = new Reader<Response>(bytes)
  } catch {
    // The library names the byte it stumbled over; said below for people.
  }
  const { nodeCount = 0, ipVersion, searchTreeSize = 0 } = reader?.metadata ?? {}
  const isWhole = Number.isSafeInteger(nodeCount) && nodeCount > 0 && searchTreeSize < bytes.length
  if (reader !== undefined && isWhole && (ipVersion === 4 || ipVersion === 6)) return reader
  throw new Error('is no MaxMind DB file, or not a whole one')
}

function recordReader(bytes: Buffer, recordSize: number): RecordOf {
  if (recordSize === 24) return (node, side) => bytes.readUIntBE(node * 6 + side * 3, 3)
  if (recordSize === 32) return (node, side) => bytes.readUInt32BE(node * 8 + side * 4)
  // 28 bits: the fourth byte holds the highest four of both.
  return (node, side) => {
    const at = node * 7
    const middle = bytes.readUInt8(at + 3)
    return (side === 0 ? middle >> 4 : middle & 0x0f) * 2 ** 24 + bytes.readUIntBE(at + side * 4, 3)
  }
}

/** Goes down the tree, left before right, until enough different records are found. */
function sampleAddresses(nodeCount: number, recordOf: RecordOf, bits: number, max: number): string[] {
  const found = new Map<number, string>()
  // Several networks may lead to one part of the tree.
  const isSeen = new Uint8Array(nodeCount)
  const waiting: { readonly node: number; readonly path: string }[] = [{ node: 0, path: '' }]
  for (let steps = 0; steps < STEPS_MAX && found.size < max; steps++) {
    const next = waiting.pop()
    if (next === undefined) break
    for (const side of [1, 0] as const) {
      const record = recordOf(next.node, side)
      const path = `${next.path}${side}`
      if (record < nodeCount && path.length < bits && isSeen[record] === 0) {
        isSeen[record] = 1
        waiting.push({ node: record, path })
      }
      if (record > nodeCount && !found.has(record)) found.set(record, addressOf(path.padEnd(bits, '0')))
    }
  }
  return [...found.values()]
}

/** @param bits 32 or 128 of `0` and `1` */
function addressOf(bits: string): string {
  const size = bits.length === 32 ? 8 : 16
  const groups = Array.from({ length: bits.length / size }, (_, at) =>
    Number.parseInt(bits.slice(at * size, (at + 1) * size), 2),
  )
  return size === 8 ? groups.join('.') : groups.map((group) => group.toString(16)).join(':')
}
