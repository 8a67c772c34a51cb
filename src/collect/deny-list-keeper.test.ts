import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Log } from '../lib/log.ts'
import { DeniedDevice } from '../model/deny-entry.ts'
import { DAY_MS } from '../model/time.ts'
import { type DenyStore, openDenyStore } from '../store/deny-store.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import { DenyList } from './deny-list.ts'
import { keepDenyList } from './deny-list-keeper.ts'
import { DEFAULT_EDGE_CONFIG } from './edge-config.ts'

const NOW_MS = Date.UTC(2026, 10, 22, 12)
const HOUR_MS = 3_600_000
const config = { ...DEFAULT_EDGE_CONFIG.denyList, deviceCallsPerMinute: 1, personCallsPerMinute: 1 }
const lines: string[] = []
const line = (message: string) => void lines.push(message)
const log: Log = { debug: line, info: line, warn: line, error: line }

let folder = ''
beforeEach(async () => {
  lines.length = 0
  folder = await mkdtemp(join(tmpdir(), 'usher-denied-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const keep = (list: DenyList, store: DenyStore, over: { clock?: () => number; mayForget?: () => boolean } = {}) =>
  keepDenyList(list, { store, clock: () => NOW_MS, mayForget: () => true, log, ...over })

function block(list: DenyList, kind: number, id: string, nowMs = NOW_MS): void {
  list.isDenied(kind, id, nowMs)
  expect(list.isDenied(kind, id, nowMs)).toBe(true)
}

test('blocks outlive the death of the process: they are on disk a second later, without a close [COL-150] [SEC-10]', async () => {
  const records = await openEmbeddedRecordStore({ folder: join(folder, 'a'), durability: 'memory' })
  const list = new DenyList(config)
  const keeper = await keep(
    list,
    openDenyStore(records, () => {}),
  )
  block(list, DeniedDevice.uuid, 'device')
  block(list, 123, 'crm')
  // What a killed process leaves behind: the files as they are now. Nothing was flushed by hand.
  await expect.poll(() => copyOf(join(folder, 'a'))).toEqual(['crm', 'device'])
  await keeper.close()
  await records.close()
})

async function copyOf(from: string): Promise<readonly string[]> {
  const copy = await mkdtemp(join(folder, 'copy-'))
  await cp(from, copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
  const records = await openEmbeddedRecordStore({ folder: copy, durability: 'process' })
  const list = new DenyList(config)
  const keeper = await keep(
    list,
    openDenyStore(records, () => {}),
  )
  const ids = [...list.entries(NOW_MS)].map(({ id }) => id)
  await keeper.close()
  await records.close()
  return ids.sort()
}

test('after a restart cause, times, count and end are what they were, and the third block is for good [COL-150]', async () => {
  const store = openDenyStore(await openMemoryRecordStore(), () => {})
  let nowMs = NOW_MS
  for (const [times, untilMs] of [
    [1, NOW_MS + HOUR_MS],
    [2, NOW_MS + 2 * HOUR_MS + DAY_MS],
    [3, Number.POSITIVE_INFINITY],
  ] as const) {
    const list = new DenyList(config)
    const keeper = await keep(list, store, { clock: () => nowMs })
    block(list, DeniedDevice.ecid, 'x', nowMs)
    expect([...list.entries(nowMs)]).toMatchObject([{ kind: -2, id: 'x', cause: 'minute', times, untilMs, count: 1 }])
    await keeper.close()
    nowMs += times === 1 ? 2 * HOUR_MS : 2 * DAY_MS
  }
  const list = new DenyList(config)
  await keep(list, store)
  expect(list.isDenied(DeniedDevice.ecid, 'x', NOW_MS + 4_000 * DAY_MS)).toBe(true)
})

test('refused calls are counted in memory and written once a minute [COL-150]', async () => {
  const store = openDenyStore(await openMemoryRecordStore(), () => {})
  const write = vi.spyOn(store, 'write')
  const list = new DenyList(config)
  const keeper = await keep(list, store)
  block(list, -1, 'x')
  await keeper.flush()
  for (let i = 0; i < 1_000; i++) list.isDenied(-1, 'x', NOW_MS + 59_999)
  await keeper.flush()
  expect(write).toHaveBeenCalledTimes(1)
  list.isDenied(-1, 'x', NOW_MS + 60_000)
  await keeper.close()
  expect(write).toHaveBeenCalledTimes(2)
  const [kept] = await store.readAll()
  expect(kept).toMatchObject({ count: 1_002, lastMs: NOW_MS + 60_000 })
})

test('what was taken off, and what is over for 30 days, is off the disk too; not while the clock is in doubt [COL-150] [SEC-82~]', async () => {
  const store = openDenyStore(await openMemoryRecordStore(), () => {})
  const ids = async () => (await store.readAll()).map(({ id }) => id).sort()
  const list = new DenyList(config)
  let nowMs = NOW_MS
  let isTrusted = false
  const keeper = await keep(list, store, { clock: () => nowMs, mayForget: () => isTrusted })
  for (const id of ['a', 'b', 'c']) block(list, -1, id)
  await keeper.flush()
  expect(await ids()).toEqual(['a', 'b', 'c'])
  list.remove([...list.entries(NOW_MS)].find(({ id }) => id === 'b')?.hash ?? 0)
  nowMs += 30 * DAY_MS
  await keeper.flush()
  expect(await ids()).toEqual(['a', 'c'])
  isTrusted = true
  block(list, -1, 'c', nowMs)
  await keeper.close()
  expect(await ids()).toEqual(['c'])
})

test('a store in trouble costs no call and loses nothing: it is tried again [COL-150]', async () => {
  const store = openDenyStore(await openMemoryRecordStore(), () => {})
  const { write } = store
  store.write = () => Promise.reject(new Error('the disk'))
  const list = new DenyList(config)
  const keeper = await keep(list, store)
  block(list, -1, 'x')
  expect(await keeper.flush()).toBe(false)
  expect(lines).toEqual(['deny_list.not_kept'])
  store.write = write
  expect(await keeper.flush()).toBe(true)
  expect(await store.readAll()).toMatchObject([{ id: 'x' }])
  await keeper.close()
})

test('a damaged entry is set aside and counted; the others are read [SEC-60]', async () => {
  const records = await openMemoryRecordStore()
  let corrupt = 0
  const store = openDenyStore(records, () => corrupt++)
  const entry = { kind: -1, cause: 'day', times: 1, firstMs: 0, lastMs: 0, count: 1, untilMs: 1 } as const
  await store.write(new Map([[1, { ...entry, id: 'a' }]]), [])
  await store.write(new Map([[2, { ...entry, id: 'b' }]]), [])
  const { commit } = records
  const key = Buffer.from([0, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 1])
  await commit.call(records, { puts: [{ key, record: Buffer.from('not a sealed record') }], deletes: [] })
  expect((await store.readAll()).map(({ id }) => id)).toEqual(['b'])
  expect(corrupt).toBe(1)
  expect((await store.readAll()).map(({ id }) => id)).toEqual(['b'])
  expect(corrupt).toBe(1)
})

test('more entries than a page of the store are all kept [COL-150]', async () => {
  const store = openDenyStore(await openMemoryRecordStore(), () => {})
  const entry = { kind: -1, cause: 'day', times: 1, firstMs: 0, lastMs: 0, count: 1, untilMs: 1 } as const
  await store.write(new Map(Array.from({ length: 2_001 }, (_, at) => [2 ** 52 + at, { ...entry, id: `${at}` }])), [])
  expect(new Set((await store.readAll()).map(({ id }) => id)).size).toBe(2_001)
  await store.write(
    new Map(),
    Array.from({ length: 2_000 }, (_, at) => 2 ** 52 + at),
  )
  expect(await store.readAll()).toMatchObject([{ id: '2000' }])
})
