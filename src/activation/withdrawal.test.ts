import { expect, test } from 'vitest'
import { type DataSourceId, declaredProfileId, type EventId, type ProfileId } from '../model/ids.ts'
import { LeaveReason } from '../model/profile.ts'
import { openTemporaryStore } from '../store/embedded/temporary-store.conformance.ts'
import {
  DESTINATION,
  deviceIn,
  linkOf,
  manualTimers,
  NOW,
  openWorkbench,
  PARTNER,
  PERSON,
  profileIdOf,
  segmentsOf,
  startReceiver,
  told,
  until,
  type Workbench,
} from './workbench.conformance.ts'

/** No Status 1 leaves after an opt-out or a withdrawn consent, however a message waited; the zeros do. */

const at = NOW / 1000
const optedOut = segmentsOf({ 100: { at, left: LeaveReason.optout } })
const consent = { decidedAtMs: NOW, fingerprint: '', reason: 'tcf_vendor', deniedDestinations: [DESTINATION] }
const recordOptOut = ({ profiles }: Workbench, profileId: ProfileId) =>
  profiles.recordOptOut(profileId, { level: 'partner', reason: 'request', atMs: NOW }, 'AAAAAAAAAAA=' as EventId, [])

test('an opted-out partner ID gets no Status 1 through another device either, its zeros once [SEC-79] [COL-228~] [OUT-52~]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100], { links: [linkOf('anna')] }))
  await bench.idle()
  await recordOptOut(bench, declaredProfileId(PARTNER, 'anna'))
  await bench.commit(deviceIn(1, [100, 101], { links: [linkOf('anna')] }))
  await bench.idle()
  await bench.commit(deviceIn(1, [100, 101], { links: [linkOf('anna')] }))
  await bench.idle()
  await bench.commit(deviceIn(2, [100], { links: [linkOf('anna')] }))
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['anna: 100+'], ['anna: 100-']])
})

test('beside an opted-out partner ID the others of the device are told as before [SEC-79] [OUT-41]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  const links = [linkOf('anna', { syncedAtMs: NOW - 9 }), linkOf('shop')]
  await bench.commit(deviceIn(1, [100], { links }))
  await bench.idle()
  await recordOptOut(bench, declaredProfileId(PARTNER, 'anna'))
  await bench.commit(deviceIn(1, [100], { links }))
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([
    ['shop: 100+', 'anna: 100+'],
    ['shop: 100+', 'anna: 100-'],
  ])
})

test('an opted-out device is told of with zeros only, even while its profile still holds the segment [SEC-79]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  await recordOptOut(bench, profileIdOf(1))
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100+'], ['user-1: 100-']])
})

test('a message that waited for a token, never tried, does not leave after the opt-out [SEC-74] [SEC-79]', async () => {
  let isTokenDown = true
  await using tokens = await startReceiver((response) =>
    isTokenDown ? response.writeHead(500).end() : response.end('{"token_type":"Bearer","access_token":"abc"}'),
  )
  await using receiver = await startReceiver()
  const timers = manualTimers()
  const auth = { type: 'oauth2', tokenUrl: tokens.url, clientId: 'a', clientSecret: 'b'.repeat(20) }
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, auth } }] },
    { after: timers.after },
  )
  await bench.commit(deviceIn(1, [100]))
  await until(() => timers.waits().length === 1)
  await bench.commit(deviceIn(1, [], { segments: optedOut }))
  isTokenDown = false
  timers.advance(10_000)
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100-']])
})

test('a repetition is judged by the opt-out, not by why a segment was left first [SEC-79]', async () => {
  await using receiver = await startReceiver((response, _request, number) =>
    response.writeHead(number === 1 ? 500 : 200).end(),
  )
  const timers = manualTimers()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url } }] },
    { after: timers.after },
  )
  await bench.commit(deviceIn(1, [100]))
  await until(() => timers.waits().length === 1)
  await bench.commit(deviceIn(1, [], { segments: segmentsOf({ 100: { at, left: LeaveReason.rule } }) }))
  await recordOptOut(bench, profileIdOf(1))
  timers.advance(10_000)
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100+'], ['user-1: 100-']])
  expect(bench.ended[0]).toMatchObject({ status: 'superseded' })
})

