import { BackupRefusedError } from './sealed-stream.ts'

/** What is in a backup; the numbers are stored, never change one. */
export const EntryKind = {
  /** Key and sealed bytes of a record. */
  record: 1,
  /** Name and content of a file of the data directory. */
  file: 2,
  /** The next bytes of the catalogue's file; without a key. */
  catalogue: 3,
} as const
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind]

export interface BackupEntry {
  readonly kind: EntryKind
  readonly key: Buffer
  readonly value: Buffer
}

const HEAD_BYTES = 7
/** Of a chunk; one entry may go beyond it. */
const CHUNK_BYTES = 64 * 1024
const NAMES = new Set<number>(Object.values(EntryKind))

/** Puts entries together: kind (1 byte), length of the key (2) and the value (4), key, value. A chunk holds whole ones. */
export async function* packEntries(entries: AsyncIterable<BackupEntry>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const { kind, key, value } of entries) {
    const head = Buffer.allocUnsafe(HEAD_BYTES)
    head[0] = kind
    head.writeUInt16BE(key.length, 1)
    head.writeUInt32BE(value.length, 3)
    parts.push(head, key, value)
    bytes += HEAD_BYTES + key.length + value.length
    if (bytes < CHUNK_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(parts)
}

/** @throws BackupRefusedError at something a newer version put there */
export function unpackEntries(chunk: Buffer): BackupEntry[] {
  const entries: BackupEntry[] = []
  for (let at = 0; at < chunk.length; ) {
    const kind = chunk[at] as EntryKind
    if (!NAMES.has(kind)) throw new BackupRefusedError(`the backup holds something this Usher does not know (${kind})`)
    const keyEnd = at + HEAD_BYTES + chunk.readUInt16BE(at + 1)
    const end = keyEnd + chunk.readUInt32BE(at + 3)
    entries.push({ kind, key: chunk.subarray(at + HEAD_BYTES, keyEnd), value: chunk.subarray(keyEnd, end) })
    at = end
  }
  return entries
}
