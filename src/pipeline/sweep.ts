import { openPace, type Pace } from '../lib/pace.ts'
import { runFollowUps, runPendingFollowUps } from './follow-ups.ts'
import type { Parts } from './parts.ts'
import { reevaluateDeclared } from './reevaluate-declared.ts'
import { reevaluateDevice } from './reevaluate-device.ts'

/** Carries out what time alone changes: expiry, recency windows, inactivity [AUD-89], [AUD-342]. */
export interface Sweep {
  /** Looks again now: the clock was moved. */
  kick(): void
  /** A follow-up could not be carried out: all that are stored are tried again, with rising pauses. */
  retryFollowUps(): void
  /** Resolves when nothing is due at the present time; for tests and for `POST /v1/test/clock`. */
  idle(): Promise<void>
  close(): Promise<void>
}

export interface SweepOptions {
  /** Called after each round: how many profiles, and how late the oldest of them was. */
  readonly onRound?: (profiles: number, lagMs: number) => void
  readonly onFailed: (error: unknown) => void
}

/** Few enough that the edge gets its turn between rounds, many enough to share a flush. */
const ROUND = 128
const LOOK_EVERY_MS = 250
const AFTER_FAILURE_MS = 1_000
const RETRY_WAIT_MS = 1_000
const RETRY_WAIT_MAX_MS = 60_000

export function startSweep(parts: Parts, options: SweepOptions): Sweep {
  const pace = openPace()
  let closed = false
  let wake: () => void = () => {}
  let waiters: (() => void)[] = []

  // What a crash left over is the first to be tried.
  const retry = { isOwed: true, atMs: 0, waitMs: RETRY_WAIT_MS }
  const retryAll = async () => {
    retry.isOwed = false
    await runPendingFollowUps(parts, pace).catch((error: unknown) => {
      options.onFailed(error)
      retry.isOwed = true
    })
    retry.waitMs = retry.isOwed ? Math.min(retry.waitMs * 2, RETRY_WAIT_MAX_MS) : RETRY_WAIT_MS
    retry.atMs = performance.now() + retry.waitMs
  }

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const loop = async () => {
    while (!closed) {
      if (retry.isOwed && performance.now() >= retry.atMs) await retryAll()
      const startedMs = performance.now()
      const round = await sweepRound(parts, options, pace).catch((error: unknown) => {
        options.onFailed(error)
        return 'failed' as const
      })
      if (round === 'failed') await pause(AFTER_FAILURE_MS)
      else if (round > 0) {
        // Half of the time belongs to the edge, also in the wave at midnight.
        await pause(Math.max(1, performance.now() - startedMs))
      } else {
        for (const resolve of waiters.splice(0)) resolve()
        await pause(LOOK_EVERY_MS)
      }
    }
    for (const resolve of waiters.splice(0)) resolve()
  }
  const running = loop()

  return {
    kick: () => wake(),
    retryFollowUps: () => {
      retry.isOwed = true
    },
    idle: () =>
      new Promise((resolve) => {
        waiters = [...waiters, resolve]
        wake()
      }),
    async close() {
      closed = true
      wake()
      await running
    },
  }
}

async function sweepRound(parts: Parts, options: SweepOptions, pace: Pace): Promise<number> {
  if (!parts.isTimeKept()) return 0
  const nowMs = parts.judgedMs(parts.clock())
  if (parts.profiles.nextDueMs() > nowMs) return 0
  const due = await parts.profiles.due(nowMs, ROUND)
  if (due.length === 0) return 0
  const oldestMs = Math.min(...due.map((entry) => entry.dueMs))
  await Promise.all(
    due.map(async ({ profileId, dueMs }) => {
      const [profile] = await parts.profiles.getMany([profileId])
      if (profile?.dueMs !== dueMs) return parts.profiles.dropDue(profileId, dueMs)
      const followUps = profileId.startsWith('d:')
        ? await reevaluateDevice(profileId, parts, pace)
        : await reevaluateDeclared(profileId, parts)
      return runFollowUps(followUps, parts, pace)
    }),
  )
  options.onRound?.(due.length, nowMs - oldestMs)
  return due.length
}
