import { expect, test } from 'vitest'
import { LeaveReason } from '../model/profile.ts'
import {
  DESTINATION,
  type Defined,
  deviceIn,
  linkOf,
  NOW,
  openWorkbench,
  rulesOf,
  segmentsOf,
  startReceiver,
  told,
  until,
  type Workbench,
} from './workbench.conformance.ts'

/** The same bytes go out again only while all that they say holds; the dry run says what the replay then does. */

const left = { segments: segmentsOf({ 100: { at: NOW / 1000, left: LeaveReason.rule } }) }

async function deadLetter(bench: Workbench, profile = deviceIn(1, [100])) {
  const before = bench.ended.length
  await bench.commit(profile)
  await until(() => bench.ended.length > before)
  await bench.idle()
  const { deliveryId = '' as never, status } = bench.ended.at(-1) ?? {}
  expect(status).toBe('dead')
  return deliveryId
}

function setTo(bench: Workbench, defined: Defined): void {
  bench.rules = rulesOf({ version: bench.rules.version + 1, ...defined })
  bench.dispatcher.rulesChanged()
}

/** What a dry run says, and what the replay then sends. */
async function resent(bench: Workbench, deliveryId: Parameters<Workbench['replay']>[0]['deliveryIds'][number]) {
  const { plan } = await bench.replay({ deliveryIds: [deliveryId], as: 'same', dryRun: true })
  const [result] = await bench.replayed({ deliveryIds: [deliveryId], as: 'same' })
  return {
    plan: [plan?.unchanged, plan?.rebuilt, plan?.nothingToTell, plan?.withoutDestination],
    outcome: result?.outcome,
    sent: result?.sent,
    reason: result?.reason,
  }
}

const unchanged = { plan: [1, 0, 0, 0], outcome: 'acknowledged', sent: 'same', reason: null }
const rebuilt = { plan: [0, 1, 0, 0], outcome: 'acknowledged', sent: 'current', reason: 'outdated' }
const mapped = (value: string) => ({ mappings: [{ segmentId: 100, value }] })

test.each([
  ['nothing', {}, mapped('A'), unchanged, 'user-1: A+'],
  ['the alias of its segment', {}, mapped('B'), rebuilt, 'user-1: B+'],
  ['the account in the partner platform', { clientId: 'new' }, mapped('A'), rebuilt, 'user-1: A+'],
  ['the form of numbers', { numbersAs: 'number' }, mapped('A'), rebuilt, undefined],
  ['whether regions are told', { includeRegions: false }, mapped('A'), rebuilt, 'user-1: A+'],
] as const)(
  'after %s changed, the dry run and the replay of a dead letter agree [SEC-41~] [SEC-42~] [SEC-48~]',
  async (_what, change, mappings, says, text) => {
    let isDead = true
    await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
    const config = { url: receiver.url, mode: 'compat' }
    await using bench = await openWorkbench({ destinations: [{ config, ...mapped('A') }] })
    const deliveryId = await deadLetter(bench)
    const [first] = receiver.requests
    isDead = false
    setTo(bench, { destinations: [{ config: { ...config, ...change }, ...mappings }] })
    receiver.requests.length = 0
    expect(await resent(bench, deliveryId)).toEqual(says)
    expect(receiver.requests).toHaveLength(1)
    expect(receiver.requests[0]?.body === first?.body).toBe(says === unchanged)
    const [sent] = receiver.requests
    if (text !== undefined && sent !== undefined) expect(told(sent)).toEqual([text])
    const { clientId } = change as { clientId?: string }
    if (clientId !== undefined) expect(JSON.parse(sent?.body ?? '')).toMatchObject({ Client_ID: clientId })
  },
)

