import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import type { DataSourceId } from '../model/ids.ts'
import { LeaveReason } from '../model/profile.ts'
import {
  DESTINATION,
  deviceIn,
  deviceOf,
  linkOf,
  manualTimers,
  messageOf,
  NOW,
  OTHER,
  openWorkbench,
  PARTNER,
  profileIdOf,
  rulesOf,
  segmentsOf,
  startReceiver,
  told,
  until,
} from './workbench.conformance.ts'

const at = NOW / 1000

test('a committed marker becomes one message of exactly the documented keys, and is gone [SEC-40] [OUT-20] [OUT-211]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100, 101, 999]))
  await bench.idle()

  expect(receiver.requests).toHaveLength(1)
  const [request] = receiver.requests
  expect(request).toMatchObject({ method: 'POST', url: '/in', headers: { 'content-type': 'application/json' } })
  expect(request?.body).toBe(
    `{"ProcessTime":"Sun Nov 22 12:00:00 UTC 2026","User_DPID":"77052","Client_ID":"74323","AAM_Destination_Id":"423","User_count":"1","Users":[` +
      `{"AAM_UUID":"${deviceOf(1)}","DataPartner_UUID":"user-1","AAM_Regions":["9"],"Segments":[` +
      `{"Segment_ID":"100","Status":"1","DateTime":"Sun Nov 22 12:00:00 UTC 2026"},{"Segment_ID":"101","Status":"1","DateTime":"Sun Nov 22 12:00:00 UTC 2026"}]}]}`,
  )
  const [ended] = bench.ended
  expect(ended).toMatchObject({
    status: 'acknowledged',
    body: request?.body,
    attempts: [{ number: 1, outcome: 'acknowledged', httpStatus: 200, error: null }],
  })
  expect(await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)])).toMatchObject([
    { isOwed: false, told: { active: [100, 101], state: 'acknowledged', deliveryId: ended?.deliveryId } },
  ])
  expect((await bench.deliveries.list({ profileIds: [profileIdOf(1)], page: 0, pageSize: 10 })).list).toEqual([ended])
})

test('changes that wait are sent as one, from the profile as it is then [SEC-43~]', async () => {
  await using receiver = await startReceiver()
  const timers = manualTimers()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, batchMaxWaitMs: 50 } }] },
    { after: timers.after },
  )
  await bench.commit(deviceIn(1, [100]))
  await bench.commit(deviceIn(1, [101]))
  await bench.commit(deviceIn(2, [100]))
  expect(receiver.requests).toHaveLength(0)
  timers.advance(50)
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 101+', 'user-2: 100+']])
})

test('a message leaves when it is full or when the first user has waited long enough [OUT-38] [OUT-39]', async () => {
  await using receiver = await startReceiver()
  const timers = manualTimers()
  const config = { url: receiver.url, batchMaxWaitMs: 50, usersPerMessage: 3 }
  await using bench = await openWorkbench(
    { destinations: [{ config }] },
    { after: timers.after, limits: { concurrency: 1 } },
  )
  for (const n of [1, 2, 3, 4]) await bench.commit(deviceIn(n, [100]))
  await receiver.count(1)
  await until(() => bench.ended.length === 1)
  expect(receiver.requests.map((request) => messageOf(request).User_count)).toEqual(['3'])
  expect(timers.waits()).toEqual([50])
  timers.advance(49)
  expect(bench.dispatcher.stats().destinations[0]?.queued).toBe(1)
  timers.advance(1)
  await bench.idle()
  expect(receiver.requests.map((request) => messageOf(request).User_count)).toEqual(['3', '1'])
})

test('a newer state waits until the message before it has ended, and is then sent [SEC-42~]', async () => {
  let answer = () => {}
  await using receiver = await startReceiver((response, _request, number) => {
    if (number === 1) answer = () => response.end()
    else response.end()
  })
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100]))
  await receiver.count(1)
  await bench.commit(deviceIn(1, [101], { segments: segmentsOf({ 100: { at, left: LeaveReason.rule }, 101: { at } }) }))
  await bench.commit(deviceIn(2, [101]))
  await receiver.count(2)
  expect(receiver.requests.map(told)).toEqual([['user-1: 100+'], ['user-2: 101+']])
  answer()
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100+'], ['user-2: 101+'], ['user-1: 100- 101+']])
})

