import { expect, test } from 'vitest'
import { type DestinationId, type DeviceId, deviceProfileId, type ProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import { openDeliveryStore } from '../store/delivery-store.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import { Backlog } from './backlog.ts'

const DESTINATION = 7 as DestinationId
const ROOM = 2
const atOnce = <T>(work: () => Promise<T>) => work()

/** Devices in the order in which a pass over the markers meets them. */
const devices = [1, 2, 3, 4, 5]
  .map((n) => deviceProfileId(String(n).padStart(38, '0') as DeviceId))
  .sort((a, b) => partitionOf(a) - partitionOf(b))

async function openBacklog(owed = devices) {
  const store = openDeliveryStore(await openMemoryRecordStore())
  const backlog = new Backlog(DESTINATION, store, ROOM)
  for (const profileId of owed) {
    await store.owe(profileId, DESTINATION, 1_000)
    backlog.add(profileId, null, 1_000)
  }
  const done = new Set<ProfileId>()
  const take = (profileId: ProfileId, sinceMs: number) =>
    done.has(profileId) || backlog.has(profileId) || backlog.add(profileId, null, sinceMs)
  /** What is in memory is told, and its markers stay for now, as those of messages on their way do. */
  const tell = () => {
    const taken = backlog.take(ROOM).map(({ profileId }) => profileId)
    for (const profileId of taken) done.add(profileId)
    return taken
  }
  return { backlog, done, tell, refill: () => backlog.refill(take, atOnce) }
}

test('profiles beyond the room in memory are found again on disk, each once, and then nothing more is looked for [SEC-44]', async () => {
  const { backlog, tell, refill } = await openBacklog()
  expect([backlog.size, backlog.moreOnDisk]).toEqual([ROOM, true])
  const told = [...tell()]
  for (let pass = 0; pass < 4 && backlog.needsRefill(1); pass++) {
    await refill()
    told.push(...tell())
  }
  expect(told.sort()).toEqual([...devices].sort())
  expect([backlog.moreOnDisk, backlog.needsRefill(1)]).toEqual([false, false])
})

test('one pass is enough where it finds room for all that was left [SEC-44]', async () => {
  const { backlog, tell, refill } = await openBacklog(devices.slice(0, 3))
  const told = tell()
  await refill()
  expect([[...told, ...tell()], backlog.moreOnDisk]).toEqual([devices.slice(0, 3), false])
})

test('what found no room in the first half of a pass is looked for in another one, from the beginning [SEC-44]', async () => {
  const { backlog, done, tell, refill } = await openBacklog()
  tell()
  // It stops where there is no more room, behind the first four; meanwhile the first one changed, and was dropped.
  await refill()
  const late = devices[0] as ProfileId
  expect(backlog.add(late, null, 2_000)).toBe(false)
  done.delete(late)
  tell()
  await refill()
  expect([tell(), backlog.moreOnDisk]).toEqual([[devices[4]], true])
  await refill()
  expect([tell(), backlog.moreOnDisk]).toEqual([[late], false])
})
