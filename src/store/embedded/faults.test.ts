// Slow: every write of a store fails once.
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startKey } from '../keys.ts'
import { openRecord, sealRecord } from '../record.ts'
import { Kind } from '../record-kinds.ts'
import { type RecordStore, StoreUnavailableError } from '../record-store.ts'
import type { EmbeddedOptions } from './embedded-options.ts'
import { openEmbeddedRecordStore } from './embedded-record-store.ts'
import { type Level, openLevel, StoreLockedError } from './level.ts'
import { openTemporaryStore, type TemporaryStore } from './temporary-store.conformance.ts'

function keyOf(number: number): Buffer {
  const key = startKey(number % 8, Kind.profile, 4)
  key.writeUInt32BE(number, 3)
  return key
}

function write(store: RecordStore, number: number, revision: number, text = String(number)): Promise<boolean> {
  const key = keyOf(number)
  return store.commit({
    guard: { key, revision: revision - 1 },
    puts: [{ key, record: sealRecord(1, revision, Buffer.from(text)) }],
    deletes: [],
  })
}

/** Without a guard, so that it joins the group of its turn. */
function put(store: RecordStore, number: number, revision = 1): Promise<boolean> {
  return store.commit({
    puts: [{ key: keyOf(number), record: sealRecord(1, revision, Buffer.from(String(number))) }],
    deletes: [],
  })
}

/** The real database with a hand on its writes: what fails, whether it fails after writing, and how often it opens. */
class Fault {
  failing: 'before' | 'after' | undefined
  closedTimes = 0
  refusedOpens = 0
  syncs: boolean[] = []

  async open(folder: string): Promise<Level> {
    if (this.refusedOpens > 0) {
      this.refusedOpens -= 1
      throw new Error('no space left')
    }
    const level = await openLevel(folder)
    return {
      ...level,
      batch: () => this.#batch(level),
      close: async () => {
        this.closedTimes += 1
        await level.close()
      },
    }
  }

  #batch(level: Level): ReturnType<Level['batch']> {
    const batch = level.batch()
    return {
      ...batch,
      write: async (sync) => {
        this.syncs.push(sync)
        const { failing } = this
        this.failing = undefined
        if (failing === 'before') throw new Error('no space left')
        await batch.write(sync)
        if (failing === 'after') throw new Error('the answer was lost')
      },
    }
  }
}

async function openFaulty(fault: Fault, options: Partial<EmbeddedOptions> = {}): Promise<TemporaryStore> {
  const first = await openTemporaryStore()
  await first
    .reopen({ ...options, open: () => fault.open(first.folder) })
    .then((store) => Object.assign(first, { store }))
  return first
}

test('after a write error nobody in the group hears of success, and the database was reopened before anyone else does [SEC-61]', async () => {
  const fault = new Fault()
  await using opened = await openFaulty(fault)
  const { store } = opened
  await write(store, 1, 1)
  fault.failing = 'before'
  const group = await Promise.allSettled([put(store, 1, 2), put(store, 2), put(store, 3)])
  expect(group.map((result) => result.status === 'rejected' && result.reason instanceof StoreUnavailableError)).toEqual(
    [true, true, true],
  )
  expect(await write(store, 4, 1)).toBe(true)
  expect(fault.closedTimes).toBe(1)
  const found = await store.getMany([1, 2, 3, 4].map(keyOf))
  expect(found.map((record) => record && openRecord(record).revision)).toEqual([1, undefined, undefined, 1])
})

test('after an unknown outcome a guard asks the database, not memory [SEC-58]', async () => {
  const fault = new Fault()
  await using opened = await openFaulty(fault)
  const { store } = opened
  await write(store, 1, 1)
  fault.failing = 'after'
  await expect(write(store, 1, 2, 'written after all')).rejects.toThrow(StoreUnavailableError)
  expect(await write(store, 1, 2, 'repeated')).toBe(false)
  expect((await store.getMany([keyOf(1)])).map((record) => record && openRecord(record).body.toString())).toEqual([
    'written after all',
  ])
  expect(await write(store, 1, 3)).toBe(true)
})

test('a database that does not open again refuses calls, and serves again when it does [SEC-61]', async () => {
  const fault = new Fault()
  await using opened = await openFaulty(fault)
  const { store } = opened
  await write(store, 1, 1)
  fault.failing = 'before'
  fault.refusedOpens = 4
  await expect(write(store, 2, 1)).rejects.toThrow(StoreUnavailableError)
  await expect(write(store, 3, 1)).rejects.toThrow(StoreUnavailableError)
  await expect(store.getMany([keyOf(1)])).rejects.toThrow(StoreUnavailableError)
  const again = async (): Promise<boolean> =>
    write(store, 4, 1).catch(() => new Promise((resolve) => setTimeout(resolve, 20)).then(again))
  expect(await again()).toBe(true)
  expect((await store.getMany([keyOf(1)]))[0]).toBeDefined()
})