test('a Status 0 goes in every message until one was delivered, then no more [OUT-46] [OUT-49] [OUT-57] [OUT-29]', async () => {
  await using receiver = await startReceiver((response, _request, number) =>
    response.writeHead(number === 2 || number === 3 ? 500 : 200).end(),
  )
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url, mode: 'compat' } }] })
  const left = segmentsOf({ 100: { at: at - 60, left: LeaveReason.ttl }, 101: { at } })
  await bench.commit(deviceIn(1, [100, 101]))
  await bench.idle()
  await bench.commit(deviceIn(1, [], { segments: left }))
  await bench.idle()
  await bench.commit(deviceIn(1, [], { segments: left }))
  await bench.idle()
  await bench.commit(deviceIn(1, [], { segments: left }))
  await bench.idle()
  expect(receiver.requests.map((request) => told(request)[0])).toEqual([
    'user-1: 100+ 101+',
    'user-1: 101+ 100-', // refused, and its one repetition
    'user-1: 101+ 100-',
    'user-1: 101+ 100-', // delivered
    'user-1: 101+',
  ])
  expect(messageOf(receiver.requests[3] ?? { body: '' }).Users[0]?.Segments[1]?.DateTime).toBe(
    'Sun Nov 22 11:59:00 UTC 2026',
  )
})

test('every partner ID is an entry of its own and gets the Status 0, later ones included [OUT-41] [OUT-42]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100], { links: [linkOf('old|ID', { syncedAtMs: NOW - 9 })] }))
  await bench.idle()
  const links = [linkOf('old|ID', { syncedAtMs: NOW - 9 }), linkOf('new')]
  await bench.commit(deviceIn(1, [], { links, segments: segmentsOf({ 100: { at, left: LeaveReason.rule } }) }))
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['old|ID: 100+'], ['new: 100-', 'old|ID: 100-']])
  expect(messageOf(receiver.requests[1] ?? { body: '' }).Users.map((user) => user.AAM_UUID)).toEqual([
    deviceOf(1),
    deviceOf(1),
  ])
})

test("where one of a user's partner IDs did not get the Status 0 it stays owed to all [OUT-41] [OUT-57]", async () => {
  let refused = ''
  await using receiver = await startReceiver((response, request) =>
    response.writeHead(refused !== '' && request.body.includes(refused) ? 400 : 200).end(),
  )
  await using bench = await openWorkbench({
    destinations: [{ config: { url: receiver.url, mode: 'compat', usersPerMessage: 1 } }],
  })
  const links = [linkOf('a'), linkOf('b')]
  const gone = deviceIn(1, [], { links, segments: segmentsOf({ 100: { at, left: LeaveReason.rule } }) })
  await bench.commit(deviceIn(1, [100], { links }))
  await bench.idle()
  refused = '"b"'
  await bench.commit(gone)
  await bench.idle()
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]?.told?.active).toEqual([100])
  refused = ''
  await bench.commit(gone)
  await bench.idle()
  expect(receiver.requests.slice(-2).flatMap(told).sort()).toEqual(['a: 100-', 'b: 100-'])
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]?.told?.active).toEqual([])
})

test('IDs of several data sources travel in separate messages [OUT-40]', async () => {
  const android = 20914 as DataSourceId
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({
    destinations: [{ config: { url: receiver.url, userDpid: [PARTNER, android] } }],
  })
  await bench.commit(deviceIn(1, [100], { links: [linkOf('web'), linkOf('gaid', { dataSourceId: android })] }))
  await bench.idle()
  const byDpid = receiver.requests.map((request) => [messageOf(request).User_DPID, ...told(request)]).sort()
  expect(byDpid).toEqual([
    ['20914', 'gaid: 100+'],
    ['77052', 'web: 100+'],
  ])
})

test('a user without a partner ID is not sent, unless the destination takes such users [OUT-43]', async () => {
  await using receiver = await startReceiver()
  const destinations = [
    { config: { url: receiver.url } },
    { id: OTHER, config: { url: receiver.url, sendWithoutPartnerId: true } },
  ]
  await using bench = await openWorkbench({ destinations })
  await bench.commit(deviceIn(1, [100], { links: [linkOf('elsewhere', { dataSourceId: 5 as DataSourceId })] }), [
    DESTINATION,
    OTHER,
  ])
  await until(() => bench.ended.length === 1)
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([[': 100+']])
  expect(bench.dispatcher.stats().destinations.find((one) => one.destinationId === DESTINATION)?.skipped).toEqual({
    no_partner_id: 1,
  })
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]).toEqual({ told: undefined, isOwed: false })
})

