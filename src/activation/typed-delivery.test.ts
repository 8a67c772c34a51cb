import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { exercise } from '../testkit/exercise-destination.ts'
import {
  DESTINATION,
  deviceIn,
  linkOf,
  openWorkbench,
  profileIdOf,
  type Received,
  startReceiver,
  until,
} from './workbench.conformance.ts'

/** A destination of a type that the runner knows nothing of. */
const settings = { ...exercise.example, account: '90071992547409931234' }
const defined = (url: string) => ({ destinations: [{ type: exercise, config: { ...settings, url } }] })
const idOf = (id: string) => createHash('sha256').update('a pepper!').update(id).digest('hex')
const said = ({ body }: Received) =>
  JSON.parse(body) as { account: string; changes: { op: string; list: string; id: string }[] }
const namesOf = (request: Received, names: readonly string[]) => {
  const ids = new Set(said(request).changes.map(({ id }) => id))
  return names.filter((name) => ids.has(idOf(name)))
}
/** Waits of minutes are over at once. */
function atOnce(waitMs: number, run: () => void): () => void {
  const timer = setTimeout(run, Math.min(waitMs, 1))
  return () => clearTimeout(timer)
}

test('its messages are written by the type: the hash its partner wants, the account to the last digit', async () => {
  await using receiver = await startReceiver((response) => response.end('{}'))
  await using bench = await openWorkbench(defined(receiver.url))
  await bench.commit(deviceIn(1, [100], { links: [linkOf(' Some.One@Example.com')] }))
  await until(() => bench.ended.length === 1)
  expect(said(receiver.requests[0] as Received)).toEqual({
    account: '90071992547409931234',
    changes: [{ op: 'add', list: '100', id: idOf('some.one@example.com') }],
  })
  expect(bench.ended).toMatchObject([{ status: 'acknowledged' }])

  // Left: removed under the very same ID.
  await bench.commit(deviceIn(1, [], { links: [linkOf(' Some.One@Example.com')] }))
  await until(() => bench.ended.length === 2)
  expect(said(receiver.requests[1] as Received).changes).toEqual([
    { op: 'remove', list: '100', id: idOf('some.one@example.com') },
  ])
})

test('a partner that takes no user because one is wrong gets all others, and the one is a dead letter', async () => {
  const names = [1, 2, 3, 4].map((n) => `user-${n}`)
  await using receiver = await startReceiver((response, request) =>
    response.end(namesOf(request, names).includes('user-3') ? '{"code":100}' : '{}'),
  )
  await using bench = await openWorkbench(defined(receiver.url), { after: atOnce })
  await bench.dispatcher.pause(DESTINATION)
  for (const n of [1, 2, 3, 4]) await bench.commit(deviceIn(n, [100]))
  await bench.dispatcher.resume(DESTINATION)
  await until(() => bench.ended.some(({ status }) => status === 'dead') && bench.ended.length === 5)
  await bench.idle()
  // All four, then in twos, then the one beside the other alone; its own message is tried three times.
  expect(receiver.requests.map((request) => namesOf(request, names).length).sort()).toEqual([1, 1, 1, 1, 2, 2, 4])
  const taken = bench.ended.filter(({ status }) => status === 'acknowledged').flatMap(({ users }) => users)
  expect(taken.map(({ profileId }) => profileId).sort()).toEqual([1, 2, 4].map(profileIdOf))
  expect(bench.ended.filter(({ status }) => status === 'superseded')).toMatchObject([
    { reason: 'halved', users: [{}, {}, {}, {}] },
    { reason: 'halved', users: [{}, {}] },
  ])
  expect(bench.ended.filter(({ status }) => status === 'dead')).toMatchObject([
    { reason: 'bad_record', users: [{ profileId: profileIdOf(3) }], attempts: [{}, {}, { number: 3 }] },
  ])
})

test('a partner that throttles with 400 is waited for, and nothing is lost', async () => {
  await using receiver = await startReceiver((response, _request, number) => {
    response.statusCode = number === 1 ? 400 : 200
    response.end(number === 1 ? '{"code":4}' : '{}')
  })
  await using bench = await openWorkbench(defined(receiver.url), { after: atOnce })
  await bench.commit(deviceIn(1, [100]))
  await until(() => bench.ended.length === 1)
  expect(bench.ended).toMatchObject([
    {
      status: 'acknowledged',
      attempts: [
        { error: 'throttled', httpStatus: 400 },
        { error: null, httpStatus: 200 },
      ],
    },
  ])
})

test('users that are refused one by one stand beside the message that was taken', async () => {
  await using receiver = await startReceiver((response) => response.end(JSON.stringify({ invalid: ['x'] })))
  await using bench = await openWorkbench({
    destinations: [{ type: exercise, config: { ...settings, url: receiver.url } }],
  })
  await bench.commit(deviceIn(1, [100], { links: [linkOf('user-1'), linkOf('user-2')] }))
  await until(() => bench.ended.length === 1)
  expect(bench.ended).toMatchObject([{ status: 'acknowledged', attempts: [{ error: 'users_refused' }] }])
})

test('settings that cannot be used name the member of the type', async () => {
  await using bench = await openWorkbench({
    destinations: [{ type: exercise, config: { url: 'https://lists.example' } }],
  })
  const { unusable } = [...bench.rules.byId.values()][0] ?? {}
  expect(unusable).toMatch(/^exercise\.account: .*; exercise\.pepper: .*; exercise\.userDpid: /)
})
