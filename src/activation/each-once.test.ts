import { expect, test } from 'vitest'
import type { DeliverySearch } from '../store/delivery-store.ts'
import type { ReplayRequest } from './replay-desk.ts'
import {
  DESTINATION,
  deviceIn,
  NOW,
  openWorkbench,
  startReceiver,
  told,
  until,
  type Workbench,
} from './workbench.conformance.ts'

/** A replay tells each user once, however many messages name them. */

/** A clock that never shows the same time twice. */
function ticking() {
  let nowMs = NOW
  return () => nowMs++
}

async function begin(bench: Workbench, filter: DeliverySearch, order: Omit<ReplayRequest, 'deliveries'>) {
  const find = () => bench.deliveries.ended(filter)
  const started = await bench.dispatcher.replays.start({ ...order, deliveries: { find } })
  if (started === 'too_many' || started.replayId === undefined) throw new Error('nothing was begun')
  return started.replayId
}

async function results(bench: Workbench, replayId: string) {
  await until(() => bench.dispatcher.replays.get(replayId)?.state !== 'running')
  return bench.dispatcher.replays.messages(replayId, 0, 1_000)
}
const all = { destinationId: DESTINATION }

test('everything again as current: one message for each user, in one call after the other [SEC-42~] [SEC-48]', async () => {
  await using receiver = await startReceiver()
  const config = { url: receiver.url, usersPerMessage: 1 }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { clock: ticking() })
  for (const sids of [[100], [100, 101], [101]])
    for (const n of [1, 2, 3]) {
      await bench.commit(deviceIn(n, sids))
      await bench.idle()
    }
  for (let call = 1; call <= 3; call++) {
    receiver.requests.length = 0
    const messages = await results(bench, await begin(bench, all, { as: 'current' }))
    // Of both segments, since every user was told of both once.
    expect(receiver.requests.flatMap(told).sort()).toEqual([1, 2, 3].map((n) => `user-${n}: 100- 101+`))
    expect(messages).toMatchObject(Array(messages.length).fill({ outcome: 'acknowledged', sent: 'current' }))
    for (const { sentAs } of messages) expect(sentAs).toHaveLength(1)
  }
})

test('a user who could not be told is tried once, and all messages that name it say so [SEC-48~]', async () => {
  let status = 200
  await using receiver = await startReceiver((response) => response.writeHead(status).end())
  const config = { url: receiver.url, mode: 'compat', usersPerMessage: 1 }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { clock: ticking() })
  for (let times = 0; times < 4; times++) {
    await bench.commit(deviceIn(1, [100]))
    await bench.idle()
  }
  status = 500
  receiver.requests.length = 0
  const messages = await results(bench, await begin(bench, all, { as: 'current' }))
  expect(messages).toMatchObject(Array(4).fill({ outcome: 'dead', reason: 'http_500' }))
  expect(new Set(messages.flatMap(({ sentAs }) => sentAs)).size).toBe(1)
  expect(receiver.requests).toHaveLength(2)
})

test.each(['same', 'current'] as const)(
  'four replays as %s of the same dead letters at the same moment send each once [SEC-41~] [SEC-48~]',
  async (as) => {
    let isDead = true
    await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
    const config = { url: receiver.url, mode: 'compat', usersPerMessage: 1 }
    await using bench = await openWorkbench({ destinations: [{ config }] }, { clock: ticking() })
    for (let n = 1; n <= 5; n++) await bench.commit(deviceIn(n, [100]))
    await until(() => bench.ended.length === 5)
    await bench.idle()
    isDead = false
    receiver.requests.length = 0
    const filter = { ...all, status: 'dead' } as const
    const ids = await Promise.all([1, 2, 3, 4].map(() => begin(bench, filter, { as })))
    const messages = (await Promise.all(ids.map((id) => results(bench, id)))).flat()
    await bench.idle()
    expect(receiver.requests.flatMap(told).sort()).toEqual([1, 2, 3, 4, 5].map((n) => `user-${n}: 100+`))
    const others = messages.filter(({ outcome }) => outcome !== 'acknowledged')
    if (as === 'same') {
      expect(messages).toHaveLength(20)
      expect(others).toMatchObject(Array(15).fill({ outcome: 'not_sent', reason: 'under_way' }))
    } else expect(others).toEqual([])
    expect(await bench.endedIds(filter)).toEqual([])
  },
)

test('a letter that is superseded is not sent again as the same bytes; the dry run says so [SEC-41~] [SEC-48~]', async () => {
  let isDead = true
  await using receiver = await startReceiver((response) => response.writeHead(isDead ? 500 : 200).end())
  const config = { url: receiver.url, mode: 'compat' }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { clock: ticking() })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  isDead = false
  const deliveryIds = await bench.endedIds({ status: 'dead' })
  await bench.replayed({ deliveryIds, as: 'current' })
  receiver.requests.length = 0
  const { plan } = await bench.replay({ deliveryIds, as: 'same', dryRun: true })
  expect(plan).toMatchObject({ unchanged: 0, rebuilt: 0, nothingToTell: 1 })
  const [result] = await bench.replayed({ deliveryIds, as: 'same' })
  expect(result).toMatchObject({ outcome: 'not_sent', reason: 'replayed' })
  expect(receiver.requests).toEqual([])
})
