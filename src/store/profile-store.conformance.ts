import { expect, test } from 'vitest'
import type { FollowUp } from '../model/follow-up.ts'
import type { DestinationId, EventId, ProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import { newProfile, type Profile } from '../model/profile.ts'
import { scanned } from '../testkit/scanned.ts'
import { dueKey, outboxKey, profileKey } from './keys.ts'
import { openOutboxMarker, sealOutboxMarker } from './outbox-marker.ts'
import type { ProfileStore, ProfileUpdate } from './profile-store.ts'
import { openProfileStore, type ProfileStoreOptions } from './profiles.ts'
import { quarantineKey } from './quarantine.ts'
import { openRecord, sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { OpenedRecordStore } from './record-store.conformance.ts'
import type { RecordStore, StoredRecord } from './record-store.ts'

const NOW = 1_770_000_000_000
const SECRET = Buffer.from('a secret of enough bytes')
const EVENT = Buffer.alloc(8, 7).toString('base64') as EventId

export function device(number: number): ProfileId {
  return `d:${String(number).padStart(38, '0')}` as ProfileId
}

function update(profile: Profile, more: Partial<ProfileUpdate> = {}): ProfileUpdate {
  return { profile, previousDueMs: 0, outbox: [], eventId: EVENT, followUps: [], ...more }
}

async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = []
  for await (const value of values) all.push(value)
  return all
}

interface Opened {
  readonly records: RecordStore
  readonly profiles: ProfileStore
  readonly corrupt: Buffer[]
}

/** What `ProfileStore` promises, on any engine. */
export function describeProfileStore(name: string, open: () => Promise<OpenedRecordStore>): void {
  const fact = (title: string, check: (opened: Opened) => Promise<void>): void =>
    test(`${name}: ${title}`, async () => {
      await using opened = await open()
      const corrupt: Buffer[] = []
      const options: ProfileStoreOptions = { optOutKey: SECRET, onCorrupt: (key) => corrupt.push(key) }
      await check({ records: opened.store, profiles: await openProfileStore(opened.store, options), corrupt })
    })

  const stored = async (profiles: ProfileStore, id: ProfileId, changes: Partial<Profile> = {}): Promise<Profile> => {
    const profile = { ...newProfile(id, NOW), ...changes }
    expect(await profiles.commit(update(profile))).toBe(true)
    return { ...profile, revision: 1 }
  }

  fact('profiles come back in the order asked for, undefined where none is', async ({ profiles }) => {
    const a = await stored(profiles, device(1))
    const b = await stored(profiles, '77:person' as ProfileId, { regions: [9] })
    expect(await profiles.getMany([b.id, device(3), a.id, b.id])).toEqual([b, undefined, a, b])
  })

  fact('a stale commit is refused and writes nothing [SEC-59]', async ({ profiles, records }) => {
    const read = await stored(profiles, device(1))
    expect(await profiles.commit(update({ ...read, regions: [1] }))).toBe(true)
    const stale = update({ ...read, regions: [2], dueMs: NOW }, { outbox: [5 as DestinationId] })
    expect(await profiles.commit(stale)).toBe(false)
    expect(await profiles.getMany([read.id])).toEqual([{ ...read, revision: 2, regions: [1] }])
    expect(await records.getMany([outboxKey(read.id, 5 as DestinationId), dueKey(read.id, NOW)])).toEqual([
      undefined,
      undefined,
    ])
  })

  fact(
    'one commit writes profile, due entry, outbox markers and follow-ups, and moves the due entry',
    async ({ profiles, records }) => {
      const id = device(1)
      const followUps: FollowUp[] = [1, 2].map((n) => ({ kind: 'reevaluate', target: device(n), atMs: NOW }))
      const first = { ...newProfile(id, NOW), dueMs: NOW + 5_000 }
      await profiles.commit(
        update(first, { outbox: [3, 4].map((n) => n as DestinationId), followUps, nowMs: NOW + 1_000 }),
      )
      const markers = await records.getMany([3, 4].map((n) => outboxKey(id, n as DestinationId)))
      expect(markers.map((marker) => marker && openOutboxMarker(marker))).toEqual(
        [1, 2].map(() => ({ revision: 1, atMs: NOW + 1_000 })),
      )
      expect(await profiles.due(NOW + 5_000, 10)).toEqual([{ profileId: id, dueMs: NOW + 5_000 }])
      const pending = await collect(profiles.pendingFollowUps())
      expect(pending.map((each) => each.followUp)).toEqual(followUps)
      for (const each of pending) await profiles.finishFollowUp(each)
      expect(await collect(profiles.pendingFollowUps())).toEqual([])
      await profiles.commit(update({ ...first, revision: 1, dueMs: NOW + 9_000 }, { previousDueMs: NOW + 5_000 }))
      expect(await profiles.due(NOW + 8_000, 10)).toEqual([])
      expect(await profiles.due(NOW + 9_000, 10)).toEqual([{ profileId: id, dueMs: NOW + 9_000 }])
      await profiles.commit(update({ ...first, revision: 2, dueMs: 0 }, { previousDueMs: NOW + 9_000 }))
      expect(await profiles.due(NOW + 9_000, 10)).toEqual([])
      expect(profiles.nextDueMs()).toBe(Number.POSITIVE_INFINITY)
    },
  )

  fact('the next due moment is known from commits, and after opening anew', async ({ profiles, records }) => {
    expect(profiles.nextDueMs()).toBe(Number.POSITIVE_INFINITY)
    await stored(profiles, device(1), { dueMs: NOW + 60_000 })
    await stored(profiles, device(2), { dueMs: NOW + 20_000 })
    await stored(profiles, device(3))
    expect(profiles.nextDueMs()).toBe(NOW + 20_000)
    const again = await openProfileStore(records, { optOutKey: SECRET })
    expect(again.nextDueMs()).toBe(NOW + 20_000)
    expect(await again.due(NOW + 19_000, 10)).toEqual([])
    expect((await again.due(NOW + 60_000, 10)).map((each) => each.profileId).sort()).toEqual(
      [device(1), device(2)].sort(),
    )
  })

  fact(
    'a wave is worked off in limited portions, oldest first within a partition, and none is forgotten',
    async ({ profiles }) => {
      const count = 300
      const filed = new Map<ProfileId, Profile>()
      for (let i = 0; i < count; i++)
        filed.set(device(i), await stored(profiles, device(i), { dueMs: NOW + (i % 7) * 1_000 }))
      const done: ProfileId[] = []
      while (profiles.nextDueMs() <= NOW + 10_000) {
        const portion = await profiles.due(NOW + 10_000, 70)
        expect(portion.length).toBeLessThanOrEqual(70)
        const lastOf = new Map<number, number>()
        for (const { profileId, dueMs } of portion) {
          const partition = partitionOf(profileId)
          expect(dueMs).toBeGreaterThanOrEqual(lastOf.get(partition) ?? 0)
          lastOf.set(partition, dueMs)
          const profile = filed.get(profileId) as Profile
          if (await profiles.commit(update({ ...profile, dueMs: 0 }, { previousDueMs: dueMs }))) done.push(profileId)
        }
      }
      expect(new Set(done).size).toBe(count)
      expect(done.length).toBe(count)
    },
  )

  fact('what is filed while due profiles are read is not missed', async ({ profiles }) => {
    await stored(profiles, device(1), { dueMs: NOW + 1_000 })
    const earlier: Promise<Profile>[] = []
    for (let i = 2; i < 200; i++) {
      const reading = profiles.due(NOW + 1_000, 1_000)
      earlier.push(stored(profiles, device(i), { dueMs: NOW - i * 1_000 }))
      await reading
    }
    await Promise.all(earlier)
    expect(profiles.nextDueMs()).toBe(NOW - 199_000)
    expect(await profiles.due(NOW + 1_000, 1_000)).toHaveLength(199)
  })

  fact(
    'a due entry goes when its profile is filed elsewhere or gone, and stays when it is filed there',
    async ({ profiles, records }) => {
      const profile = await stored(profiles, device(1), { dueMs: NOW + 5_000 })
      const put = (id: ProfileId, dueMs: number): Promise<boolean> =>
        records.commit({ puts: [{ key: dueKey(id, dueMs), record: sealRecord(1, 0, Buffer.alloc(0)) }], deletes: [] })
      await put(profile.id, NOW)
      await put(device(2), NOW)
      await profiles.dropDue(profile.id, NOW)
      await profiles.dropDue(device(2), NOW)
      await profiles.dropDue(profile.id, NOW + 5_000)
      const reopened = await openProfileStore(records, { optOutKey: SECRET })
      expect(await reopened.due(NOW + 10_000, 10)).toEqual([{ profileId: profile.id, dueMs: NOW + 5_000 }])
    },
  )

  fact(
    'a damaged profile is counted, set aside and reads as absent; nothing else is touched [SEC-60]',
    async ({ profiles, records, corrupt }) => {
      const ids = Array.from({ length: 20 }, (_, i) => device(i))
      for (const id of ids) await stored(profiles, id)
      const bad = device(7)
      const [record] = await records.getMany([profileKey(bad)])
      const damaged = Buffer.from(record as Buffer)
      damaged[4] = (damaged[4] as number) ^ 0x10
      await records.commit({ puts: [{ key: profileKey(bad), record: damaged }], deletes: [] })
      const reads = await Promise.all([profiles.getMany(ids), profiles.getMany([bad]), profiles.getMany([bad, bad])])
      expect(reads[0]?.filter((profile) => profile !== undefined).map((profile) => profile.id)).toEqual(
        ids.filter((id) => id !== bad),
      )
      expect(reads.slice(1)).toEqual([[undefined], [undefined, undefined]])
      expect(corrupt).toEqual([profileKey(bad)])
      const [aside] = await records.getMany([quarantineKey(profileKey(bad))])
      expect(openRecord(aside as Buffer).body).toEqual(damaged)
      await stored(profiles, bad, { regions: [1] })
      expect((await profiles.getMany([bad]))[0]?.regions).toEqual([1])
    },
  )

  fact(
    'a scan brings every profile of a partition, in pages, without the damaged ones [SEC-60]',
    async ({ profiles, records, corrupt }) => {
      const ids: ProfileId[] = []
      for (let i = 0; ids.length < 5; i++) if (partitionOf(device(i)) === 9) ids.push(device(i))
      for (const id of ids) await stored(profiles, id)
      await records.commit({
        puts: [{ key: profileKey(ids[2] as ProfileId), record: Buffer.from('damaged') }],
        deletes: [],
      })
      const pages = await collect(profiles.scan(9, { pageSize: 2 }))
      expect(pages.flat().map((profile) => profile.id)).toEqual(ids.filter((_, i) => i !== 2))
      expect(pages.every((page) => page.length <= 2)).toBe(true)
      expect(corrupt).toHaveLength(1)
      expect(await collect(profiles.scan(10))).toEqual([])
    },
  )

  fact('an opt-out is kept as a keyed hash and outlives the profile [SEC-79]', async ({ profiles, records }) => {
    const id = '77:person@example.org' as ProfileId
    const profile = await stored(profiles, id)
    const followUps: FollowUp[] = [{ kind: 'optout', target: id, atMs: NOW }]
    const optOut = { level: 'partner', reason: 'request', atMs: NOW } as const
    const pending = await profiles.recordOptOut(id, optOut, EVENT, followUps)
    expect(pending.map((each) => each.followUp)).toEqual(followUps)
    expect(await collect(profiles.pendingFollowUps())).toEqual(pending)
    for (const each of pending) await profiles.finishFollowUp(each)
    expect(await profiles.remove(profile, EVENT, [])).toBe(true)
    expect(await profiles.optOuts([device(1), id])).toEqual([undefined, optOut])
    const kept = await scanned(records, Kind.optOut)
    expect(kept).toHaveLength(1)
    expect(kept[0]?.key).toHaveLength(19)
    const other = await openProfileStore(records, { optOutKey: Buffer.from('another secret of enough bytes') })
    expect(await other.optOuts([id])).toEqual([undefined])
  })

  fact(
    'a partner opt-out takes nothing back from a global one; a damaged one reads as global [SEC-79]',
    async ({ profiles, records, corrupt }) => {
      const global = { level: 'global', reason: 'consent', atMs: NOW } as const
      const partner = { level: 'partner', reason: 'request', atMs: NOW + 1_000 } as const
      await profiles.recordOptOut(device(1), partner, EVENT, [])
      await Promise.all([
        profiles.recordOptOut(device(1), global, EVENT, []),
        profiles.recordOptOut(device(1), partner, EVENT, []),
      ])
      expect(await profiles.optOuts([device(1)])).toEqual([global])
      const [{ key }] = (await scanned(records, Kind.optOut)) as [StoredRecord]
      await records.commit({ puts: [{ key, record: Buffer.from('damaged') }], deletes: [] })
      expect((await profiles.optOuts([device(1)])).map((optOut) => optOut?.level)).toEqual(['global'])
      expect(corrupt).toEqual([key])
    },
  )

  fact(
    'removing takes the profile with its due entry and outbox markers, once, if the revision still holds',
    async ({ profiles, records }) => {
      const profile = await stored(profiles, device(1), { dueMs: NOW })
      const followUps: FollowUp[] = [{ kind: 'unlink', target: device(2), other: device(1), atMs: NOW }]
      expect(await profiles.remove({ ...profile, revision: 9 }, EVENT, followUps)).toBe(false)
      const [four, five] = [4, 5].map((n) => n as DestinationId) as [DestinationId, DestinationId]
      const marker = { key: outboxKey(profile.id, four), record: sealOutboxMarker({ revision: 1, atMs: NOW }) }
      await records.commit({ puts: [marker], deletes: [] })
      expect(await profiles.remove(profile, EVENT, followUps, [four, five])).toBe(true)
      expect(await records.getMany([marker.key])).toEqual([undefined])
      expect(await profiles.remove(profile, EVENT, followUps)).toBe(false)
      expect(await profiles.getMany([profile.id])).toEqual([undefined])
      expect(await scanned(records, Kind.due)).toEqual([])
      expect((await collect(profiles.pendingFollowUps())).map((each) => each.followUp)).toEqual(followUps)
    },
  )

  fact('a short secret for opt-outs is refused [SEC-79]', async ({ records }) => {
    await expect(openProfileStore(records, { optOutKey: Buffer.alloc(15) })).rejects.toThrow(RangeError)
  })
}
