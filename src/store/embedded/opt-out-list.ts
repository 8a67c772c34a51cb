import { createReadStream } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { crc32 } from 'node:zlib'
import { keyName } from '../keys.ts'
import { openRecord } from '../record.ts'
import type { StoredRecord } from '../record-store.ts'

export class OptOutListError extends Error {
  readonly code = 'opt_out_list_unreadable'

  constructor(path: string, cause: unknown) {
    const reason = (cause as Error).message
    super(
      `${path} cannot be read: ${reason}. It holds every opt-out a second time. Let this user read it; or move it away, and it is made anew`,
      { cause },
    )
  }
}

/**
 * Every opt-out a second time, in a file of its own beside the database: whoever said no stays out, whatever the device does
 * to the files of the database, and after a restore too. One line each: key, sealed record (both base64) and CRC-32 of what
 * stands before it. Keys are keyed hashes, so that it names nobody [SEC-79]. Lines are only ever added; the last of a key
 * counts.
 */
export class OptOutList {
  readonly path: string
  readonly #log: (event: string, fields: Record<string, unknown>) => void
  readonly #onUnlisted: (optOuts: number) => void
  /** What could not be written; it is with the next. */
  #unsaved: readonly StoredRecord[] = []

  /** @param onUnlisted told how many opt-outs are not in the list yet, whenever that changes */
  constructor(
    path: string,
    log: (event: string, fields: Record<string, unknown>) => void,
    onUnlisted: (optOuts: number) => void = () => {},
  ) {
    this.path = path
    this.#log = log
    this.#onUnlisted = onUnlisted
  }

  /** By the name of their key. Lines that fail their checksum are left out. @throws OptOutListError */
  async read(): Promise<{
    readonly entries: Map<string, StoredRecord>
    readonly lines: number
    readonly damaged: number
  }> {
    const entries = new Map<string, StoredRecord>()
    let [lines, damaged] = [0, 0]
    try {
      for await (const line of createInterface({ input: createReadStream(this.path, 'latin1') })) {
        if (line === '') continue
        lines += 1
        const entry = readLine(line)
        if (entry === undefined) damaged += 1
        else entries.set(keyName(entry.key), entry)
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new OptOutListError(this.path, error)
    }
    if (damaged > 0) this.#log('store.opt_out_list_damaged', { file: this.path, lines, damaged })
    return { entries, lines, damaged }
  }

  /**
   * Call it before the opt-outs are committed. Never rejects: an opt-out must not fail because its second copy does; that one
   * is made up for with the next, or at the next start.
   */
  async add(optOuts: readonly StoredRecord[], mustSync: boolean): Promise<void> {
    const all = [...this.#unsaved, ...optOuts]
    try {
      await this.#append(all, mustSync)
      if (this.#unsaved.length > 0) this.#onUnlisted(0)
      this.#unsaved = []
    } catch (error) {
      this.#unsaved = all
      this.#onUnlisted(all.length)
      this.#log('store.opt_out_list_unwritten', { file: this.path, optOuts: all.length, error: String(error) })
    }
  }

  /** Puts these in the place of all lines. */
  async rewrite(optOuts: Iterable<StoredRecord>): Promise<void> {
    const next = `${this.path}.new`
    const file = await open(next, 'w', 0o600)
    try {
      let text = ''
      for (const optOut of optOuts) {
        text += writeLine(optOut)
        if (text.length < 1_000_000) continue
        await file.writeFile(text)
        text = ''
      }
      await file.writeFile(text)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(next, this.path)
  }

  async #append(optOuts: readonly StoredRecord[], mustSync: boolean): Promise<void> {
    const file = await open(this.path, 'a', 0o600)
    try {
      // A line that broke off ends here.
      await file.appendFile(`\n${optOuts.map(writeLine).join('')}`)
      if (mustSync) await file.datasync()
    } finally {
      await file.close()
    }
  }
}

function writeLine({ key, record }: StoredRecord): string {
  const text = `${key.toString('base64')} ${record.toString('base64')}`
  return `${text} ${crc32(text).toString(16)}\n`
}

function readLine(line: string): StoredRecord | undefined {
  const [key, record, sum] = line.split(' ')
  if (key === undefined || record === undefined || crc32(`${key} ${record}`).toString(16) !== sum) return undefined
  return { key: Buffer.from(key, 'base64'), record: Buffer.from(record, 'base64') }
}

/** Whether the first was written after the second, or can be opened in place of it. */
export function isNewerRecord(record: Buffer, other: Buffer | undefined): boolean {
  const [revision, otherRevision] = [revisionOf(record), revisionOf(other)]
  return revision !== undefined && (otherRevision === undefined || revision > otherRevision)
}

function revisionOf(record: Buffer | undefined): number | undefined {
  try {
    return record === undefined ? undefined : openRecord(record).revision
  } catch {
    return undefined
  }
}