test('a path of a GET destination that would be written otherwise today is written anew [SEC-42~] [OUT-209~]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  const config = { url: receiver.url, mode: 'compat', method: 'GET', urlTemplate: '/a?u=<DP_UUID>&s=<SEGMENT_LIST>' }
  await using bench = await openWorkbench({ destinations: [{ config, ...mapped('A') }] })
  const deliveryId = await deadLetter(bench)
  const other = await deadLetter(bench, deviceIn(2, [100]))
  isDead = false
  receiver.requests.length = 0
  expect(await resent(bench, deliveryId)).toEqual(unchanged)
  setTo(bench, { destinations: [{ config: { ...config, urlTemplate: '/b?u=<DP_UUID>' }, ...mapped('A') }] })
  expect(await resent(bench, other)).toEqual(rebuilt)
  expect(receiver.requests.map(({ url }) => url)).toEqual(['/a?u=user-1&s=A', '/b?u=user-2'])
})

test('a partner ID that the user has no more is not named again [SEC-42~]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  const config = { url: receiver.url, mode: 'compat' }
  await using bench = await openWorkbench({ destinations: [{ config }] })
  const deliveryId = await deadLetter(bench)
  isDead = false
  await bench.commit(deviceIn(1, [100], { links: [linkOf('another')] }), [])
  receiver.requests.length = 0
  expect(await resent(bench, deliveryId)).toEqual(rebuilt)
  expect(receiver.requests.map(told)).toEqual([['another: 100+']])
})

test('a Status 0 holds for a user who left, also when the segment is mapped no more; not under another alias [SEC-42~]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  const config = { url: receiver.url, mode: 'compat' }
  const withAlias = (value: string) => ({ destinations: [{ config, ...mapped(value) }] })
  await using bench = await openWorkbench(withAlias('A'))
  await deadLetter(bench)
  const gone = await deadLetter(bench, deviceIn(1, [], left))
  isDead = false
  receiver.requests.length = 0
  setTo(bench, { destinations: [{ config, mappings: [] }], segments: [100] })
  expect(await resent(bench, gone)).toEqual(unchanged)
  setTo(bench, withAlias('B'))
  expect(await resent(bench, gone)).toEqual(rebuilt)
  expect(receiver.requests.map(told)).toEqual([['user-1: A-'], ['user-1: B-']])
})

test('nothing of a deleted destination goes to another one that got its id, at once or after a restart [SEC-40~] [SEC-48]', async () => {
  let isDead = true
  await using former = await startReceiver((response) => response.writeHead(isDead ? 400 : 200).end())
  await using receiver = await startReceiver()
  const made = (createdAtMs: number, url: string) => ({
    destinations: [{ config: { url, mode: 'compat' }, createdAtMs }],
  })
  await using bench = await openWorkbench(made(1, former.url))
  const deliveryId = await deadLetter(bench)
  isDead = false
  expect(await bench.replay({ deliveryIds: [deliveryId], as: 'same', dryRun: true })).toMatchObject({
    plan: { unchanged: 1, withoutDestination: 0 },
  })
  setTo(bench, made(2, receiver.url))
  const nowhere = { plan: [0, 0, 0, 1], outcome: 'not_sent', sent: null, reason: 'no_destination' }
  expect(await resent(bench, deliveryId)).toEqual(nowhere)
  for (const as of ['same', 'current'] as const) {
    // As a search finds it, which does not know for which of the two it was made.
    const find = () => bench.deliveries.ended({ destinationId: DESTINATION })
    expect(await bench.dispatcher.replays.start({ deliveries: { find }, as, dryRun: true })).toMatchObject({
      plan: { unchanged: 0, rebuilt: 0, nothingToTell: 0, withoutDestination: 1 },
    })
    const started = await bench.dispatcher.replays.start({ deliveries: { find }, as })
    const replayId = (started !== 'too_many' && started.replayId) || ''
    await until(() => bench.dispatcher.replays.get(replayId)?.state === 'completed')
    expect(await bench.dispatcher.replays.messages(replayId, 0, 9)).toMatchObject([{ reason: 'no_destination' }])
  }
  expect(receiver.requests).toEqual([])
})
