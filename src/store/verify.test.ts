import { expect, test } from 'vitest'
import type { DataSourceId, DestinationId, DeviceId, EventId, ProfileId } from '../model/ids.ts'
import { newProfile, type Profile } from '../model/profile.ts'
import { openTemporaryStore } from './embedded/temporary-store.conformance.ts'
import { dueKey, outboxKey, profileKey } from './keys.ts'
import { openOptOut } from './opt-out-record.ts'
import { sealProfile } from './profile-codec.ts'
import { device } from './profile-store.conformance.ts'
import { openProfileStore } from './profiles.ts'
import { sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { RecordStore } from './record-store.ts'
import { verifyStore } from './verify.ts'

const NOW = 1_770_000_000_000
const EVENT = Buffer.alloc(8).toString('base64') as EventId
const empty = sealRecord(1, 0, Buffer.alloc(0))

const put = (records: RecordStore, key: Buffer, record: Buffer): Promise<boolean> =>
  records.commit({ puts: [{ key, record }], deletes: [] })
const putProfile = (records: RecordStore, profile: Profile): Promise<boolean> =>
  put(records, profileKey(profile.id), sealProfile(profile, 1))

/** A device with a partner's id, and the other side of that link. */
function linkedPair(number: number): [Profile, Profile] {
  const id = device(number)
  const link = {
    dataSourceId: 77 as DataSourceId,
    id: `p${number}`,
    syncedAtMs: NOW,
    authState: 0,
    authenticatedAtMs: 0,
  } as const
  const devices = [{ deviceId: id.slice(2) as DeviceId, syncedAtMs: NOW }]
  return [
    { ...newProfile(id, NOW), links: [link] },
    { ...newProfile(`77:p${number}` as ProfileId, NOW), devices },
  ]
}

async function writeSound(records: RecordStore): Promise<void> {
  const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(16, 1) })
  for (let i = 0; i < 30; i++) {
    for (const profile of linkedPair(i)) {
      const update = {
        profile: { ...profile, dueMs: NOW + i * 1_000 },
        previousDueMs: 0,
        outbox: [4 as DestinationId],
        eventId: EVENT,
        followUps: [],
      }
      await profiles.commit(update)
    }
  }
  await profiles.recordOptOut(device(1), { level: 'global', reason: 'request', atMs: NOW }, EVENT, [
    { kind: 'optout', target: device(1), atMs: NOW },
  ])
}

test('a sound store has no findings, and every record of it is counted [SEC-60]', async () => {
  await using opened = await openTemporaryStore()
  await writeSound(opened.store)
  const progress: [number, number][] = []
  const report = await verifyStore(opened.store, { onProgress: (...step) => progress.push(step) })
  expect(Object.values(report.findings)).toEqual(Object.values(report.findings).map(() => ({ count: 0, samples: [] })))
  expect(report.kinds).toEqual({ profile: 60, due: 60, outbox: 60, optOut: 1, followUp: 1 })
  expect(report.records).toBe(182)
  const [done, total] = progress.at(-1) ?? []
  expect(done).toBeGreaterThan(0)
  expect(done).toBe(total)
})

test('each kind of fault is found, counted and shown [SEC-60]', async () => {
  await using opened = await openTemporaryStore()
  const records = opened.store
  await writeSound(records)
  await put(records, profileKey(device(500)), Buffer.from('damaged'))
  await put(records, dueKey(device(501), NOW), empty)
  await put(records, dueKey(device(3), NOW + 900_000), empty)
  await putProfile(records, { ...newProfile(device(502), NOW), dueMs: NOW })
  await put(records, outboxKey(device(503), 4 as DestinationId), empty)
  await putProfile(records, linkedPair(504)[0])
  await putProfile(records, linkedPair(505)[1])
  const { findings } = await verifyStore(records)
  const samples = Object.fromEntries(
    Object.entries(findings).map(([finding, { samples }]) => [finding, [...samples].sort()]),
  )
  expect(samples).toEqual({
    damaged: [profileKey(device(500)).toString('hex')],
    due_without_profile: [device(501), device(3)].sort(),
    profile_without_due: [device(502)],
    outbox_without_profile: [device(503)],
    link_without_reverse: [device(504), '77:p505'].sort(),
  })
  expect(Object.values(findings).map(({ count }) => count)).toEqual([1, 2, 1, 1, 2])
})

