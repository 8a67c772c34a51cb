import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Kind, kindRange, startKey } from './keys.ts'
import { openRecord, readRevision, sealRecord } from './record.ts'
import { type RecordStore, type StoredRecord, StoreUnavailableError } from './record-store.ts'

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
    expect(await store.range(profile(7, ''), profile(7, 'z'), { limit: 9 })).toHaveLength(1)
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
      const a = profile(3, durability)
      await store.commit({ puts: [{ key: a, record: sealed(1, durability) }], deletes: [] }, durability)
      expect((await store.getMany([a])).map(textOf)).toEqual([durability])
      expect(
        (await store.range(a, profile(3, `${durability}~`), { limit: 1 })).map((found) => textOf(found.record)),
      ).toEqual([durability])
      expect(await store.heads(Kind.profile)).toHaveLength(1)
    }
    await store.flush()
  })

  fact('a range is ascending, half open and limited; reversed it is descending', async (store) => {
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const rest of ['c', 'a', 'e', 'b', 'd'])
      await store.commit({ puts: [{ key: profile(4, rest), record: sealed(1, rest) }], deletes: [] })
    await store.commit({ puts: [{ key: profile(5, 'a'), record: sealed(1, 'next partition') }], deletes: [] })
    await store.commit({ puts: [{ key: key(4, Kind.due, 'a'), record: sealed(1, 'next kind') }], deletes: [] })
    const read = async (from: Buffer, to: Buffer, limit: number, reverse?: boolean): Promise<(string | undefined)[]> =>
      (await store.range(from, to, { limit, ...(reverse === undefined ? {} : { reverse }) })).map((found) =>
        textOf(found.record),
      )
    const all = kindRange(4, Kind.profile)
    expect(await read(all.from, all.to, 100)).toEqual(names)
    expect(await read(all.from, all.to, 100, true)).toEqual([...names].reverse())
    expect(await read(profile(4, 'b'), profile(4, 'd'), 100)).toEqual(['b', 'c'])
    expect(await read(profile(4, 'b'), profile(4, 'd'), 100, true)).toEqual(['c', 'b'])
    expect(await read(all.from, all.to, 2)).toEqual(['a', 'b'])
    expect(await read(all.from, all.to, 2, true)).toEqual(['e', 'd'])
    expect(await read(profile(4, 'f'), profile(4, 'g'), 9)).toEqual([])
  })

  fact('a range reads more records than one page of the engine holds', async (store) => {
    const puts = Array.from({ length: 3_000 }, (_, i) => ({
      key: profile(4, String(i).padStart(5, '0')),
      record: sealed(1, 'x'.repeat(300)),
    }))
    await store.commit({ puts, deletes: [] })
    const { from, to } = kindRange(4, Kind.profile)
    const found = await store.range(from, to, { limit: 10_000 })
    expect(found.map((each) => each.key.toString('latin1'))).toEqual(puts.map((put) => put.key.toString('latin1')))
  })

  fact('the heads of a kind are its first keys, by partition', async (store) => {
    expect(await store.heads(Kind.due)).toEqual([])
    for (const partition of [4095, 0, 300, 77]) {
      for (const rest of ['b', 'a']) {
        const puts = [
          { key: key(partition, Kind.due, rest), record: sealed(1) },
          { key: profile(partition, rest), record: sealed(1) },
        ]
        await store.commit({ puts, deletes: [] })
      }
    }
    await store.commit({
      puts: [
        { key: profile(12, 'a'), record: sealed(1) },
        { key: key(13, Kind.optOut, 'a'), record: sealed(1) },
      ].slice(0, 1),
      deletes: [],
    })
    await store.commit({
      puts: [{ key: key(13, Kind.optOut, 'a'), record: sealed(1) }],
      deletes: [key(13, Kind.due, 'a')],
    })
    expect(await store.heads(Kind.due)).toEqual([0, 77, 300, 4095].map((partition) => key(partition, Kind.due, 'a')))
    await store.commit({ puts: [], deletes: [key(77, Kind.due, 'a')] })
    await store.commit({ puts: [], deletes: [key(300, Kind.due, 'a'), key(300, Kind.due, 'b')] })
    expect(await store.heads(Kind.due)).toEqual([
      key(0, Kind.due, 'a'),
      key(77, Kind.due, 'b'),
      key(4095, Kind.due, 'a'),
    ])
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
    const { from, to } = kindRange(1, Kind.profile)
    await expect(store.range(from, to, { limit: 1 })).rejects.toThrow(StoreUnavailableError)
    await expect(store.heads(Kind.profile)).rejects.toThrow(StoreUnavailableError)
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
