import { type DestinationRules, takesBackUnmapped } from '../activation/destination-rules.ts'
import { openPace, type Pace } from '../lib/pace.ts'
import { PARTITIONS } from '../model/partition.ts'
import type { DestinationPlan } from '../model/profile.ts'
import type { JobStore } from '../store/job-store.ts'
import { runFollowUps } from './follow-ups.ts'
import type { Parts } from './parts.ts'
import { reevaluateDeclared } from './reevaluate-declared.ts'
import { reevaluateDevice } from './reevaluate-device.ts'
import type { Rulebook } from './rulebook.ts'
import { holdsDeleted, namesDeleted } from './without-deleted.ts'

/**
 * Brings profiles under a changed rulebook without a visit [AUD-142], [AUD-143], and takes out of them what was deleted
 * [AUD-59]: a walk over all partitions, round and round until every one has been seen under the version in force; on the
 * way, what was unmapped is taken back from destinations that want that [OUT-58]. Its place is stored, so a restart goes on.
 */
export interface Refile {
  /** The rulebook changed: every profile may be owed another look. */
  start(rulebook: WalkedRulebook): void
  /** Partitions still to do. */
  remaining(): number
  close(): Promise<void>
}

/** What decides whether profiles are owed another look. */
export type WalkedRulebook = Pick<Rulebook, 'membershipKey' | 'deletionVersion'> & {
  readonly destinations: Pick<DestinationRules, 'unmapKey'>
}

export interface RefileOptions {
  /** Resolves when all calls have ended that are at work now: they may write by the rulebook before. */
  readonly callsEnded?: () => Promise<unknown>
  /** Profiles hold nothing any more of what was deleted up to a version. May be called again after a crash. */
  readonly onPurged?: (deletionVersion: number) => Promise<void>
  readonly onFailed: (error: unknown) => void
}

interface Place {
  /** `membershipKey` of the rulebook that is walked for, and its `deletionVersion`. */
  readonly key: number
  readonly deletion: number
  /** `unmapKey` of its destinations; absent in old records. */
  readonly unmap?: number
  readonly partition: number
  readonly remaining: number
}

const JOB = 'refile'
const SAVE_EVERY = 64
const AFTER_FAILURE_MS = 1_000

export async function openRefile(
  parts: Parts,
  jobs: Pick<JobStore, 'read' | 'write'>,
  { callsEnded, onPurged, onFailed }: RefileOptions,
): Promise<Refile> {
  let place: Place = {
    key: 0,
    deletion: 0,
    partition: 0,
    remaining: 0,
    ...((await jobs.read(JOB)) as Place | undefined),
  }
  const pace = openPace()
  let closed = false
  let stop: () => void = () => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  let running: Promise<void> | undefined

  const step = async (began: Place): Promise<void> => {
    // The rulebook changed meanwhile: this partition was walked under the former one.
    const isOver = () => closed || place !== began
    if (began.remaining === PARTITIONS) {
      await Promise.race([callsEnded?.(), stopped])
      await finishFollowUps(parts, pace, isOver)
    }
    await refilePartition(began.partition, parts, pace, () => closed)
    const next = { ...began, partition: (began.partition + 1) % PARTITIONS, remaining: began.remaining - 1 }
    if (isOver()) return
    if (next.remaining === 0) await onPurged?.(next.deletion)
    else if (next.remaining % SAVE_EVERY === 0) await jobs.write(JOB, next)
    if (!isOver()) place = next
  }

  const rest = () => Promise.race([new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS)), stopped])

  const walk = async () => {
    while (!closed && place.remaining > 0) {
      try {
        if (parts.isTimeKept()) await step(place)
        else await rest()
      } catch (error) {
        onFailed(error)
        await rest()
      }
    }
    await jobs.write(JOB, place).catch(onFailed)
    // Another change may have come while the place was written.
    running = !closed && place.remaining > 0 ? walk() : undefined
  }

  return {
    start({ membershipKey: key, deletionVersion: deletion, destinations: { unmapKey: unmap } }) {
      if (key !== place.key || deletion !== place.deletion || unmap !== (place.unmap ?? 0))
        place = { key, deletion, unmap, partition: place.partition, remaining: PARTITIONS }
      if (place.remaining > 0) running ??= walk()
    },
    remaining: () => place.remaining,
    async close() {
      closed = true
      stop()
      await running
    },
  }
}

/**
 * What calls under a former rulebook left for other profiles, and names what was deleted, is carried out before the walk, so
 * that nothing of it is left for what is made under the same id later.
 */
async function finishFollowUps(parts: Parts, pace: Pace, isOver: () => boolean): Promise<void> {
  for (let [found, pauseMs] = [true, 20]; found && !isOver(); pauseMs = Math.min(2 * pauseMs, AFTER_FAILURE_MS)) {
    found = false
    for await (const stored of parts.profiles.pendingFollowUps()) {
      if (isOver()) return
      if (!namesDeleted(stored.followUp, parts.rulebook())) continue
      found = true
      await runFollowUps([stored], parts, pace)
    }
    if (found) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

async function refilePartition(partition: number, parts: Parts, pace: Pace, isClosed: () => boolean): Promise<void> {
  let startedMs = performance.now()
  for await (const page of parts.profiles.scan(partition, { pageSize: 64 })) {
    if (isClosed()) return
    const rulebook = parts.rulebook()
    const stale = page.filter(
      (profile) => profile.membershipKey !== rulebook.membershipKey || holdsDeleted(profile, rulebook),
    )
    const followUps = await Promise.all(
      stale.map((profile) =>
        profile.id.startsWith('d:') ? reevaluateDevice(profile.id, parts, pace) : reevaluateDeclared(profile.id, parts),
      ),
    )
    await runFollowUps(followUps.flat(), parts, pace)
    const concerned = page.filter(({ plans }) => plans.some((plan) => takesBack(rulebook.destinations, plan)))
    await Promise.all(concerned.map(async ({ id }) => parts.owe(id, await parts.unmappedAt(id))))
    // Half of the time belongs to the edge.
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(performance.now() - startedMs)))
    startedMs = performance.now()
  }
}

function takesBack({ byId }: Rulebook['destinations'], { destinationId }: DestinationPlan): boolean {
  const rule = byId.get(destinationId)
  return rule !== undefined && takesBackUnmapped(rule)
}
