import { expect, test } from 'vitest'
import { openTemporaryStore } from '../store/embedded/temporary-store.conformance.ts'
import {
  DESTINATION,
  deviceIn,
  manualTimers,
  OTHER,
  openWorkbench,
  profileIdOf,
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

async function countOwed(deliveries: Awaited<ReturnType<typeof openWorkbench>>['deliveries']): Promise<number> {
  return (await deliveries.lookUp(DESTINATION, ids)).filter((one) => one.isOwed).length
}
