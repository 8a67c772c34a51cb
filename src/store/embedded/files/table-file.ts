import type { FileHandle } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import {
  correctedBlock,
  type Handle,
  handleBytes,
  isSoundBlock,
  readEntries,
  readHandle,
  TRAILER_BYTES,
} from './table-block.ts'
import { NumberReader } from './varint.ts'

/** The last bytes of a table: where the list of filters and the index lie, filled up with zeros, and a fixed word. */
export const FOOTER_BYTES = 48
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
/** Blocks read at a time: 1 MiB takes some 3 ms of the main thread. */
const READ_BYTES = 1024 * 1024
const DEEP_BLOCKS_A_TURN = 64

/** A block of records, and the key at or before which it ends. */
export interface IndexedBlock extends Handle {
  readonly lastKey: Buffer
}

/** What a table says about itself. Each part is undefined when it is damaged. */
export interface TableFrame {
  readonly index: readonly IndexedBlock[] | undefined
  /** Where the list of filters lies; undefined when it, or the filter it names, is damaged. */
  readonly filters: Handle | undefined
}

export interface BadBlock {
  readonly block: IndexedBlock
  /** What it was, where one wrong byte is to blame. */
  readonly corrected: Buffer | undefined
}

/**
 * Reads what a table needs to be read at all: a damaged filter would hide records without a word, and LevelDB takes what
 * a damaged index says for sizes of memory.
 * @param bytes size of the table as the list of tables has it; what was added behind it by a repair is found by its footer
 */
export async function readFrame(file: FileHandle, bytes: number): Promise<TableFrame> {
  const footer = await readAt(file, bytes - FOOTER_BYTES, FOOTER_BYTES)
  if (footer === undefined || !footer.subarray(-8).equals(MAGIC)) return { index: undefined, filters: undefined }
  const reader = new NumberReader(footer)
  const filters = { at: reader.varint(), bytes: reader.varint() }
  const stored = await readBlock(file, { at: reader.varint(), bytes: reader.varint() })
  const areFiltersSound = !reader.isBad && (await areSound(file, filters))
  return {
    index: stored === undefined ? undefined : readIndex(stored),
    filters: areFiltersSound ? filters : undefined,
  }
}

/** The last 48 bytes of a table. */
export function footerBytes(filters: Handle, index: Handle): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES)
  Buffer.concat([handleBytes(filters), handleBytes(index)]).copy(footer)
  MAGIC.copy(footer, FOOTER_BYTES - MAGIC.length)
  return footer
}

function readIndex(stored: Buffer): IndexedBlock[] | undefined {
  const entries = readEntries(stored)
  if (entries === undefined) return undefined
  // None at all: what a repair leaves of a table in which nothing was readable.
  const blocks: IndexedBlock[] = []
  for (const { key, value } of entries) {
    const handle = readHandle(value)
    if (handle === undefined) return undefined
    blocks.push({ ...handle, lastKey: key })
  }
  return blocks
}

async function areSound(file: FileHandle, filters: Handle): Promise<boolean> {
  const stored = await readBlock(file, filters)
  const entries = stored === undefined ? undefined : readEntries(stored)
  if (entries === undefined) return false
  for (const { value } of entries) {
    const handle = readHandle(value)
    if (handle === undefined || (await readBlock(file, handle)) === undefined) return false
  }
  return true
}

/** The blocks of a table that are damaged. @param isDeep also looks for what has a right checksum and makes no sense */
export async function findBadBlocks(
  file: FileHandle,
  index: readonly IndexedBlock[],
  isDeep: boolean,
): Promise<BadBlock[]> {
  const bad: BadBlock[] = []
  for (let from = 0; from < index.length; ) {
    const first = index[from] as IndexedBlock
    let to = from + 1
    while (to < index.length && isWithin(first, index[to] as IndexedBlock)) to += 1
    const end = endOf(index[to - 1] as IndexedBlock)
    const bytes = await readAt(file, first.at, end - first.at)
    for (let i = from; i < to; i++) {
      const block = index[i] as IndexedBlock
      // To unpack takes longer than to sum up.
      if (isDeep && i % DEEP_BLOCKS_A_TURN === 0) await turn()
      // What cannot be read together is asked for one by one: a part of the device may be unreadable.
      const stored =
        bytes?.subarray(block.at - first.at, endOf(block) - first.at) ??
        (await readAt(file, block.at, endOf(block) - block.at))
      if (stored === undefined) bad.push({ block, corrected: undefined })
      else if (!isSoundBlock(stored)) bad.push({ block, corrected: correctedBlock(stored) })
      else if (isDeep && !areRecords(stored)) bad.push({ block, corrected: undefined })
    }
    from = to
  }
  return bad
}

function isWithin(first: Handle, next: Handle): boolean {
  return next.at >= first.at && endOf(next) - first.at <= READ_BYTES
}

function areRecords(stored: Buffer): boolean {
  const entries = readEntries(stored)
  return entries !== undefined && entries.length > 0 && entries.every(({ key }) => isInternalKey(key))
}

/** A key inside LevelDB: that of the store, then whether it is put or deleted (1 byte) and its number (7). */
export function isInternalKey(key: Buffer): boolean {
  return key.length >= 8 && (key[key.length - 8] as number) <= 1
}

export function userKeyOf(key: Buffer): Buffer {
  return key.subarray(0, -8)
}

export function endOf({ at, bytes }: Handle): number {
  return at + bytes + TRAILER_BYTES
}

/** A block with its trailer; undefined when it is damaged. */
async function readBlock(file: FileHandle, handle: Handle): Promise<Buffer | undefined> {
  const { size } = await file.stat()
  if (endOf(handle) > size) return undefined
  const stored = await readAt(file, handle.at, handle.bytes + TRAILER_BYTES)
  return stored !== undefined && isSoundBlock(stored) ? stored : undefined
}

/** Exactly so many bytes; undefined when they are not there or the device cannot read them. */
export async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer | undefined> {
  if (at < 0 || bytes <= 0 || bytes > 2 ** 31 - 1) return undefined
  const buffer = Buffer.alloc(bytes)
  let filled = 0
  while (filled < bytes) {
    const read = await file.read(buffer, filled, bytes - filled, at + filled).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EIO') return { bytesRead: 0 }
      throw error
    })
    if (read.bytesRead === 0) return undefined
    filled += read.bytesRead
  }
  return buffer
}
