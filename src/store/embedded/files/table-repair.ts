import { type FileHandle, open } from 'node:fs/promises'
import { type Handle, handleBytes, TRAILER_BYTES, writeBlock } from './table-block.ts'
import {
  type BadBlock,
  endOf,
  FOOTER_BYTES,
  findBadBlocks,
  footerBytes,
  type IndexedBlock,
  readAt,
  readFrame,
  type TableFrame,
  userKeyOf,
} from './table-file.ts'
import type { ListedTable } from './table-list.ts'
import { type ScannedBlock, scanBlocks } from './table-scan.ts'

/** Keys of the store in which something is lost. */
export interface LostRange {
  /** What stands before it; undefined: nothing does. */
  readonly after: Buffer | undefined
  /** The last that may be lost. */
  readonly upTo: Buffer
}

export interface TableDamage {
  /** Damaged places: blocks of records, the index, the filters. */
  readonly places: number
  readonly bytes: number
  readonly lost: readonly LostRange[]
}

/**
 * `frame`: what must be sound to read a table at all; `whole`: the checksum of every block, in slices of some 3 ms; `deep`:
 * also what a right checksum stands for, which takes several times as long.
 */
export type TableDepth = 'frame' | 'whole' | 'deep'

type Listed = Pick<ListedTable, 'bytes' | 'largest'>

const COPY_BYTES = 1024 * 1024
const SECTOR_BYTES = 4096

/**
 * Whether a table can be read, and what of it is damaged; changes nothing.
 * @returns undefined when nothing is damaged
 */
export async function checkTable(path: string, table: Listed, depth: TableDepth): Promise<TableDamage | undefined> {
  return withFile(path, async (file) => {
    const frame = await readFrame(file, table.bytes)
    if (frame.index === undefined) return (await lookWithoutIndex(file, table)).damage
    const bad = depth === 'frame' ? [] : await findBadBlocks(file, frame.index, depth === 'deep')
    return damageOf(frame.index, frame, bad)
  })
}

/**
 * Writes a copy of a table that LevelDB can read in full: what is damaged and cannot be worked out again is left out of its
 * index. Every sound block stays where it is, so that its filter holds, and the size that the list of tables knows stays
 * right: the new index comes behind it, named by the footer at the old place (and by one more at the end of the file, where
 * a rebuilding of the list looks).
 *
 * @param to where the copy goes
 * @returns undefined when nothing is damaged; nothing is written then
 */
export async function repairTable(path: string, table: Listed, to: string): Promise<TableDamage | undefined> {
  return withFile(path, async (file) => {
    const frame = await readFrame(file, table.bytes)
    if (frame.index === undefined) {
      const { all, blocks, damage } = await lookWithoutIndex(file, table)
      await write(to, withIndex(all, table.bytes, blocks, frame.filters))
      return damage
    }
    const bad = await findBadBlocks(file, frame.index, true)
    const damage = damageOf(frame.index, frame, bad)
    if (damage === undefined) return undefined
    const copy = await readAll(file, table.bytes)
    for (const { block, corrected } of bad) corrected?.copy(copy, block.at)
    const isFrameKept = damage.lost.length === 0 && frame.filters !== undefined
    const lost = lostOf(bad)
    const kept = frame.index.filter((block) => !lost.has(block))
    await write(to, isFrameKept ? [copy] : withIndex(copy, table.bytes, kept, frame.filters))
    return damage
  })
}

async function withFile<Value>(path: string, use: (file: FileHandle) => Promise<Value>): Promise<Value> {
  const file = await open(path, 'r')
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

function lostOf(bad: readonly BadBlock[]): ReadonlySet<IndexedBlock> {
  return new Set(bad.filter(({ corrected }) => corrected === undefined).map(({ block }) => block))
}

function damageOf(
  index: readonly IndexedBlock[],
  frame: TableFrame,
  bad: readonly BadBlock[],
): TableDamage | undefined {
  const places = bad.length + (frame.filters === undefined ? 1 : 0)
  if (places === 0) return undefined
  const lostBlocks = lostOf(bad)
  const lost = index.flatMap((block, i): LostRange[] => {
    const before = index[i - 1]
    const after = before === undefined ? undefined : userKeyOf(before.lastKey)
    return lostBlocks.has(block) ? [{ after, upTo: userKeyOf(block.lastKey) }] : []
  })
  return { places, bytes: bad.reduce((sum, { block }) => sum + block.bytes, 0), lost }
}

async function lookWithoutIndex(
  file: FileHandle,
  table: Listed,
): Promise<{ all: Buffer; blocks: ScannedBlock[]; damage: TableDamage }> {
  const all = await readAll(file, table.bytes)
  const { size } = await file.stat()
  const blocks = await scanBlocks(all.subarray(0, size))
  const lost: LostRange[] = []
  let after: Buffer | undefined
  let end = 0
  let lostBytes = 0
  for (const block of blocks) {
    if (block.at > end) {
      lost.push({ after, upTo: userKeyOf(block.firstKey) })
      lostBytes += block.at - end
    }
    after = userKeyOf(block.lastKey)
    end = endOf(block)
  }
  if (after === undefined || Buffer.compare(after, table.largest) < 0) {
    lost.push({ after, upTo: table.largest })
    lostBytes += Math.max(0, table.bytes - end)
  }
  return { all, blocks, damage: { places: lost.length + 1, bytes: lostBytes, lost } }
}

/** The whole file, zeros where the device cannot read it or it was cut off. */
async function readAll(file: FileHandle, bytesMin: number): Promise<Buffer> {
  const { size } = await file.stat()
  const all = Buffer.alloc(Math.max(size, bytesMin))
  for (let at = 0; at < size; at += COPY_BYTES) {
    const end = Math.min(at + COPY_BYTES, size)
    const chunk = await readAt(file, at, end - at)
    chunk?.copy(all, at)
    for (let sector = at; chunk === undefined && sector < end; sector += SECTOR_BYTES)
      (await readAt(file, sector, Math.min(SECTOR_BYTES, end - sector)))?.copy(all, sector)
  }
  return all
}

function withIndex(
  bytes: Buffer,
  listedBytes: number,
  blocks: readonly IndexedBlock[],
  filters: Handle | undefined,
): Buffer[] {
  const list = filters === undefined ? writeBlock([]) : Buffer.alloc(0)
  const index = writeBlock(blocks.map((block) => ({ key: block.lastKey, value: handleBytes(block) })))
  const footer = footerBytes(filters ?? { at: bytes.length, bytes: list.length - TRAILER_BYTES }, {
    at: bytes.length + list.length,
    bytes: index.length - TRAILER_BYTES,
  })
  footer.copy(bytes, listedBytes - FOOTER_BYTES)
  return [bytes, list, index, footer]
}

async function write(path: string, parts: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    for (const part of parts) await file.writeFile(part)
    await file.datasync()
  } finally {
    await file.close()
  }
}