test('after withdrawn consent only the zeros leave, then nothing [SEC-74] [COL-251]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  const consent = { decidedAtMs: NOW, fingerprint: '', reason: 'tcf_vendor', deniedDestinations: [DESTINATION] }
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  await bench.commit(deviceIn(1, [100, 101], { consent }))
  await bench.idle()
  await bench.commit(deviceIn(1, [100, 101], { consent }))
  await bench.idle()
  expect(receiver.requests.map(told)).toEqual([['user-1: 100+'], ['user-1: 100-']])
})

test('a message that waits when consent is withdrawn is replaced: no further segment of that user leaves [SEC-74]', async () => {
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
  const consent = { decidedAtMs: NOW, fingerprint: '', reason: 'tcf_vendor', deniedDestinations: [DESTINATION] }
  await bench.commit(deviceIn(1, [100], { consent }))
  timers.advance(6_000)
  await until(() => bench.ended.length === 1)
  timers.advance(10)
  await bench.idle()
  expect(bench.ended).toMatchObject([{ status: 'superseded', reason: 'consent_withdrawn' }, { status: 'acknowledged' }])
  expect(receiver.requests.map((request) => told(request).sort())).toEqual([
    ['user-1: 100+', 'user-2: 100+'],
    ['user-1: 100-', 'user-2: 100+'],
  ])
})

test('a GET destination gets one signed request for each user, path and query from its template [OUT-69] [OUT-209]', async () => {
  await using receiver = await startReceiver()
  const config = {
    url: receiver.url,
    method: 'GET',
    urlTemplate:
      '/from-aam-s2s?uuid=<DP_UUID>&sids=<SEGMENT_LIST;separator=",">&off=<REMOVED_SEGMENT_LIST;separator=",">',
    mode: 'compat',
    auth: { type: 'hmac', keys: [{ key: 'sample_partner_private_key' }] },
  }
  await using bench = await openWorkbench({ destinations: [{ config }] })
  await bench.commit(deviceIn(1, [100, 101], { links: [linkOf('a|b c')] }))
  await bench.idle()
  expect(receiver.requests[0]).toMatchObject({
    method: 'GET',
    url: '/from-aam-s2s?uuid=a%7Cb%20c&sids=100,101&off=',
    body: '',
  })
  const expected = createHmac('sha1', 'sample_partner_private_key')
    .update(receiver.requests[0]?.url ?? '')
    .digest('base64')
  expect(receiver.requests[0]?.headers['x-signature']).toBe(expected)
})

test('a waiting GET follows its endpoint to a new host: nothing more, and no new password, reaches the old one [SEC-55]', async () => {
  await using old = await startReceiver((response) => response.writeHead(500).end())
  await using moved = await startReceiver()
  const timers = manualTimers()
  const at = (url: string, password: string) => {
    const auth = { type: 'basic', username: 'usher', password }
    return { destinations: [{ config: { url, method: 'GET', urlTemplate: '/sync?id=<DP_UUID>', auth } }] }
  }
  await using bench = await openWorkbench(at(old.url, 'old password'), { after: timers.after })
  await bench.commit(deviceIn(1, [100]))
  await until(() => timers.waits().length === 1)
  bench.rules = rulesOf(at(moved.url, 'new password'))
  bench.dispatcher.rulesChanged()
  timers.advance(6_000)
  await bench.idle()
  expect([old, moved].map(({ requests }) => requests.map(({ url }) => url))).toEqual([
    ['/sync?id=user-1'],
    ['/sync?id=user-1'],
  ])
  expect(bench.ended[0]?.url).toBe(`http://127.0.0.1:${moved.port}/sync?id=user-1`)
})

test('during a rotation each message bears both signatures over its exact bytes [OUT-68] [OUT-72] [OUT-73]', async () => {
  await using receiver = await startReceiver()
  const keys = [{ key: 'sample_partner_private_key' }, { key: 'another_partner_private_key' }]
  await using bench = await openWorkbench({
    destinations: [{ config: { url: receiver.url, auth: { type: 'hmac', keys } } }],
  })
  await bench.commit(deviceIn(1, [100], { links: [linkOf('ümlaut')] }))
  await bench.idle()
  const [request] = receiver.requests
  const sign = (key: string) =>
    createHmac('sha256', key)
      .update(request?.body ?? '')
      .digest('base64')
  expect(request?.headers).toMatchObject({
    'x-signature': sign(keys[0]?.key ?? ''),
    'x-signature-next': sign(keys[1]?.key ?? ''),
  })
})
