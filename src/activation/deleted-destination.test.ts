import { expect, test } from 'vitest'
import { openTemporaryStore } from '../store/embedded/temporary-store.conformance.ts'
import {
  DESTINATION,
  type Defined,
  deviceIn,
  manualTimers,
  OTHER,
  openWorkbench,
  profileIdOf,
  type Receiver,
  rulesOf,
  startReceiver,
  until,
} from './workbench.conformance.ts'

const without = { version: 2, destinations: [{ id: OTHER }] }
const ids = [1, 2, 3].map(profileIdOf)

test('what a deleted destination is owed ends: messages as dead letters, markers and timers gone [SEC-40]', async () => {
  await using receiver = await startReceiver((response) => response.writeHead(500).end())
  const timers = manualTimers()
  const config = { url: receiver.url, usersPerMessage: 1 }
  await using bench = await openWorkbench(
    { destinations: [{ config }] },
    { after: timers.after, limits: { openMax: 2 } },
  )
  for (const n of [1, 2, 3]) await bench.commit(deviceIn(n, [100]))
  await until(() => bench.dispatcher.stats().destinations[0]?.retrying === 2)
  bench.rules = rulesOf(without)
  bench.dispatcher.rulesChanged()
  await bench.idle()
  expect(bench.ended).toMatchObject(Array(2).fill({ status: 'dead', reason: 'destination_deleted' }))
  expect((await bench.deliveries.lookUp(DESTINATION, ids)).map((one) => one.isOwed)).toEqual([false, false, false])
  expect(bench.dispatcher.stats().destinations[0]).toMatchObject({ open: 0, busy: 0, queued: 0, retrying: 0 })
  // A commit that was planned under the old rules leaves no marker either.
  await bench.commit(deviceIn(1, [100, 101]))
  await bench.idle()
  expect((await bench.deliveries.lookUp(DESTINATION, ids)).map((one) => one.isOwed)).toEqual([false, false, false])
  expect(receiver.requests).toHaveLength(2)
})

test('also when it was deleted while nothing ran; a paused one keeps all it is owed [SEC-40]', async () => {
  await using folder = await openTemporaryStore()
  await using receiver = await startReceiver((response) => response.writeHead(500).end())
  const config = { url: receiver.url, usersPerMessage: 1 }
  {
    const timers = manualTimers()
    const options = { records: folder.store, after: timers.after, limits: { openMax: 1 } }
    await using bench = await openWorkbench({ destinations: [{ config }] }, options)
    for (const n of [1, 2, 3]) await bench.commit(deviceIn(n, [100]))
    await until(() => bench.dispatcher.stats().destinations[0]?.retrying === 1)
  }
  {
    await using bench = await openWorkbench(
      { destinations: [{ config, status: 'INACTIVE' as const }] },
      { records: await folder.reopen() },
    )
    await until(() => bench.dispatcher.stats().destinations[0]?.queued === 2)
    expect([await countOwed(bench.deliveries), bench.ended]).toEqual([3, []])
  }
  await using bench = await openWorkbench(without, { records: await folder.reopen() })
  await until(async () => (await countOwed(bench.deliveries)) === 0)
  await bench.idle()
  expect(bench.ended).toMatchObject([{ status: 'dead', reason: 'destination_deleted' }])
})

test('one that is made again under the same id begins with nothing of it: no pause, no breaker, no message, at once or later [SEC-47]', async () => {
  await using folder = await openTemporaryStore()
  await using gone = await startReceiver((response) => response.writeHead(410).end())
  await using receiver = await startReceiver()
  const log = () => {}
  {
    await using bench = await openWorkbench(made(1, gone), { records: folder.store, log })
    await bench.commit(deviceIn(1, [100]))
    await until(() => bench.dispatcher.health()[0]?.paused?.reason === 'gone')
    // Between two rulebooks: that it was deleted is seen by nothing else.
    bench.rules = rulesOf(made(2, gone))
    bench.dispatcher.rulesChanged()
    await until(() => bench.ended.length === 1)
    expect(bench.ended).toMatchObject([{ status: 'dead', reason: 'destination_deleted' }])
    expect(bench.dispatcher.health()[0]).toMatchObject({ paused: undefined, refusedInRow: 0, lastFailure: undefined })
    await bench.commit(deviceIn(2, [100]))
    await until(() => bench.dispatcher.health()[0]?.paused?.reason === 'gone')
    bench.rules = rulesOf(without)
    bench.dispatcher.rulesChanged()
    await bench.idle()
    bench.rules = rulesOf(made(3, receiver))
    bench.dispatcher.rulesChanged()
    expect(bench.dispatcher.health().find((one) => one.destinationId === DESTINATION)?.paused).toBeUndefined()
    await bench.commit(deviceIn(3, [100]))
    await receiver.count(1)
    await bench.dispatcher.pause(DESTINATION)
  }
  // What a stop left is of the one before.
  await using bench = await openWorkbench(made(4, receiver), { records: await folder.reopen(), log })
  expect(bench.dispatcher.health()[0]?.paused).toBeUndefined()
})

function made(createdAtMs: number, { url }: Receiver): Defined {
  return { version: createdAtMs, destinations: [{ config: { url }, createdAtMs }] }
}

async function countOwed(deliveries: Awaited<ReturnType<typeof openWorkbench>>['deliveries']): Promise<number> {
  return (await deliveries.lookUp(DESTINATION, ids)).filter((one) => one.isOwed).length
}
