import { expect, test } from 'vitest'
import { PARTITIONS } from '../model/partition.ts'
import type { JobStore } from '../store/job-store.ts'
import { openRefile, type RefileOptions } from './refile.ts'

type Parts = Parameters<typeof openRefile>[0]

/** A walk over partitions without profiles, with what it did on record. */
function workbench() {
  const steps: (number | string)[] = []
  let stored: unknown
  let onScan: (count: number) => void = () => {}
  const profiles = {
    async *scan(partition: number) {
      steps.push(partition)
      onScan(steps.length)
      yield* []
    },
    async *pendingFollowUps() {
      steps.push('follow-ups')
      yield* []
    },
  }
  const parts = {
    profiles,
    rulebook: () => ({ membershipKey: 1 }),
    isTimeKept: () => true,
  } as unknown as Parts
  const jobs: Pick<JobStore, 'read' | 'write'> = {
    read: () => Promise.resolve(stored),
    async write(_name, place) {
      stored = place
    },
  }
  return {
    steps,
    atScan(listener: (count: number) => void) {
      onScan = listener
    },
    open: (options: Partial<RefileOptions> = {}) =>
      openRefile(parts, jobs, {
        onPurged: async (version) => void steps.push(`purged ${version}`),
        onFailed: (error) => expect.unreachable(String(error)),
        ...options,
      }),
  }
}

const rulebook = (membershipKey: number, deletionVersion: number) => ({
  membershipKey,
  deletionVersion,
  destinations: { unmapKey: 0 },
})
const until = (condition: () => boolean) => expect.poll(condition, { timeout: 10_000 }).toBe(true)
const walked = (steps: readonly (number | string)[]) => steps.filter((step) => typeof step === 'number').length

test('a deletion is walked for when no membership can differ, and is over when every partition was seen [AUD-59~]', async () => {
  const bench = workbench()
  const refile = await bench.open()
  refile.start(rulebook(7, 0))
  await until(() => bench.steps.at(-1) === 'purged 0')
  bench.steps.length = 0
  refile.start(rulebook(7, 0))
  expect(refile.remaining()).toBe(0)

  refile.start(rulebook(7, 12))
  await until(() => bench.steps.at(-1) === 'purged 12')
  expect(walked(bench.steps)).toBe(PARTITIONS)
  await refile.close()
})

test('nothing is looked at before the calls at work have ended, and the follow-ups they stored were done [AUD-59~]', async () => {
  const bench = workbench()
  let end: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const refile = await bench.open({ callsEnded: () => ended })
  refile.start(rulebook(7, 12))
  await new Promise((resolve) => setImmediate(resolve))
  expect(bench.steps).toEqual([])
  end()
  await until(() => bench.steps.length > 2)
  expect(bench.steps.slice(0, 2)).toEqual(['follow-ups', 0])
  await refile.close()
})

test('of a deletion during a walk every partition is seen once more, and only then both are over [AUD-59~]', async () => {
  const bench = workbench()
  const refile = await bench.open()
  bench.atScan((count) => {
    if (count === 1_000) refile.start(rulebook(7, 13))
  })
  refile.start(rulebook(7, 12))
  await until(() => refile.remaining() === 0)
  expect(bench.steps.filter((step) => String(step).startsWith('purged'))).toEqual(['purged 13'])
  const again = bench.steps.slice(bench.steps.lastIndexOf('follow-ups') + 1, -1)
  expect(new Set(again).size).toBe(PARTITIONS)
  await refile.close()
})

test('a deletion at the very end of a walk is walked for, too [AUD-59~]', async () => {
  const bench = workbench()
  const purged: number[] = []
  const refile = await bench.open({
    async onPurged(version) {
      purged.push(version)
      if (version === 12) refile.start(rulebook(7, 13))
    },
  })
  refile.start(rulebook(7, 12))
  await until(() => refile.remaining() === 0)
  expect([purged, walked(bench.steps)]).toEqual([[12, 13], 2 * PARTITIONS])
  await refile.close()
})

test('a restart goes on where the walk was, and one that could not tell that it is over tells it again [AUD-59~]', async () => {
  const bench = workbench()
  const wanted = rulebook(7, 12)
  const first = await bench.open()
  let stopped: Promise<void> | undefined
  bench.atScan((count) => {
    if (count === 1_000) stopped = first.close()
  })
  first.start(wanted)
  await until(() => stopped !== undefined)
  await stopped
  expect(first.remaining()).toBeGreaterThan(0)
  bench.atScan(() => {})

  const failed: unknown[] = []
  const second = await bench.open({
    onPurged: () => Promise.reject(new Error('the catalogue takes no writes')),
    onFailed: (error) => failed.push(error),
  })
  second.start(wanted)
  await until(() => failed.length > 0)
  await second.close()
  expect(walked(bench.steps)).toBeLessThanOrEqual(PARTITIONS + 2)

  const third = await bench.open()
  third.start(wanted)
  await until(() => bench.steps.at(-1) === 'purged 12')
  await third.close()
})
