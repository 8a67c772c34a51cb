import { hash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PARTITIONS } from '../../model/partition.ts'
import { scanned } from '../../testkit/scanned.ts'
import type { Damage } from '../damage.ts'
import { keyName, startKey } from '../keys.ts'
import { sealRecord } from '../record.ts'
import { Kind } from '../record-kinds.ts'
import type { RecordStore } from '../record-store.ts'
import type { EmbeddedOptions, EmbeddedRecordStore } from './embedded-options.ts'
import { openEmbeddedRecordStore } from './embedded-record-store.ts'

/** A store with tables on several levels and a log, and everything that was ever written to it. */
export interface RottenStore extends AsyncDisposable {
  readonly folder: string
  /** By the name of a key: what was written to it, the last at the end; `undefined` where it was deleted. */
  readonly history: ReadonlyMap<string, readonly (Buffer | undefined)[]>
  /** A fresh copy of the folder, for damage. */
  copy(): Promise<string>
}

const KINDS = [Kind.profile, Kind.due, Kind.optOut, Kind.openDelivery]

export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** @param loggedWrites what is written last and stays in the log */
export async function makeRottenStore(seed: number, loggedWrites = 600): Promise<RottenStore> {
  const random = randomFrom(seed)
  const root = await mkdtemp(join(tmpdir(), 'usher-rotten-'))
  const folder = join(root, 'profiles')
  const history = new Map<string, (Buffer | undefined)[]>()
  let revision = 0
  const write = async (store: RecordStore, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const number = random(3_000)
      const kind = KINDS[number % KINDS.length] as number
      const key = startKey((number * 67) % PARTITIONS, kind, 8)
      key.writeUInt32LE(Math.imul(number + 1, 2_654_435_761) >>> 0, 3)
      key.writeUInt32BE(number, 7)
      revision += 1
      const isDeleted = kind !== Kind.optOut && random(10) === 0
      const text = `${number} ${revision} ${random(2 ** 31)
        .toString(36)
        .repeat(1 + random(40))}`
      const record = sealRecord(1, revision, Buffer.from(text))
      const name = keyName(key)
      history.set(name, [...(history.get(name) ?? []), isDeleted ? undefined : record])
      await store.commit(isDeleted ? { puts: [], deletes: [key] } : { puts: [{ key, record }], deletes: [] })
    }
  }
  for (const count of [4_000, 1_500, 800]) {
    const store = await openEmbeddedRecordStore({ folder, durability: 'process' })
    await write(store, count)
    if (count === 4_000) await store.reclaim(startKey(0, 0, 0), startKey(PARTITIONS - 1, 255, 0))
    await store.close()
  }
  const store = await openEmbeddedRecordStore({ folder, durability: 'process' })
  await write(store, loggedWrites)
  await store.close()
  let copies = 0
  return {
    folder,
    history,
    async copy() {
      const to = join(root, `copy-${copies++}`, 'profiles')
      await cp(folder, to, { recursive: true })
      return to
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

export interface Reading {
  /** By the name of its key. */
  readonly found: ReadonlyMap<string, Buffer>
  /** What was set aside. */
  readonly damage: readonly Damage[]
  /** That, and what a look at all files finds. */
  readonly checked: readonly Damage[]
}

/** Opens a folder, reads all of it, looks at all files, closes it. @param until asked again and again before all is read */
export async function readEverything(
  folder: string,
  options: Partial<EmbeddedOptions> = {},
  until: (store: EmbeddedRecordStore) => boolean = () => true,
): Promise<Reading> {
  const store = await openEmbeddedRecordStore({ folder, durability: 'process', ...options })
  try {
    while (!until(store)) await sleep(5)
    const all = (await Promise.all(Object.values(Kind).map((kind) => scanned(store, kind)))).flat()
    const checked = await store.checkFiles()
    return { found: new Map(all.map(({ key, record }) => [keyName(key), record])), damage: store.damage(), checked }
  } finally {
    await store.close()
  }
}

export async function filesOf(folder: string, pattern: RegExp): Promise<string[]> {
  return (await readdir(folder)).filter((name) => pattern.test(name)).sort()
}

/** Changes `bytes` bytes of a file from `at` on. @returns the file as it is now */
export async function damageFile(path: string, at: number, bytes: number, change: (part: Buffer) => void) {
  const all = await readFile(path)
  change(all.subarray(at, at + bytes))
  // In place, because the database may have it open.
  await writeFile(path, all, { flag: 'r+' })
  return all
}

export function flipBit(bit: number): (part: Buffer) => void {
  return (part) => {
    part[0] = (part[0] as number) ^ (1 << bit)
  }
}

/** Every file of a folder with the hash of its content, without what LevelDB writes for people. */
export async function contentOf(folder: string): Promise<Record<string, string>> {
  const names = await filesOf(folder, /^(?!LOG)/)
  const hashes = await Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(folder, name)).catch(() => name)
      return [name, hash('sha256', content)] as const
    }),
  )
  return Object.fromEntries(hashes)
}
