import { expect, test } from 'vitest'
import type { DeliveryId } from '../model/ids.ts'
import { LeaveReason } from '../model/profile.ts'
import { newDeliveryId } from '../store/delivery-keys.ts'
import { openTemporaryStore } from '../store/embedded/temporary-store.conformance.ts'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  NOW,
  OTHER,
  openWorkbench,
  profileIdOf,
  rulesOf,
  segmentsOf,
  startReceiver,
  told,
  until,
  type Workbench,
} from './workbench.conformance.ts'

/** What a replay says of each message: what was sent, or why nothing was. */

const left = { segments: segmentsOf({ 100: { at: NOW / 1000, left: LeaveReason.rule } }) }
const idsOf = (bench: Workbench) => bench.ended.map(({ deliveryId }) => deliveryId)

/** Told Status 1, later Status 0; both acknowledged. */
async function comeAndGone(bench: Workbench): Promise<readonly DeliveryId[]> {
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  await bench.commit(deviceIn(1, [], left))
  await bench.idle()
  return idsOf(bench)
}
const plan = async (bench: Workbench, deliveryIds: readonly DeliveryId[], as: 'same' | 'current') => {
  const { plan } = await bench.replay({ deliveryIds, as, dryRun: true })
  return [plan?.unchanged, plan?.rebuilt, plan?.nothingToTell]
}

test('the old message of a user who left is never sent as it was: Status 0 goes, and it says outdated [SEC-42~] [SEC-48]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  const [came = '' as never] = await comeAndGone(bench)
  receiver.requests.length = 0
  expect(await plan(bench, [came], 'same')).toEqual([0, 1, 0])
  expect(receiver.requests).toEqual([])
  const [result] = await bench.replayed({ deliveryIds: [came], as: 'same' })
  expect(receiver.requests.map(told)).toEqual([['user-1: 100-']])
  const sentAs = [bench.ended[2]?.deliveryId]
  const said = { deliveryId: came, destinationId: DESTINATION, outcome: 'acknowledged', sent: 'current' }
  expect(result).toEqual({ ...said, reason: 'outdated', sentAs })
  expect(bench.ended[2]).toMatchObject({ replayOf: came })
  // Nothing of it is left owed, and the next replay says the same.
  expect(await bench.replayed({ deliveryIds: [came], as: 'same' })).toMatchObject([{ sent: 'current' }])
})

test('by the IDs of both, and as current, what holds today arrives once or more, and each message says by which one [SEC-42~]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  const both = await comeAndGone(bench)
  for (const as of ['same', 'current'] as const) {
    receiver.requests.length = 0
    const results = await bench.replayed({ deliveryIds: both, as })
    expect(results).toMatchObject(Array(2).fill({ outcome: 'acknowledged' }))
    expect(receiver.requests.length).toBeGreaterThan(0)
    for (const request of receiver.requests) expect(told(request)).toEqual(['user-1: 100-'])
    const named = new Set(results.flatMap(({ sentAs }) => sentAs))
    for (const deliveryId of named) expect(idsOf(bench)).toContain(deliveryId)
    expect(named.size).toBeGreaterThan(0)
  }
})

test('a partner that takes no Status 0 is sent nothing of a user who left, and the dry run and the result say so [SEC-48] [OUT-59~]', async () => {
  await using receiver = await startReceiver()
  const config = { url: receiver.url, supportsUnsegment: false }
  await using bench = await openWorkbench({ destinations: [{ config }] })
  const [came = '' as never] = await comeAndGone(bench)
  receiver.requests.length = 0
  expect(await plan(bench, [came], 'current')).toEqual([0, 0, 1])
  for (const as of ['same', 'current'] as const)
    expect(await bench.replayed({ deliveryIds: [came], as })).toEqual([
      {
        ...{ deliveryId: came, destinationId: DESTINATION, outcome: 'not_sent', sent: null },
        ...{ reason: 'no_unsegment', sentAs: [] },
      },
    ])
  expect(receiver.requests).toEqual([])
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]?.isOwed).toBe(false)
})

