import { open } from 'node:fs/promises'
import { crc32c, maskCrc } from './crc32c.ts'
import { BLOCK_BYTES, HEADER_BYTES, Part, partsOf } from './log-block.ts'

/** One write of LevelDB's log, or one change in its list of tables (a MANIFEST, which has the same form). */
export interface LogRecord {
  readonly kind: 'record'
  readonly at: number
  readonly content: Buffer
  /** It was found behind damage by looking for it, so that its number must be asked for as well. */
  readonly isFound: boolean
}

/** Damaged bytes. A crash while writing leaves no damage but a record that breaks off at the end, which is none. */
export interface LogDamage {
  readonly kind: 'damage'
  readonly at: number
  readonly bytes: number
  /** False: the checksum told which byte was wrong, and the record is there. */
  readonly isLost: boolean
  /** What is left of a record whose end is lost. */
  readonly beginning?: Buffer
}

/** Read at a time, so that the main thread is let go after each: 1 MiB takes some 3 ms. */
const READ_BYTES = 32 * BLOCK_BYTES

/** The records of a log in their order, and what is damaged between them. @throws what reading a file throws */
export async function* readLog(path: string): AsyncGenerator<LogRecord | LogDamage> {
  const assembly = new Assembly()
  const file = await open(path, 'r')
  try {
    const chunk = Buffer.alloc(READ_BYTES)
    // A block is looked at when it is known whether another one follows.
    let waiting: { readonly block: Buffer; readonly at: number } | undefined
    for (let at = 0; ; at += READ_BYTES) {
      const bytes = await readFully(file, chunk, at)
      for (let start = 0; start < bytes; start += BLOCK_BYTES) {
        if (waiting !== undefined) yield* assembly.block(waiting.block, waiting.at, false)
        waiting = {
          block: Buffer.from(chunk.subarray(start, Math.min(start + BLOCK_BYTES, bytes))),
          at: at + start,
        }
      }
      if (bytes < READ_BYTES) break
    }
    if (waiting !== undefined) yield* assembly.block(waiting.block, waiting.at, true)
    yield* assembly.end()
  } finally {
    await file.close()
  }
}

async function readFully(file: Awaited<ReturnType<typeof open>>, chunk: Buffer, at: number): Promise<number> {
  let filled = 0
  while (filled < chunk.length) {
    const { bytesRead } = await file.read(chunk, filled, chunk.length - filled, at + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** Puts parts together to records, and what is lost to as few reports as possible. */
class Assembly {
  #parts: Buffer[] = []
  #at = 0
  #isFound = false
  #lost: { at: number; end: number; beginning: Buffer | undefined } | undefined;

  *block(block: Buffer, blockAt: number, isLast: boolean): Generator<LogRecord | LogDamage> {
    for (const part of partsOf(block, isLast)) {
      const [at, end] = [blockAt + part.at, blockAt + part.end]
      if (part.state === 'corrected') yield { kind: 'damage', at, bytes: end - at, isLost: false }
      const isStart = part.type === Part.full || part.type === Part.first
      const isWanted = isStart ? this.#parts.length === 0 : this.#parts.length > 0
      if (part.state === 'lost' || !isWanted) this.#lose(at, isStart ? at : end)
      if (part.state === 'lost' || (!isStart && !isWanted)) continue
      if (isStart) {
        yield* this.#reported()
        this.#at = at
        this.#isFound = part.isFound
      }
      this.#parts.push(part.content)
      if (part.type !== Part.full && part.type !== Part.last) continue
      const content = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
      this.#parts = []
      yield { kind: 'record', at: this.#at, content, isFound: this.#isFound }
    }
  }

  *end(): Generator<LogDamage> {
    yield* this.#reported()
  }

  /** What was begun is lost with it. */
  #lose(at: number, end: number): void {
    const isBegun = this.#parts.length > 0
    this.#lost ??= {
      at: isBegun ? this.#at : at,
      end,
      beginning: isBegun ? Buffer.concat(this.#parts) : undefined,
    }
    this.#lost.end = Math.max(this.#lost.end, end)
    this.#parts = []
  }

  *#reported(): Generator<LogDamage> {
    if (this.#lost === undefined) return
    const { at, end, beginning } = this.#lost
    this.#lost = undefined
    yield { kind: 'damage', at, bytes: end - at, isLost: true, ...(beginning !== undefined && { beginning }) }
  }
}

/** The bytes of a log that holds these records. */
export function* writeLog(records: Iterable<Buffer>): Generator<Buffer> {
  let room = BLOCK_BYTES
  for (const record of records) {
    for (let from = 0, isFirst = true; isFirst || from < record.length; isFirst = false) {
      if (room < HEADER_BYTES) {
        yield Buffer.alloc(room)
        room = BLOCK_BYTES
      }
      const to = Math.min(record.length, from + room - HEADER_BYTES)
      const isEnd = to === record.length
      const type = isFirst ? (isEnd ? Part.full : Part.first) : isEnd ? Part.last : Part.middle
      const part = Buffer.concat([Buffer.alloc(HEADER_BYTES), record.subarray(from, to)])
      part.writeUInt16LE(to - from, 4)
      part[6] = type
      part.writeUInt32LE(maskCrc(crc32c(part, 6)), 0)
      yield part
      room -= part.length
      from = to
    }
  }
}
