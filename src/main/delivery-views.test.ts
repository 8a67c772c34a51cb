import { expect, test } from 'vitest'
import type { DestinationRule } from '../activation/destination-rules.ts'
import type { DeliveryUser } from '../model/delivery.ts'
import type { DataSourceId, DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery, WrittenUser } from '../store/delivery-record.ts'
import { listedDelivery, viewDelivery, viewDetail } from './delivery-views.ts'

function finish<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

const deliveryId = 'dl_AAAAAAAAAAAAAAAAAAAAAA' as DeliveryId
const message = (users: readonly DeliveryUser[], written?: readonly WrittenUser[]): StoredDelivery => ({
  deliveryId,
  destinationId: 423 as DestinationId,
  status: 'acknowledged',
  reason: null,
  createdAtMs: 0,
  finishedAtMs: 1,
  method: 'POST',
  url: 'https://partner.example/in',
  body: '{}',
  users,
  attempts: [],
  nextAttemptMs: 0,
  replayOf: null,
  headers: [],
  roundId: deliveryId,
  roundSize: 1,
  attemptsBefore: 0,
  aamWouldDrop: false,
  ...(written !== undefined && { written }),
})
const user = (name: string, active: number[], inactive: number[] = []): DeliveryUser => ({
  profileId: `d:${name}` as ProfileId,
  revision: 1,
  active,
  inactive,
})
const wrote = (partnerId: string, segments: WrittenUser['segments']): WrittenUser => ({
  dataSourceId: 2001 as DataSourceId,
  partnerId,
  segments,
})
const view = (delivery: StoredDelivery) =>
  viewDelivery(finish(listedDelivery(delivery)), new Map([[423, 'Halden DSP']]), new Map([[1, 'One']]))

test('a list says of each message whom it went to and what it says of most users, five at most [OPS-51]', () => {
  const written = [
    wrote(
      'a',
      [1, 2, 3, 4, 5, 6].map((sid) => [sid, `code-${sid}`, 1] as const),
    ),
    wrote('b', [
      [6, 'code-6', 1],
      [1, 'code-1', 0],
    ]),
  ]
  const listed = view(message([user('a', [1, 2, 3, 4, 5, 6]), user('b', [6], [1])], written))
  expect(listed).toMatchObject({ destinationName: 'Halden DSP', segmentCount: 7 })
  expect(listed.segments).toEqual([
    { sid: 6, name: 'deleted segment 6', status: 1, users: 2 },
    { sid: 1, name: 'One', status: 1, users: 1 },
    { sid: 2, name: 'deleted segment 2', status: 1, users: 1 },
    { sid: 3, name: 'deleted segment 3', status: 1, users: 1 },
    { sid: 4, name: 'deleted segment 4', status: 1, users: 1 },
  ])
})

test('a user under two partner IDs counts once; a record of an early version is read from its users [OPS-51]', () => {
  const twice = message([user('a', [1]), user('a', [1])], [wrote('a', [[1, 'code', 1]]), wrote('a2', [[1, 'code', 1]])])
  expect(view(twice).segments).toEqual([{ sid: 1, name: 'One', status: 1, users: 1 }])
  expect(view(message([user('a', [], [1])])).segments).toEqual([{ sid: 1, name: 'One', status: 0, users: 1 }])
})

test('values of free headers are hidden also in records that early versions wrote in clear [SEC-63~]', () => {
  const headers = [
    ['User-Agent', 'Usher/0.1'],
    ['X-Api-Key', 'canary-of-a-header'],
    ['X-Signature', 'c2ln'],
  ] as const
  const delivery = {
    deliveryId: 'dl_1',
    users: [],
    attempts: [],
    createdAtMs: 0,
    finishedAtMs: 0,
    status: 'acknowledged',
    method: 'POST',
    url: 'https://in.halden.example/aam',
    body: '{}',
    headers,
  } as unknown as StoredDelivery
  const config = { auth: { type: 'none' }, mode: 'durable', headers: { 'X-Api-Key': 'canary-of-a-header' } }
  const destination = { config } as unknown as DestinationRule
  const { request } = viewDetail(delivery, { destination, destinationName: 'Halden', segmentNames: new Map() })
  expect(request.headers).toEqual({ 'User-Agent': 'Usher/0.1', 'X-Api-Key': '***', 'X-Signature': 'c2ln' })
})

test('asked for one device, a list tells what a message said of that device alone', () => {
  const both = message([user('anna', [7, 8], [9]), user('bert', [7])])
  const said = (...ids: string[]) =>
    finish(
      listedDelivery(
        both,
        ids.map((id) => `d:${id}` as ProfileId),
      ),
    ).segments
  expect(said('anna')).toEqual([
    { sid: 7, status: 1, users: 1, lastUser: 'd:anna' },
    { sid: 8, status: 1, users: 1, lastUser: 'd:anna' },
    { sid: 9, status: 0, users: 1, lastUser: 'd:anna' },
  ])
  expect(said('bert').map(({ sid }) => sid)).toEqual([7])
})