test('what holds no more and can be told by no mapping says nothing_to_tell, or outdated of the same bytes [SEC-48] [OUT-58~]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  const [came = '' as never] = await comeAndGone(bench)
  bench.rules = rulesOf({
    ...{ version: 2, segments: [100] },
    destinations: [{ config: { url: receiver.url }, mappings: [{ segmentId: 101 }] }],
  })
  bench.dispatcher.rulesChanged()
  const reasonOf = async (as: 'same' | 'current') => (await bench.replayed({ deliveryIds: [came], as }))[0]?.reason
  expect([await reasonOf('same'), await reasonOf('current')]).toEqual(['outdated', 'nothing_to_tell'])
})

test('a user who is gone, or has no partner ID any more, is said to be; what is unknown, under way or without a destination too [SEC-48]', async () => {
  let isHanging = false
  await using receiver = await startReceiver((response) => {
    if (!isHanging) response.end()
  })
  const config = { url: receiver.url, usersPerMessage: 1 }
  const both = { destinations: [{ config }, { id: OTHER, config }] }
  await using bench = await openWorkbench(both)
  for (const n of [1, 2, 3]) await bench.commit(deviceIn(n, [100]))
  await bench.idle()
  await bench.commit(deviceIn(9, [100]), [OTHER])
  await bench.idle()
  const [one, two, three, elsewhere] = idsOf(bench)
  const [gone] = await bench.profiles.getMany([profileIdOf(1)])
  await bench.profiles.remove(gone as never, 'AAAAAAAAAAA=' as never, [])
  await bench.commit(deviceIn(2, [100], { links: [] }), [])
  isHanging = true
  await bench.commit(deviceIn(4, [100]))
  await until(() => receiver.requests.length === 5)
  const under = (await bench.deliveries.list({ page: 0, pageSize: 9 })).list.find((one) => one.finishedAtMs === null)
  bench.rules = rulesOf({ destinations: [{ config }] })
  const never = newDeliveryId()
  const asked = [one, two, elsewhere, under?.deliveryId, never] as DeliveryId[]
  const results = await bench.replayed({ deliveryIds: asked, as: 'current' })
  const reasons = new Map(results.map(({ deliveryId, outcome, reason }) => [deliveryId, [outcome, reason]]))
  expect(asked.map((id) => reasons.get(id))).toEqual([
    ['not_sent', 'no_profile'],
    ['not_sent', 'no_partner_id'],
    ['not_sent', 'no_destination'],
    ['not_sent', 'under_way'],
    ['not_sent', 'unknown'],
  ])
  expect(three).toBeDefined()
})

test('a dead letter whose users a newer message told is one no more, and points to it [SEC-41~] [SEC-48]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  const config = { url: receiver.url, mode: 'compat' }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { limits: { compatRetryWaitMs: 0 } })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  const [dead = '' as never] = idsOf(bench)
  const first = bench.ended[0]
  // As long as its replay fails, it stays what it is.
  expect(await bench.replayed({ deliveryIds: [dead], as: 'current' })).toMatchObject([
    { outcome: 'dead', sent: 'current', reason: 'http_400' },
  ])
  expect(await bench.deliveries.get(dead)).toMatchObject({ status: 'dead' })
  isDead = false
  const [result] = await bench.replayed({ deliveryIds: [dead], as: 'current' })
  expect(result).toMatchObject({ outcome: 'acknowledged', sent: 'current', reason: null })
  const [by = '' as never] = result?.sentAs ?? []
  expect(await bench.deliveries.get(dead)).toMatchObject({ status: 'superseded', reason: 'replayed', replayedBy: by })
  expect(await bench.deliveries.get(by)).toMatchObject({ status: 'acknowledged', replayOf: dead })
  expect(await bench.endedIds({ status: 'dead' })).not.toContain(dead)
  // Told as well to those who count dead letters.
  const endedBefore = { status: 'dead', reason: 'http_400', finishedAtMs: first?.finishedAtMs }
  expect(bench.ended.find((one) => one.status === 'superseded')).toMatchObject({ deliveryId: dead, endedBefore })
})

