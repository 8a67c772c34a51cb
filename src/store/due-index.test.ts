import { expect, test } from 'vitest'
import type { EventId } from '../model/ids.ts'
import { newProfile } from '../model/profile.ts'
import { openTemporaryStore } from './embedded/temporary-store.conformance.ts'
import { dueKey, partitionOfKey, profileKey, startKey } from './keys.ts'
import { device } from './profile-store.conformance.ts'
import { openProfileStore } from './profiles.ts'
import { sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'

const NOW = 1_770_000_000_000
const EVENT = Buffer.alloc(8).toString('base64') as EventId
const empty = sealRecord(1, 0, Buffer.alloc(0))

test('damaged due entries are set aside once, and everybody else is found when their time has come [SEC-60] [AUD-89]', async () => {
  await using opened = await openTemporaryStore()
  const records = opened.store
  const ids = Array.from({ length: 20 }, (_, i) => device(i))
  {
    const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(16, 1) })
    for (const id of ids) {
      const profile = { ...newProfile(id, NOW), dueMs: NOW }
      await profiles.commit({ profile, previousDueMs: 0, outbox: [], eventId: EVENT, followUps: [] })
    }
  }
  const partition = partitionOfKey(profileKey(device(3)))
  const wrong = dueKey(device(900), NOW - 5_000)
  wrong.writeUInt16BE(partition, 0)
  const short = startKey(partition, Kind.due, 2)
  short.writeUInt16BE(1, 3)
  for (const key of [wrong, short]) await records.commit({ puts: [{ key, record: empty }], deletes: [] })

  const corrupt: Buffer[] = []
  const profiles = await openProfileStore(records, {
    optOutKey: Buffer.alloc(16, 1),
    onCorrupt: (key) => corrupt.push(key),
  })
  for (let round = 0; round < 2; round++) {
    const due = await profiles.due(NOW, 1_000)
    expect(due.map(({ profileId }) => profileId).sort()).toEqual([...ids].sort())
  }
  expect(corrupt.map((key) => key.toString('hex')).sort()).toEqual(
    [wrong, short].map((key) => key.toString('hex')).sort(),
  )
  expect(await records.getMany([wrong, short])).toEqual([undefined, undefined])
})

test('profiles whose due entry is missing are filed again, others are left alone [SEC-60] [AUD-89]', async () => {
  await using opened = await openTemporaryStore()
  const records = opened.store
  const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(16, 1) })
  const ids = [device(1), device(2)]
  for (const id of ids) {
    const profile = { ...newProfile(id, NOW), dueMs: NOW }
    await profiles.commit({ profile, previousDueMs: 0, outbox: [], eventId: EVENT, followUps: [] })
  }
  await records.commit({ puts: [], deletes: [dueKey(device(1), NOW)] })
  const again = await openProfileStore(records, { optOutKey: Buffer.alloc(16, 1) })
  expect((await again.due(NOW, 10)).map(({ profileId }) => profileId)).toEqual([device(2)])
  expect(await again.refileDue(partitionOfKey(profileKey(device(1))))).toBe(1)
  expect(await again.refileDue(partitionOfKey(profileKey(device(2))))).toBe(0)
  expect((await again.due(NOW, 10)).map(({ profileId }) => profileId).sort()).toEqual([...ids].sort())
})
