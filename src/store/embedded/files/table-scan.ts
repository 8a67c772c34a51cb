import { setImmediate as turn } from 'node:timers/promises'
import { findSealedEnd } from './crc32c.ts'
import { readEntries, TRAILER_BYTES } from './table-block.ts'
import { type IndexedBlock, isInternalKey, userKeyOf } from './table-file.ts'

/** A whole block is expected to be smaller; one that is not is lost with a damaged index. */
const BLOCK_BYTES_MAX = 2 * 1024 * 1024
/** Behind damage each place is tried: so far, for blocks of so many bytes. */
const SKIP_BYTES_MAX = 128 * 1024
const SKIPPED_TO_BYTES_MAX = 16 * 1024
const TRIES_A_TURN = 100

export interface ScannedBlock extends IndexedBlock {
  readonly firstKey: Buffer
}

/**
 * Finds the blocks of a table without its index: each ends where its checksum follows, and the next begins there.
 * @param bytes the whole file
 * @returns as an index has them, without those that are damaged
 */
export async function scanBlocks(bytes: Buffer): Promise<ScannedBlock[]> {
  const blocks: ScannedBlock[] = []
  let before: Buffer | undefined
  for (let at = 0; at < bytes.length; ) {
    await turn()
    const found = sealedAt(bytes, at, BLOCK_BYTES_MAX) ?? (await nextSealed(bytes, at + 1))
    if (found === undefined) break
    at = found.end
    // Filters and their list end as blocks do. What they hold are no records, or none that come after the others.
    const entries = readEntries(bytes.subarray(found.at, found.end)) ?? []
    const [firstKey, lastKey] = [entries[0]?.key, entries.at(-1)?.key]
    if (firstKey === undefined || lastKey === undefined || !entries.every(({ key }) => isInternalKey(key))) continue
    if (before !== undefined && Buffer.compare(userKeyOf(before), userKeyOf(firstKey)) > 0) continue
    before = lastKey
    blocks.push({ at: found.at, bytes: found.end - found.at - TRAILER_BYTES, firstKey, lastKey })
  }
  return blocks
}

function sealedAt(bytes: Buffer, at: number, bytesMax: number): { at: number; end: number } | undefined {
  const end = findSealedEnd(bytes, at, at + bytesMax)
  return end === undefined ? undefined : { at, end }
}

async function nextSealed(bytes: Buffer, from: number): Promise<{ at: number; end: number } | undefined> {
  for (let at = from; at < Math.min(from + SKIP_BYTES_MAX, bytes.length); at++) {
    if (at % TRIES_A_TURN === 0) await turn()
    // No block begins so: its first key would be empty, or it would unpack to nothing.
    if (bytes[at] === 0 && bytes[at + 1] === 0) continue
    const found = sealedAt(bytes, at, SKIPPED_TO_BYTES_MAX)
    if (found !== undefined && readEntries(bytes.subarray(found.at, found.end)) !== undefined) return found
  }
  return undefined
}
