import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { scanned } from '../testkit/scanned.ts'
import { kindRange, startKey } from './keys.ts'
import { openRecord, readRevision, sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import { type RecordStore, type StoredRecord, StoreUnavailableError } from './record-store.ts'
import type { ScanOptions } from './scan.ts'

/** One store in a place of its own; `reopen` is missing where nothing survives a close. */
export interface OpenedRecordStore extends AsyncDisposable {
  readonly store: RecordStore
  readonly reopen?: () => Promise<RecordStore>
}

function key(partition: number, kind: number, rest: string): Buffer {
  const text = Buffer.from(rest)
  const made = startKey(partition, kind, text.length)
  text.copy(made, 3)
  return made
}

const profile = (partition: number, rest: string): Buffer => key(partition, Kind.profile, rest)
/** Of an ordered kind. */
const entry = (partition: number, rest: string): Buffer => key(partition, Kind.due, rest)
const sealed = (revision: number, text = ''): Buffer => sealRecord(1, revision, Buffer.from(text))
const textOf = (record: Buffer | undefined): string | undefined =>
  record === undefined ? undefined : openRecord(record).body.toString()

/** The definition of a `RecordStore`; each implementation's test file calls it. */
export function describeRecordStore(name: string, open: () => Promise<OpenedRecordStore>): void {
  const fact = (title: string, check: (store: RecordStore) => Promise<void>): void =>
    test(`${name}: ${title}`, async () => {
      await using opened = await open()
      await check(opened.store)
    })

  fact('answers in the order of the keys, undefined where no record is, duplicates allowed', async (store) => {
    await store.commit({ puts: [{ key: profile(1, 'a'), record: sealed(1, 'A') }], deletes: [] })
    await store.commit({ puts: [{ key: profile(2, 'b'), record: sealed(1, 'B') }], deletes: [] })
    const found = await store.getMany([profile(2, 'b'), profile(1, 'x'), profile(1, 'a'), profile(2, 'b')])
    expect(found.map(textOf)).toEqual(['B', undefined, 'A', 'B'])
    expect(await store.getMany([])).toEqual([])
  })

  fact('a commit writes everything it names, and its deletes', async (store) => {
    const [a, b, c] = [profile(7, 'a'), profile(7, 'b'), key(7, Kind.due, 'c')]
    await store.commit({ puts: [a, b].map((each) => ({ key: each, record: sealed(1, 'old') })), deletes: [] })
    await store.commit({
      puts: [
        { key: c, record: sealed(1, 'new') },
        { key: b, record: sealed(2, 'new') },
      ],
      deletes: [a],
    })
    expect((await store.getMany([a, b, c])).map(textOf)).toEqual([undefined, 'new', 'new'])
  })

  fact('a key that one commit deletes and puts is put', async (store) => {
    const a = profile(7, 'a')
    await store.commit({ puts: [{ key: a, record: sealed(1, 'kept') }], deletes: [a] })
    expect((await store.getMany([a])).map(textOf)).toEqual(['kept'])
    expect(await scanned(store, Kind.profile)).toHaveLength(1)
  })

  fact('a commit whose guard does not hold writes nothing [SEC-59]', async (store) => {
    const [a, b] = [profile(7, 'a'), profile(7, 'b')]
    const puts = [{ key: a, record: sealed(3, 'first') }]
    expect(await store.commit({ guard: { key: a, revision: 0 }, puts, deletes: [] })).toBe(true)
    for (const revision of [0, 1, 2, 4]) {
      const late = [
        { key: a, record: sealed(9, 'late') },
        { key: b, record: sealed(9, 'late') },
      ]
      expect(await store.commit({ guard: { key: a, revision }, puts: late, deletes: [] })).toBe(false)
    }
    expect((await store.getMany([a, b])).map(textOf)).toEqual(['first', undefined])
    expect(await store.commit({ guard: { key: a, revision: 3 }, puts: [], deletes: [a] })).toBe(true)
    expect(await store.commit({ guard: { key: a, revision: 3 }, puts, deletes: [] })).toBe(false)
    expect(await store.commit({ guard: { key: a, revision: 0 }, puts, deletes: [] })).toBe(true)
  })

  fact('a guard of exact bytes lets nothing be written over other bytes, whatever their revision', async (store) => {
    const a = profile(7, 'a')
    const [first, second] = [sealed(0, 'first'), sealed(0, 'second')]
    const commit = (record: Buffer, puts: StoredRecord[]) =>
      store.commit({ guard: { key: a, record }, puts, deletes: [a] })
    expect(await commit(first, [])).toBe(false)
    await store.commit({ puts: [{ key: a, record: first }], deletes: [] })
    expect(await commit(second, [])).toBe(false)
    expect(await commit(Buffer.from(first), [{ key: a, record: second }])).toBe(true)
    expect(await commit(first, [])).toBe(false)
    expect((await store.getMany([a])).map(textOf)).toEqual(['second'])
    expect(await commit(second, [])).toBe(true)
    expect(await store.getMany([a])).toEqual([undefined])
  })

  fact('of many concurrent commits one wins each revision and none is lost', async (store) => {
    const counters = ['a', 'b', 'c'].map((rest) => profile(9, rest))
    const writers = 40
    const lost = { races: 0 }
    const increment = async (counter: Buffer): Promise<void> => {
      for (;;) {
        const [record] = await store.getMany([counter])
        const revision = record === undefined ? 0 : readRevision(record).revision
        const puts = [{ key: counter, record: sealed(revision + 1, String(revision + 1)) }]
        if (await store.commit({ guard: { key: counter, revision }, puts, deletes: [] })) return
        lost.races += 1
      }
    }
    await Promise.all(counters.flatMap((counter) => Array.from({ length: writers }, () => increment(counter))))
    expect((await store.getMany(counters)).map(textOf)).toEqual(counters.map(() => String(writers)))
    expect(lost.races).toBeGreaterThan(0)
  })

  fact('of commits of one turn with the same expected revision exactly one wins', async (store) => {
    const a = profile(9, 'a')
    for (let revision = 0; revision < 20; revision++) {
      const results = await Promise.all(
        Array.from({ length: 5 }, () =>
          store.commit({ guard: { key: a, revision }, puts: [{ key: a, record: sealed(revision + 1) }], deletes: [] }),
        ),
      )
      expect(results.filter(Boolean)).toHaveLength(1)
    }
  })

  fact('a resolved commit is read, whatever its level [SEC-57]', async (store) => {
    for (const durability of ['memory', 'process', 'disk'] as const) {
      const a = entry(3, durability)
      await store.commit({ puts: [{ key: a, record: sealed(1, durability) }], deletes: [] }, durability)
      expect((await store.getMany([a])).map(textOf)).toEqual([durability])
      expect(
        (await store.range(a, entry(3, `${durability}~`), { limit: 1 })).map((found) => textOf(found.record)),
      ).toEqual([durability])
      expect((await scanned(store, Kind.due)).map(({ record }) => textOf(record))).toContain(durability)
    }
    await store.flush()
  })

  fact('a range is ascending, half open and limited; reversed it is descending', async (store) => {
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const rest of ['c', 'a', 'e', 'b', 'd'])
      await store.commit({ puts: [{ key: entry(4, rest), record: sealed(1, rest) }], deletes: [] })
    await store.commit({ puts: [{ key: entry(5, 'a'), record: sealed(1, 'next partition') }], deletes: [] })
    await store.commit({ puts: [{ key: profile(4, 'a'), record: sealed(1, 'kind before') }], deletes: [] })
    await store.commit({ puts: [{ key: key(4, Kind.optOut, 'a'), record: sealed(1, 'kind behind') }], deletes: [] })
    const read = async (from: Buffer, to: Buffer, limit: number, reverse?: boolean): Promise<(string | undefined)[]> =>
      (await store.range(from, to, { limit, ...(reverse === undefined ? {} : { reverse }) })).map((found) =>
        textOf(found.record),
      )
    const all = kindRange(4, Kind.due)
    expect(await read(all.from, all.to, 100)).toEqual(names)
    expect(await read(all.from, all.to, 100, true)).toEqual([...names].reverse())
    expect(await read(entry(4, 'b'), entry(4, 'd'), 100)).toEqual(['b', 'c'])
    expect(await read(entry(4, 'b'), entry(4, 'd'), 100, true)).toEqual(['c', 'b'])
    expect(await read(all.from, all.to, 2)).toEqual(['a', 'b'])
    expect(await read(all.from, all.to, 2, true)).toEqual(['e', 'd'])
    expect(await read(entry(4, 'f'), entry(4, 'g'), 9)).toEqual([])
  })

  fact('a range of a kind without order, or over two partitions, is refused', async (store) => {
    const { from, to } = kindRange(4, Kind.profile)
    await expect(store.range(from, to, { limit: 1 })).rejects.toThrow(RangeError)
    await expect(store.range(entry(4, 'a'), entry(5, 'a'), { limit: 1 })).rejects.toThrow(RangeError)
  })

  fact('a range reads more records than one page of the engine holds', async (store) => {
    const puts = Array.from({ length: 3_000 }, (_, i) => ({
      key: entry(4, String(i).padStart(5, '0')),
      record: sealed(1, 'x'.repeat(300)),
    }))
    await store.commit({ puts, deletes: [] })
    const { from, to } = kindRange(4, Kind.due)
    const found = await store.range(from, to, { limit: 10_000 })
    expect(found.map((each) => each.key.toString('latin1'))).toEqual(puts.map((put) => put.key.toString('latin1')))
  })

  fact('a scan meets every record of its kind once, partition by partition, in pages', async (store) => {
    expect(await scanned(store, Kind.due)).toEqual([])
    const partitions = [4095, 0, 300, 77]
    for (const partition of partitions)
      for (const rest of ['c', 'a', 'b']) {
        const puts = [entry(partition, rest), profile(partition, rest)].map((each) => ({
          key: each,
          record: sealed(1),
        }))
        await store.commit({ puts, deletes: [] })
      }
    // Partitions with another kind only, before and behind.
    for (const other of [profile(12, 'a'), key(13, Kind.optOut, 'a')])
      await store.commit({ puts: [{ key: other, record: sealed(1) }], deletes: [] })
    const names = ({ key: each }: StoredRecord) => `${each.readUInt16BE(0)}${each.subarray(3)}`
    const all = ['0a', '0b', '0c', '77a', '77b', '77c', '300a', '300b', '300c', '4095a', '4095b', '4095c']
    const ordered = async (options?: ScanOptions) => (await scanned(store, Kind.due, options)).map(names)
    for (const pageSize of [1, 2, 3, 500]) expect(await ordered({ pageSize })).toEqual(all)
    // Without an order of its keys a kind still goes by partitions.
    const found = (await scanned(store, Kind.profile, { pageSize: 2 })).map(names)
    expect([...found].sort()).toEqual([...all, '12a'].sort())
    expect(found.map((name) => Number.parseInt(name, 10))).toEqual([
      0,
      0,
      0,
      12,
      77,
      77,
      77,
      300,
      300,
      300,
      ...Array(3).fill(4095),
    ])

    expect(await ordered({ from: 77, to: 301 })).toEqual(all.slice(3, 9))
    expect(await ordered({ from: 300, to: 301 })).toEqual(all.slice(6, 9))
    expect(await ordered({ from: 78, to: 79 })).toEqual([])
    expect(await ordered({ limitEach: 1 })).toEqual(['0a', '77a', '300a', '4095a'])
    expect(await ordered({ limitEach: 2, pageSize: 1, from: 77 })).toEqual([
      '77a',
      '77b',
      '300a',
      '300b',
      '4095a',
      '4095b',
    ])
    expect(await ordered({ limitEach: 1, from: 77, to: 78 })).toEqual(['77a'])
    expect(await ordered({ prefix: Buffer.from('b') })).toEqual(['0b', '77b', '300b', '4095b'])
    await store.commit({ puts: [], deletes: [entry(77, 'a')] })
    await store.commit({ puts: [], deletes: ['a', 'b', 'c'].map((rest) => entry(300, rest)) })
    expect(await ordered({ limitEach: 1 })).toEqual(['0a', '77b', '4095a'])
  })

  fact('a scan goes on beside commits: what stays is met once', async (store) => {
    const puts = Array.from({ length: 40 }, (_, i) => ({ key: entry(9, String(100 + i)), record: sealed(1) }))
    await store.commit({ puts, deletes: [] })
    const met: string[] = []
    for await (const { records } of store.scan(Kind.due, { pageSize: 10 })) {
      met.push(...records.map(({ key: each }) => each.subarray(3).toString()))
      const last = met.at(-1) as string
      await store.commit({
        puts: [{ key: entry(9, `${last}x`), record: sealed(1) }],
        deletes: [entry(9, last)],
      })
    }
    const stays = puts.map((put) => put.key.subarray(3).toString())
    expect(met.filter((name) => stays.includes(name))).toEqual(stays)
    expect(new Set(met).size).toBe(met.length)
  })

  fact('what must be absent keeps a commit from being written as soon as it is there [SEC-59]', async (store) => {
    const [a, b, c] = [profile(7, 'a'), key(7, Kind.optOut, 'bbbb'), key(7, Kind.due, 'c')]
    const put = (each: Buffer, revision = 1) => ({ key: each, record: sealed(revision) })
    expect(await store.commit({ absent: [b, c], puts: [put(a)], deletes: [] })).toBe(true)
    await store.commit({ puts: [put(b)], deletes: [] })
    expect(await store.commit({ absent: [b], puts: [put(c)], deletes: [] })).toBe(false)
    expect(await store.commit({ absent: [c, b], guard: { key: a, revision: 1 }, puts: [put(a, 2)], deletes: [] })).toBe(
      false,
    )
    expect(await store.commit({ absent: [c], guard: { key: a, revision: 1 }, puts: [put(a, 2)], deletes: [] })).toBe(
      true,
    )
    expect(await store.commit({ absent: [c], guard: { key: a, revision: 1 }, puts: [put(c)], deletes: [] })).toBe(false)
    expect((await store.getMany([c]))[0]).toBe(undefined)
    await store.commit({ puts: [], deletes: [b] })
    expect(await store.commit({ absent: [b], puts: [put(c)], deletes: [] })).toBe(true)
  })

  fact("of two commits of one turn that demand each other's absence one is written [SEC-59]", async (store) => {
    for (let round = 0; round < 20; round++) {
      const [a, b] = [profile(9, `a${round}`), key(9, Kind.optOut, `bbbb${round}`)]
      const results = await Promise.all([
        store.commit({ absent: [b], puts: [{ key: a, record: sealed(1) }], deletes: [] }),
        store.commit({ absent: [a], puts: [{ key: b, record: sealed(1) }], deletes: [] }, 'disk'),
      ])
      expect(results.filter(Boolean)).toHaveLength(1)
    }
  })

  fact('a guard may name a revision only of a kind that has them; 0 is that there is none', async (store) => {
    const a = entry(9, 'a')
    for (const revision of [0, 1])
      await expect(store.commit({ guard: { key: a, revision }, puts: [], deletes: [] })).rejects.toThrow(RangeError)
  })

  fact('a commit over two partitions is refused', async (store) => {
    const [a, b] = [profile(1, 'a'), profile(2, 'b')]
    const record = sealed(1)
    const refused = [
      {
        puts: [
          { key: a, record },
          { key: b, record },
        ],
        deletes: [],
      },
      { puts: [{ key: a, record }], deletes: [b] },
      { guard: { key: b, revision: 0 }, puts: [{ key: a, record }], deletes: [] },
    ]
    for (const commit of refused) await expect(store.commit(commit)).rejects.toThrow(RangeError)
    expect(await store.getMany([a, b])).toEqual([undefined, undefined])
  })

  fact(
    'the bytes of a range are about those of its records, and less once they are gone and reclaimed [SEC-44]',
    async (store) => {
      // As random as nothing that a table could compress.
      const puts = Array.from({ length: 400 }, (_, i) => ({
        key: profile(4, String(i).padStart(5, '0')),
        record: sealRecord(1, 1, randomBytes(1_000)),
      }))
      await store.commit({ puts, deletes: [] })
      const { from, to } = kindRange(4, Kind.profile)
      await store.reclaim(from, to)
      // Headers and whole blocks make the difference.
      const expectBytes = async (low: Buffer, high: Buffer, wanted: number) =>
        expect(Math.abs((await store.approximateBytes(low, high)) - wanted)).toBeLessThan(20_000)
      await expectBytes(from, to, 400_000)
      await expectBytes(profile(4, '00100'), profile(4, '00200'), 100_000)
      await expectBytes(profile(4, '00400'), to, 0)
      expect(await store.approximateBytes(profile(5, ''), profile(6, ''))).toBe(0)

      await store.commit({ puts: [], deletes: puts.slice(0, 300).map((put) => put.key) })
      await store.reclaim(from, to)
      await expectBytes(from, to, 100_000)
      expect(await store.getMany([puts[299]?.key as Buffer, puts[300]?.key as Buffer])).toEqual([
        undefined,
        puts[300]?.record,
      ])
    },
  )

  fact('a closed store refuses', async (store) => {
    await store.close()
    await expect(store.getMany([profile(1, 'a')])).rejects.toThrow(StoreUnavailableError)
    await expect(store.commit({ puts: [], deletes: [profile(1, 'a')] })).rejects.toThrow(StoreUnavailableError)
    const { from, to } = kindRange(1, Kind.due)
    await expect(store.range(from, to, { limit: 1 })).rejects.toThrow(StoreUnavailableError)
    await expect(scanned(store, Kind.profile)).rejects.toThrow(StoreUnavailableError)
    await expect(store.approximateBytes(from, to)).rejects.toThrow(StoreUnavailableError)
    await store.close()
  })
}

/** The same for what survives a close. */
export function describePersistence(name: string, open: () => Promise<Required<OpenedRecordStore>>): void {
  test(`${name}: what was accepted before a close is there after it [SEC-59~]`, async () => {
    await using opened = await open()
    const partitions = [0, 1, 2, 4095]
    const commits = partitions.flatMap((partition) =>
      (['memory', 'process', 'disk'] as const).map((durability) =>
        opened.store.commit(
          { puts: [{ key: profile(partition, durability), record: sealed(5, durability) }], deletes: [] },
          durability,
        ),
      ),
    )
    await opened.store.close()
    expect(await Promise.all(commits)).toEqual(commits.map(() => true))
    const again = await opened.reopen()
    for (const partition of partitions) {
      const keys = ['memory', 'process', 'disk'].map((rest) => profile(partition, rest))
      expect((await again.getMany(keys)).map(textOf)).toEqual(['memory', 'process', 'disk'])
      expect(await again.commit({ guard: { key: keys[0] as Buffer, revision: 5 }, puts: [], deletes: keys })).toBe(true)
    }
  })
}