test('a commit asks for the device where its level does, and the others follow within the interval [SEC-57~] [SEC-58]', async () => {
  const fault = new Fault()
  await using opened = await openFaulty(fault)
  const { store } = opened
  await write(store, 1, 1)
  expect(fault.syncs).toEqual([false])
  while (fault.syncs.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(fault.syncs).toEqual([false, true])
  await Promise.all([put(store, 2), store.commit({ puts: [], deletes: [keyOf(9)] }, 'disk')])
  expect(fault.syncs).toEqual([false, true, true])
  const disk = await opened.reopen({ durability: 'disk', open: () => fault.open(opened.folder) })
  fault.syncs = []
  await write(disk, 5, 1)
  expect(fault.syncs).toEqual([true])
})

test('a folder that is in use is refused with the reason', async () => {
  await using opened = await openTemporaryStore()
  const second = openEmbeddedRecordStore({ folder: opened.folder, durability: 'process' })
  await expect(second).rejects.toThrow(StoreLockedError)
  await expect(second).rejects.toThrow(/another usher serve owns .*usher-store-/)
})

test('bytes that rot on the device are put right, or detected, or the record is missing: never other data [SEC-60]', async () => {
  await using opened = await openTemporaryStore()
  const count = 4_000
  const text = (number: number): string => `profile ${number} `.repeat(20)
  await Promise.all(Array.from({ length: count }, (_, i) => write(opened.store, i, 1, text(i))))
  await opened.store.close()
  // Opening moves the log into a table.
  await (await opened.reopen()).close()
  expect(await rotBlocks(opened.folder)).toBeGreaterThan(0)
  const store = await opened.reopen()
  const found = await store.getMany(Array.from({ length: count }, (_, i) => keyOf(i)))
  const outcomes = { right: 0, detected: 0, missing: 0 }
  for (let i = 0; i < count; i++) {
    const record = found[i]
    if (record === undefined) outcomes.missing += 1
    else {
      try {
        expect(openRecord(record).body.toString()).toBe(text(i))
        outcomes.right += 1
      } catch (error) {
        expect((error as { code?: unknown }).code).toBe('record_corrupt')
        outcomes.detected += 1
      }
    }
  }
  expect(store.damage().length).toBeGreaterThan(0)
  expect(outcomes.right).toBeGreaterThan(outcomes.detected + outcomes.missing)
})

test.each([8, 4_096])(
  'what the database can still answer of opt-outs in %d partitions is not taken for absent because of damaged blocks [SEC-60] [SEC-79]',
  async (partitions) => {
    await using opened = await openTemporaryStore()
    const keys = Array.from({ length: 4_200 }, (_, number) => {
      const key = startKey(number % partitions, Kind.optOut, 8)
      key.writeUInt32LE(Math.imul(number + 1, 2_654_435_761) >>> 0, 3)
      key.writeUInt32BE(number, 7)
      return key
    })
    const record = sealRecord(1, 1, Buffer.from('opted out '.repeat(20)))
    const others = keys.map((key) => Buffer.concat([key.subarray(0, 2), Buffer.of(Kind.openDelivery), key.subarray(3)]))
    await Promise.all([...keys, ...others].map((key) => opened.store.commit({ puts: [{ key, record }], deletes: [] })))
    await opened.store.close()
    await (await opened.reopen()).close()
    await rotBlocks(opened.folder)
    const level = await openLevel(opened.folder)
    const answered = await level.getMany(keys)
    await level.close()
    const store = await opened.reopen()
    const found = await store.getMany(keys)
    expect(answered.filter((one) => one?.length === 0).length).toBeGreaterThan(0)
    expect(keys.filter((_, at) => answered[at] !== undefined && found[at] === undefined)).toEqual([])
  },
)

/** One byte of every second block; the data blocks only, because LevelDB itself refuses a damaged index. */
async function rotBlocks(folder: string): Promise<number> {
  let damagedFiles = 0
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.ldb')) continue
    damagedFiles += 1
    const file = await open(join(folder, name), 'r+')
    const dataBytes = Math.floor((await file.stat()).size * 0.8)
    for (let at = 100; at < dataBytes; at += 9_000) await file.write(Buffer.of(0x5a), 0, 1, at)
    await file.close()
  }
  return damagedFiles
}
