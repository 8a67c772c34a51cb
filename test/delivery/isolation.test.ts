import { expect, test } from 'vitest'
import {
  deviceIn,
  messageOf,
  NOW,
  openWorkbench,
  profileIdOf,
  segmentsOf,
  startReceiver,
  until,
  type Workbench,
} from '../../src/activation/workbench.conformance.ts'
import type { DestinationId } from '../../src/model/ids.ts'
import { LeaveReason } from '../../src/model/profile.ts'
import { openTemporaryStore } from '../../src/store/embedded/temporary-store.conformance.ts'

/** The short form of bench/p8-isolation.mjs: what arrives, in which order, and what is held in memory; no times. */

const [HEALTHY, NEVER, FAILS] = [423, 424, 425] as DestinationId[] as [DestinationId, DestinationId, DestinationId]
const DEAD = [NEVER, FAILS]
const LIMITS = { openMax: 40, queueMax: 300, durableTimeoutMs: 2_000 }
const PROFILES = 3_000

test('beside a partner that never answers and one that answers 500 a healthy one gets everything, memory is bounded; once they are back each gets what it is owed, per user in order [SEC-42~] [SEC-44] [SEC-49]', async () => {
  await using folder = await openTemporaryStore()
  await using healthy = await startPartner('answers')
  await using never = await startPartner('never')
  await using fails = await startPartner('fails')
  const partners = [healthy, never, fails]
  const destinations = [HEALTHY, ...DEAD].map((id, at) => ({
    id,
    config: { url: partners[at]?.url, usersPerMessage: 1 },
  }))
  await using bench = await openWorkbench(
    { destinations },
    { records: folder.store, limits: LIMITS, clock: () => NOW + Math.round(performance.now()), log: () => {} },
  )

  await oweAll(bench, 0, PROFILES)
  // A third of them leaves while nobody at the dead partners knows they came.
  for (let n = 0; n < PROFILES; n += 3) await bench.commit(leaver(n), [HEALTHY, ...DEAD])
  await until(() => hasAll(healthy, PROFILES))

  const dead = bench.dispatcher.stats().destinations.filter((one) => one.destinationId !== HEALTHY)
  expect(dead).toHaveLength(2)
  // More would be memory that grows with what is owed.
  for (const one of dead) {
    expect(one.open).toBeLessThanOrEqual(LIMITS.openMax)
    expect(one.queued).toBeLessThanOrEqual(LIMITS.queueMax)
    expect(one).toMatchObject({ moreOnDisk: true, acknowledged: 0, dead: 0 })
  }

  // The healthy one soon knows that nothing more waits on disk.
  const spilled = () => bench.dispatcher.health().filter(({ moreOnDisk }) => moreOnDisk)
  await until(() => spilled().length === DEAD.length)
  expect(spilled().map(({ destinationId }) => destinationId)).toEqual(DEAD)

  for (const partner of [never, fails]) partner.comeBack()
  for (const id of DEAD) await bench.dispatcher.resume(id)
  // Fresh state among the old.
  for (let n = PROFILES; n < PROFILES + 100; n++) await bench.commit(deviceIn(n, [100]), DEAD)
  await until(() => [never, fails].every((partner) => hasAll(partner, PROFILES + 100)))
  await bench.idle()

  expect(partners.map(({ outOfOrder }) => outOfOrder)).toEqual([[], [], []])
  for (const id of DEAD) {
    const told = await bench.deliveries.lookUp(id, [profileIdOf(0), profileIdOf(1), profileIdOf(PROFILES)])
    expect(told.map((one) => [one.isOwed, one.told?.active.length ?? 0])).toEqual([
      [false, 0],
      [false, 1],
      [false, 1],
    ])
  }
})

/** Keeps the last status of each user that it accepted, and who joined after leaving: nobody ever joins again here. */
async function startPartner(first: 'answers' | 'never' | 'fails') {
  const states = new Map<string, string>()
  const outOfOrder: string[] = []
  let behaviour = first
  const receiver = await startReceiver((response, request) => {
    receiver.requests.length = 0
    if (behaviour === 'never') return undefined
    if (behaviour === 'fails') return response.writeHead(500).end()
    for (const { DataPartner_UUID: user, Segments } of messageOf(request).Users) {
      for (const { Status } of Segments) {
        if (Status === '1' && states.get(user) === '0') outOfOrder.push(user)
        states.set(user, Status)
      }
    }
    return response.end()
  })
  return Object.assign(receiver, {
    states,
    outOfOrder,
    comeBack() {
      behaviour = 'answers'
    },
  })
}

async function oweAll(bench: Workbench, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 100) {
    const some = Array.from({ length: Math.min(100, to - at) }, (_, n) => deviceIn(at + n, [100]))
    await Promise.all(some.map((device) => bench.commit(device, [HEALTHY, ...DEAD])))
  }
}

function leaver(n: number) {
  return deviceIn(n, [], { segments: segmentsOf({ 100: { at: NOW / 1000, left: LeaveReason.rule } }) })
}

/** Who left is known to have left, or was never heard of: a partner that was not told of a join needs no leave. */
function hasAll({ states }: { readonly states: ReadonlyMap<string, string> }, count: number): boolean {
  for (let n = 0; n < count; n++) {
    const isLeaver = n < PROFILES && n % 3 === 0
    const state = states.get(`user-${n}`)
    if (isLeaver ? state === '1' : state !== '1') return false
  }
  return true
}
