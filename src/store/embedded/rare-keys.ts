import { keyName } from '../keys.ts'
import { Kind } from '../record-kinds.ts'
import type { RecordStore, StoredRecord } from '../record-store.ts'
import { scanInOrder } from '../scan.ts'
import type { Level } from './level.ts'
import {
  isNewerRecord,
  type OptOutList,
  OptOutListForeignError,
  type ReadOptOutList,
  type SeenOptOutList,
} from './opt-out-list.ts'

/**
 * Which opt-outs there may be. Every event asks for one, and almost nobody has one: knowing that in memory saves half of
 * the reads. Four bytes of each key are kept; they are bytes of a hash, so others share them only by chance, which costs
 * one read in vain.
 */
export class RareKeys {
  readonly #known = new Set<number>()
  /** Every key that is stored is known. */
  #isComplete = false

  /**
   * Reads the keys that are there, and brings database and list to the same: what damage took from the one stands in the
   * other. One owning process writes them all, so nothing is missed afterwards.
   * @throws OptOutListForeignError before either is changed
   */
  static async open(level: Level, list: OptOutList, options: RareKeysOptions): Promise<OpenedRareKeys> {
    const rare = new RareKeys()
    const read = await list.read()
    const { entries, lines, damaged, isTorn, owner } = read
    const unlisted: StoredRecord[] = []
    let shared = 0
    for await (const stored of storedOptOuts(level)) {
      rare.add(stored.key)
      const name = keyName(stored.key)
      const listed = entries.get(name)
      if (listed !== undefined) shared += 1
      if (listed === undefined || isNewerRecord(stored.record, listed?.record)) unlisted.push(stored)
      if (listed !== undefined && !isNewerRecord(listed.record, stored.record)) entries.delete(name)
    }
    const isOurs = owner === 'us' || (owner === 'unknown' && (lines === 0 || shared > 0 || options.isInPlace))
    if (!isOurs) throw foreign(list.path, owner, options.isInPlace)
    rare.#isComplete = options.isWhole(unlisted.length)
    for (const { key } of entries.values()) rare.add(key)
    if (rare.#isComplete) {
      const isLong = lines > 2 * rare.#known.size + LINES_SPARE
      const isKept = damaged === 0 || (await options.onDamaged(read))
      const isToRewrite = isKept && (damaged > 0 || isTorn || isLong || owner === 'unknown')
      const isRewritten = isToRewrite && (await list.rewrite(await allOf(level, entries.values())))
      if (!isRewritten && unlisted.length > 0) await list.add(unlisted, true)
    }
    await putBack(level, [...entries.values()])
    return { rare, putBack: entries.size, isWhole: rare.#isComplete }
  }

  add(key: Buffer): void {
    if (isRare(key)) this.#known.add(prefixOf(key))
  }

  /** False: no record has this key. */
  mayHave(key: Buffer): boolean {
    return !this.#isComplete || !isRare(key) || this.#known.has(prefixOf(key))
  }
}

interface RareKeysOptions {
  /** The list lies where only ours does. */
  readonly isInPlace: boolean
  /**
   * Asked when all were read, with how many the list did not have: false when a damaged block may have hidden some. Then
   * nothing is listed, every one may be there, and each is asked for, as if there were no memory of them [SEC-60].
   */
  isWhole(unlisted: number): boolean
  /** The list has damaged lines, and is about to be written anew without them. @returns false: it must stay as it is */
  onDamaged(seen: SeenOptOutList): Promise<boolean>
}

export interface OpenedRareKeys {
  readonly rare: RareKeys
  /** Opt-outs that were in the list alone. */
  readonly putBack: number
  readonly isWhole: boolean
}

const PAGE = 1_000
/** More lines than twice the opts-outs and these, and the list is written anew. */
const LINES_SPARE = 1_000

function foreign(path: string, owner: ReadOptOutList['owner'], isInPlace: boolean): OptOutListForeignError {
  const what =
    owner === 'others'
      ? 'is the list of opt-outs of another installation: its first line was made with another optout.key'
      : 'is no list of opt-outs of this installation: it has no such first line, and none of its lines is an opt-out that the store knows'
  const way = isInPlace
    ? 'Put back the optout.key that belongs to it, or move it away, and it is made anew'
    : 'Set optOuts.listFile (USHER_OPT_OUTS_LIST_FILE) to a file that is not there yet; for a list that an older Usher began see docs/backup.md'
  return new OptOutListForeignError(`${path} ${what}. Nothing in it was changed. ${way}`)
}

/** Writes what the list holds and the database does not. @returns how many */
export async function putBackMissing(level: Level, list: OptOutList): Promise<number> {
  const { entries, owner } = await list.read()
  const listed = owner === 'others' ? [] : [...entries.values()]
  let count = 0
  for (let from = 0; from < listed.length; from += PAGE) {
    const page = listed.slice(from, from + PAGE)
    const found = await level.getMany(page.map(({ key }) => key))
    const missing = page.filter(({ record }, i) => isNewerRecord(record, found[i]))
    await putBack(level, missing)
    count += missing.length
  }
  return count
}

async function putBack(level: Level, optOuts: readonly StoredRecord[]): Promise<void> {
  for (let from = 0; from < optOuts.length; from += PAGE) {
    const batch = level.batch()
    for (const { key, record } of optOuts.slice(from, from + PAGE)) batch.put(key, record)
    await batch.write(true)
  }
}

async function allOf(level: Level, others: Iterable<StoredRecord>): Promise<StoredRecord[]> {
  const all = [...others]
  for await (const stored of storedOptOuts(level)) all.push(stored)
  return all
}

async function* storedOptOuts(level: Level): AsyncGenerator<StoredRecord> {
  const range: RecordStore['range'] = (from, to, { limit }) => level.range(from, to, limit, false)
  const pages = scanInOrder({ heads: level.heads, range }, Kind.optOut, { pageSize: PAGE })
  for await (const { records } of pages) yield* records
}

export function isRare(key: Buffer): boolean {
  return key[2] === Kind.optOut && key.length >= 7
}

function prefixOf(key: Buffer): number {
  return key.readInt32LE(3)
}
