import { expect, test } from 'vitest'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import { planActivation } from './plan.ts'
import {
  DESTINATION,
  deviceIn,
  openWorkbench,
  profileIdOf,
  rulesOf,
  startReceiver,
  told,
  until,
} from './workbench.conformance.ts'

/** Destinations whose stored settings are of no known form, as after an upgrade that forbids something. */

const broken = { config: { auth: { type: 'telepathy' }, usersPerMessage: 'many' } }

test('it is named with the members at fault, and without their values [SEC-63~]', () => {
  const rule = rulesOf({ destinations: [broken] }).byId.get(DESTINATION)
  expect(rule?.unusable).toMatch(/^s2s\.usersPerMessage: .+; s2s\.auth.*: /)
  expect(rule?.unusable).not.toMatch(/many|telepathy/)
  expect(rule?.isActive).toBe(false)
  expect(rulesOf().byId.get(DESTINATION)?.unusable).toBeUndefined()
})

test('changes go on being owed to it, sent once it is mended, and nothing leaves before [SEC-40]', async () => {
  await using receiver = await startReceiver()
  const records = await openMemoryRecordStore()
  {
    await using bench = await openWorkbench({ destinations: [broken] }, { records })
    const before = deviceIn(1, [])
    const changes = [{ segmentId: 100, member: true, reason: 0 }] as never
    const input = { before, next: deviceIn(1, [100]), changes, seen: true, newLinks: [], nowMs: Date.now() }
    expect(planActivation(bench.rules, input).outbox).toEqual([DESTINATION])
    await bench.commit(deviceIn(1, [100]))
    await until(() => bench.dispatcher.stats().destinations[0]?.queued === 1)
    const [health] = bench.dispatcher.health()
    expect(health).toMatchObject({ waitingUsers: 1, isActive: true, unusable: expect.stringContaining('s2s.auth') })
    bench.rules = rulesOf({ version: 2, destinations: [{ config: { url: receiver.url } }] })
    bench.dispatcher.rulesChanged()
    await bench.idle()
    expect(receiver.requests.map(told)).toEqual([['user-1: 100+']])
    expect(bench.dispatcher.health()[0]?.unusable).toBeUndefined()
  }
  await using again = await openWorkbench({ destinations: [broken] }, { records })
  expect(again.dispatcher.health()).toMatchObject([{ unusable: expect.stringContaining('s2s.auth') }])
  expect((await again.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]?.isOwed).toBe(false)
})