test('of a round on its way, what was opted out does not leave, and its zeros are not lost behind the rest [SEC-79] [OUT-57]', async () => {
  let answerFirst = () => {}
  await using receiver = await startReceiver((response, _request, number) => {
    if (number === 1) answerFirst = () => response.end()
    else response.end()
  })
  const another = 2002 as DataSourceId
  const config = { url: receiver.url, userDpid: [PARTNER, PERSON, another] }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { limits: { concurrency: 1 } })
  const links = [linkOf('a'), linkOf('anna', { dataSourceId: PERSON }), linkOf('c', { dataSourceId: another })]
  await bench.commit(deviceIn(1, [100], { links }))
  await receiver.count(1)
  // Nothing of the device changes: only the record of the opt-out tells.
  await recordOptOut(bench, declaredProfileId(PERSON, 'anna'))
  answerFirst()
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['a: 100+'], ['c: 100+'], ['a: 100+'], ['anna: 100-'], ['c: 100+']])
})

test('after a restart an untried message does not leave when consent was withdrawn meanwhile [SEC-74]', async () => {
  await using folder = await openTemporaryStore()
  await using receiver = await startReceiver()
  const config = {
    url: receiver.url,
    auth: { type: 'oauth2', tokenUrl: receiver.url, clientId: 'a', clientSecret: 'b'.repeat(20) },
  }
  {
    const timers = manualTimers()
    await using bench = await openWorkbench(
      { destinations: [{ config }] },
      { records: folder.store, after: timers.after },
    )
    await bench.commit(deviceIn(1, [100]))
    await until(() => timers.waits().length === 1)
    await bench.commit(deviceIn(1, [100], { consent }))
  }
  const options = { records: await folder.reopen(), clock: () => NOW + 60_000 }
  receiver.requests.length = 0
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] }, options)
  await until(() => bench.ended.length === 2)
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100-']])
})

test('a dead message that is replayed after an opt-out is replaced by its zeros [SEC-79] [SEC-42~] [SEC-48]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url, mode: 'compat' } }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  await recordOptOut(bench, profileIdOf(1))
  isDead = false
  receiver.requests.length = 0
  const deliveryIds = bench.ended.map((delivery) => delivery.deliveryId)
  expect(await bench.replayed({ deliveryIds, as: 'same' })).toMatchObject([
    { outcome: 'acknowledged', sent: 'current' },
  ])
  expect(receiver.requests.map(told)).toEqual([['user-1: 100-']])
})

test('a message of somebody who was forgotten while it waited ends by that name, and the others in it are told [SEC-74~]', async () => {
  await using receiver = await startReceiver((response, _request, number) =>
    response.writeHead(number === 1 ? 500 : 200).end(),
  )
  const timers = manualTimers()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, batchMaxWaitMs: 10 } }] },
    { after: timers.after },
  )
  await bench.commit(deviceIn(1, [100]))
  await bench.commit(deviceIn(2, [100]))
  timers.advance(10)
  await until(() => timers.waits().some((waitMs) => waitMs > 1_000))
  const [gone] = await bench.profiles.getMany([profileIdOf(1)])
  expect(await bench.profiles.remove(gone as never, 'AAAAAAAAAAA=' as EventId, [], [DESTINATION])).toBe(true)
  timers.advance(6_000)
  await until(() => bench.ended.length === 1)
  timers.advance(10)
  await bench.idle()
  expect(bench.ended).toMatchObject([{ status: 'superseded', reason: 'no_profile' }, { status: 'acknowledged' }])
  expect(receiver.requests.map((request) => told(request).sort())).toEqual([
    ['user-1: 100+', 'user-2: 100+'],
    ['user-2: 100+'],
  ])
})
