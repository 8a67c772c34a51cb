import { type FileHandle, open, realpath, rename, stat } from 'node:fs/promises'
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

/** What lies where the list should is none, or the list of another installation. Nothing in it was changed. */
export class OptOutListForeignError extends Error {
  readonly code = 'opt_out_list_foreign'
}

export interface OptOutListOptions {
  readonly log?: ((event: string, fields: Record<string, unknown>) => void) | undefined
  /** Told how many opt-outs are not in the list yet, whenever that changes. */
  readonly onUnlisted?: ((optOuts: number) => void) | undefined
  /**
   * Known again by the list whose lines were hashed with one key: it stands in the first line. Undefined: no list is judged by
   * it, and none is begun with it.
   */
  readonly keyCheck?: string | undefined
}

export interface ReadOptOutList extends SeenOptOutList {
  /** By the name of their key. */
  readonly entries: Map<string, StoredRecord>
}

export interface SeenOptOutList {
  readonly lines: number
  /** Lines that fail their checksum and are left out: not the last one if it only broke off, as nobody was told of it. */
  readonly damaged: number
  readonly damagedBytes: number
  /** The last line broke off. */
  readonly isTorn: boolean
  /** Whose list the first line says it is. */
  readonly owner: 'us' | 'others' | 'unknown'
}

/**
 * Every opt-out a second time, in a file of its own beside the database: whoever said no stays out, whatever the device does
 * to the files of the database, and after a restore too. One line each: key, sealed record (both base64) and CRC-32 of what
 * stands before it. Keys are keyed hashes, so that it names nobody [SEC-79]. Lines are only ever added; the last of a key
 * counts. The first line tells the list of one installation from those of others.
 */
export class OptOutList {
  readonly path: string
  readonly #log: (event: string, fields: Record<string, unknown>) => void
  readonly #onUnlisted: (optOuts: number) => void
  readonly #keyCheck: string | undefined
  /** What could not be written; it is with the next. */
  #unsaved: readonly StoredRecord[] = []

  constructor(path: string, { log = () => {}, onUnlisted = () => {}, keyCheck }: OptOutListOptions = {}) {
    this.path = path
    this.#log = log
    this.#onUnlisted = onUnlisted
    this.#keyCheck = keyCheck
  }

  /** @throws OptOutListError */
  async read(): Promise<ReadOptOutList> {
    const entries = new Map<string, StoredRecord>()
    const seen = await this.look((entry) => entries.set(keyName(entry.key), entry))
    return { ...seen, entries }
  }

  /** Reads it through, holding none of it. @throws OptOutListError */
  async look(onEntry: (entry: StoredRecord) => void = () => {}): Promise<SeenOptOutList> {
    let isSomething = false
    let [lines, damaged, damagedBytes, lastBytes] = [0, 0, 0, 0]
    let isEnded = true
    let owner: ReadOptOutList['owner'] = this.#keyCheck === undefined ? 'us' : 'unknown'
    try {
      // Others than files may keep whoever opens them waiting.
      if (!(await stat(this.path)).isFile()) throw new Error('it is no file')
      await using file = await open(this.path, 'r')
      isEnded = await endsWithLine(file)
      for await (const line of createInterface({
        input: file.createReadStream({ encoding: 'latin1', start: 0, autoClose: false }),
      })) {
        if (line === '') continue
        lines += 1
        const check = readFirst(line)
        const entry = readLine(line)
        if (check !== undefined) owner = this.#keyCheck === undefined || check === this.#keyCheck ? 'us' : 'others'
        else if (entry !== undefined) onEntry(entry)
        const isReadable = check !== undefined || entry !== undefined
        isSomething ||= isReadable
        lastBytes = isReadable ? 0 : line.length
        if (isReadable) continue
        damaged += 1
        damagedBytes += lastBytes
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new OptOutListError(this.path, error)
    }
    // What holds nothing that can be read is no list with an unfinished end.
    const isTorn = lastBytes > 0 && !isEnded && isSomething
    if (isTorn) {
      damaged -= 1
      damagedBytes -= lastBytes
    }
    if (damaged > 0) this.#log('store.opt_out_list_damaged', { file: this.path, lines, damaged })
    return { lines, damaged, damagedBytes, isTorn, owner }
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

  /** Puts these in the place of all lines. @returns false when that cannot be done; the list is as it was then */
  async rewrite(optOuts: Iterable<StoredRecord>): Promise<boolean> {
    try {
      await this.#replace(optOuts)
      return true
    } catch (error) {
      this.#log('store.opt_out_list_unwritten', { file: this.path, optOuts: 0, error: String(error) })
      return false
    }
  }

  async #replace(optOuts: Iterable<StoredRecord>): Promise<void> {
    // A link goes on to lead to where it does.
    const path = await realpath(this.path).catch(() => this.path)
    const next = `${path}.new`
    const file = await open(next, 'w', 0o600)
    try {
      let text = this.#first()
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
    await rename(next, path)
  }

  async #append(optOuts: readonly StoredRecord[], mustSync: boolean): Promise<void> {
    const file = await open(this.path, 'a', 0o600)
    try {
      const isNew = (await file.stat()).size === 0
      // A line that broke off ends here.
      await file.appendFile(`${isNew ? this.#first() : '\n'}${optOuts.map(writeLine).join('')}`)
      if (mustSync) await file.datasync()
    } finally {
      await file.close()
    }
  }

  #first(): string {
    return this.#keyCheck === undefined ? '' : writeFirst(this.#keyCheck)
  }
}

async function endsWithLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  const last = Buffer.alloc(1)
  if (size > 0) await file.read(last, 0, 1, size - 1)
  return size === 0 || last[0] === 0x0a
}

const FIRST = 'usher-opt-outs'

function writeFirst(keyCheck: string): string {
  const text = `${FIRST}:${keyCheck}`
  return `${text} ${crc32(text).toString(16)}\n`
}

/** The check of the key; undefined of any other line. */
function readFirst(line: string): string | undefined {
  const [text = '', sum] = line.split(' ')
  if (!text.startsWith(`${FIRST}:`) || crc32(text).toString(16) !== sum) return undefined
  return text.slice(FIRST.length + 1)
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