test('the next message of a user who is in one on its way is begun when that has ended, and the others need not wait [SEC-42~] [SEC-48]', async () => {
  let release = () => {}
  await using receiver = await startReceiver((response, _request, number) => {
    if (number === 3) release = () => response.end()
    else response.end()
  })
  const config = { url: receiver.url, usersPerMessage: 1 }
  await using bench = await openWorkbench({ destinations: [{ config }] })
  for (const n of [1, 2]) await bench.commit(deviceIn(n, [100]))
  await bench.idle()
  const deliveryIds = idsOf(bench)
  await bench.commit(deviceIn(1, [100, 101]))
  await receiver.count(3)
  const { replayId = '' } = await bench.replay({ deliveryIds, as: 'same' })
  const standing = () => bench.dispatcher.replays.get(replayId)
  await until(() => standing()?.counts.acknowledged === 1)
  expect(standing()).toMatchObject({ state: 'running', counts: { waiting: 1 } })
  release()
  await until(() => standing()?.state === 'completed')
  expect(receiver.requests.map(told).at(-1)).toEqual(['user-1: 100+ 101+'])
})

test('what a replay said is still said after a restart, and what it had not done is done then [SEC-48] [API-165~]', async () => {
  await using folder = await openTemporaryStore()
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  const defined = { destinations: [{ config: { url: receiver.url, mode: 'compat', usersPerMessage: 1 } }] }
  const ids: string[] = []
  {
    await using bench = await openWorkbench(defined, { records: folder.store })
    for (const n of [1, 2, 3]) await bench.commit(deviceIn(n, [100]))
    await bench.idle()
    isDead = false
    const deliveryIds = idsOf(bench)
    ids.push((await bench.replay({ deliveryIds: deliveryIds.slice(0, 1), as: 'current' })).replayId ?? '')
    await until(() => bench.dispatcher.replays.get(ids[0] ?? '')?.state === 'completed')
    ids.push((await bench.replay({ deliveryIds: deliveryIds.slice(1), as: 'same', perSecond: 0.01 })).replayId ?? '')
    await until(() => bench.dispatcher.replays.get(ids[1] ?? '')?.counts.acknowledged === 1)
  }
  await using bench = await openWorkbench(defined, { records: await folder.reopen() })
  const { replays } = bench.dispatcher
  await until(() => replays.get(ids[1] ?? '')?.state === 'completed')
  expect(replays.list().map(({ replayId, state }) => [replayId, state])).toEqual([
    [ids[1], 'completed'],
    [ids[0], 'completed'],
  ])
  const outcomes = await Promise.all(ids.map((id) => replays.messages(id, 0, 10)))
  expect(outcomes.flat().map(({ outcome, sent }) => [outcome, sent])).toEqual([
    ['acknowledged', 'current'],
    ['acknowledged', 'same'],
    ['acknowledged', 'same'],
  ])
  expect(replays.get(ids[1] ?? '')).toMatchObject({ total: 2, counts: { waiting: 0, queued: 0, acknowledged: 2 } })
})

test('the same bytes are not sent of a user who left where the partner was not told of it either [SEC-42~]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  const config = { url: receiver.url, mode: 'compat', supportsUnsegment: false }
  await using bench = await openWorkbench({ destinations: [{ config }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  await bench.commit(deviceIn(1, [], left), [])
  isDead = false
  receiver.requests.length = 0
  expect(await plan(bench, idsOf(bench), 'same')).toEqual([0, 0, 1])
  expect(await bench.replayed({ deliveryIds: idsOf(bench), as: 'same' })).toMatchObject([{ outcome: 'not_sent' }])
  expect(receiver.requests).toEqual([])
})

test('two replays to one destination together keep to the slower rate, and both go on [SEC-48]', async () => {
  await using receiver = await startReceiver()
  const timers = manualTimers()
  const config = { url: receiver.url, usersPerMessage: 1 }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { after: timers.after })
  for (let n = 1; n <= 6; n++) await bench.commit(deviceIn(n, [100]))
  await bench.idle()
  const ids = idsOf(bench)
  receiver.requests.length = 0
  await bench.replay({ deliveryIds: ids.slice(0, 3), as: 'same', perSecond: 1 })
  await bench.replay({ deliveryIds: ids.slice(3), as: 'same', perSecond: 10 })
  const users = () => receiver.requests.map((request) => told(request)[0]?.slice(0, 6))
  for (let sent = 1; sent <= 6; sent++) {
    await receiver.count(sent)
    await until(() => timers.waits().length === 1)
    // With the last message of the slow one its rate no longer counts.
    expect(timers.waits()).toEqual([sent < 6 ? 1_000 : 100])
    timers.advance(999)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(receiver.requests).toHaveLength(sent)
    timers.advance(1)
    if (sent === 2) expect(users()).toEqual(['user-1', 'user-4'])
  }
})