test('a link whose other side waits in a follow-up is no finding', async () => {
  await using opened = await openTemporaryStore()
  const profiles = await openProfileStore(opened.store, { optOutKey: Buffer.alloc(16, 1) })
  const [profile, other] = linkedPair(1)
  const followUps = [
    { kind: 'link', target: other.id, deviceId: profile.id.slice(2) as DeviceId, links: [], atMs: NOW },
  ] as const
  await profiles.commit({ profile, previousDueMs: 0, outbox: [], eventId: EVENT, followUps })
  expect((await verifyStore(opened.store)).findings.link_without_reverse.count).toBe(0)
})

test('while profiles change under it, verifying invents nothing [SEC-60]', async () => {
  await using opened = await openTemporaryStore()
  const profiles = await openProfileStore(opened.store, { optOutKey: Buffer.alloc(16, 1) })
  await writeSound(opened.store)
  let isOver = false
  const change = async (id: ProfileId): Promise<void> => {
    while (!isOver) {
      const [profile] = (await profiles.getMany([id])) as [Profile]
      const dueMs = profile.dueMs === 0 ? NOW : (profile.dueMs + 7_000) % (NOW * 2)
      await profiles.commit({
        profile: { ...profile, dueMs },
        previousDueMs: profile.dueMs,
        outbox: [],
        eventId: EVENT,
        followUps: [],
      })
      await new Promise(setImmediate)
    }
  }
  const changes = Array.from({ length: 30 }, (_, i) => change(device(i)))
  const { findings } = await verifyStore(opened.store).finally(() => {
    isOver = true
  })
  await Promise.all(changes)
  expect(Object.values(findings).map(({ count }) => count)).toEqual([0, 0, 0, 0, 0])
})

test('a repair puts right what is found: nothing is found afterwards, and what was sound is untouched [SEC-60]', async () => {
  await using opened = await openTemporaryStore()
  const records = opened.store
  await writeSound(records)
  const before = await records.getMany([profileKey(device(7)), dueKey(device(7), NOW + 7_000)])
  const strayKey = Buffer.concat([Buffer.of(0x0f, 0xff), dueKey(device(9), NOW).subarray(2)])
  await put(records, profileKey(device(500)), Buffer.from('damaged'))
  await put(records, strayKey, empty)
  await put(records, dueKey(device(501), NOW), empty)
  await putProfile(records, { ...newProfile(device(502), NOW), dueMs: NOW })
  await put(records, outboxKey(device(503), 4 as DestinationId), empty)
  await putProfile(records, linkedPair(504)[0])
  await putProfile(records, linkedPair(505)[1])
  const optOutKey = Buffer.concat([Buffer.of(0, 1, Kind.optOut), Buffer.alloc(16, 9)])
  await put(records, optOutKey, Buffer.from('damaged'))

  const { findings } = await verifyStore(records, { repairs: true })
  expect(Object.values(findings).map(({ count }) => count)).toEqual([3, 1, 1, 1, 2])
  const after = await verifyStore(records)
  expect(Object.values(after.findings).map(({ count }) => count)).toEqual([0, 0, 0, 0, 0])
  expect(await records.getMany([profileKey(device(7)), dueKey(device(7), NOW + 7_000)])).toEqual(before)
  const [profile, due, optOut] = await records.getMany([profileKey(device(500)), dueKey(device(502), NOW), optOutKey])
  expect(profile).toBeUndefined()
  expect(due).toBeDefined()
  expect(openOptOut(optOut as Buffer)).toMatchObject({ isDamaged: false, optOut: { level: 'global' } })
  const waiting = []
  const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(16, 1) })
  for await (const { followUp } of profiles.pendingFollowUps()) waiting.push([followUp.kind, followUp.target])
  expect(waiting).toContainEqual(['link', '77:p504'])
  expect(waiting).toContainEqual(['unlink', '77:p505'])
})
