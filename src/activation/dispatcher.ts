import type { Egress } from '../lib/egress/egress.ts'
import type { Clock } from '../model/clock.ts'
import type { DestinationHealth, PauseReason } from '../model/delivery.ts'
import type { DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import type { JobStore } from '../store/job-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import type { DestinationRules } from './destination-rules.ts'
import { DestinationRunner } from './destination-runner.ts'
import { openTokenSource } from './oauth.ts'
import { openReplayDesk, type ReplayDesk } from './replay-desk.ts'
import { openReplayTracker } from './replay-tracker.ts'
import { attemptMsOf, openOf, untouchedHealth } from './runner-health.ts'
import type { After, RunnerLimits, RunnerStats } from './runner-parts.ts'
import { openSender } from './sender.ts'
import { untilStored } from './until-stored.ts'

/** Tells destinations what they are owed. The one owner of all deliveries of its destinations (architecture, "Delivery"). */
export interface Dispatcher {
  /** A commit wrote markers. Call it after each one; what is not told is found after the next start. */
  notify(profileId: ProfileId, destinationIds: readonly DestinationId[]): void
  /** The rulebook was swapped. */
  rulesChanged(): void
  /** What is sent again by hand. */
  readonly replays: Omit<ReplayDesk, 'resume' | 'close'>
  stats(): DispatcherStats
  /** Messages on their way that tell of this user. */
  openOf(profileId: ProfileId): readonly StoredDelivery[]
  /** When a message on its way is tried next, as far as that is known. */
  attemptMsOf(place: Pick<StoredDelivery, 'deliveryId' | 'destinationId'>): number | undefined
  /** Of every destination with real-time delivery, and of what is left of others. */
  health(): readonly DestinationHealth[]
  /**
   * An operator (or what `reason` says) stops a destination, an operator lets it go on: resolves when that is stored
   * [SEC-47]. One that is paused already keeps its reason, unless an operator takes it over.
   */
  pause(destinationId: DestinationId, reason?: PauseReason): Promise<void>
  resume(destinationId: DestinationId): Promise<void>
  /** Finishes what is on its way, at most `graceMs` (5 s); the rest is on disk. */
  close(graceMs?: number): Promise<void>
}

export interface DispatcherStats {
  readonly destinations: readonly RunnerStats[]
}

export interface DispatcherLimits extends RunnerLimits {
  readonly compatTimeoutMs: number
  readonly durableTimeoutMs: number
  /** For the body of an answer, after its headers. */
  readonly bodyTimeoutMs: number
}

/** [SEC-44], [SEC-45], [SEC-46], [OUT-22], [OUT-23] */
export const DISPATCHER_LIMITS: DispatcherLimits = {
  concurrency: 16,
  queueMax: 10_000,
  openMax: 1_000,
  compatRetryWaitMs: 100,
  compatTimeoutMs: 3_000,
  durableTimeoutMs: 15_000,
  bodyTimeoutMs: 1_000,
}

export interface DispatcherOptions {
  readonly deliveries: DeliveryStore
  readonly profiles: Pick<ProfileStore, 'getMany' | 'optOuts'>
  readonly jobs: JobStore
  readonly rules: () => DestinationRules
  readonly egress: Pick<Egress, 'request'>
  readonly clock: Clock
  readonly log: (event: string, fields: Record<string, unknown>) => void
  /** Product name and version [OUT-80]. */
  readonly userAgent: string
  /** After each attempt, with the delivery as it then is. */
  readonly onAttempt?: (delivery: StoredDelivery) => void
  readonly onEnded?: (delivery: StoredDelivery) => void
  readonly limits?: Partial<DispatcherLimits>
  /** Monotonic timers, and the jitter; replaced in tests. */
  readonly after?: After
  readonly random?: () => number
}

const CLOSE_GRACE_MS = 5_000

/** Takes over what the last run left: open messages before it resolves, markers behind it. */
export async function openDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  const { deliveries, egress, clock, userAgent, log } = options
  const limits = { ...DISPATCHER_LIMITS, ...options.limits }
  const tokens = openTokenSource({ egress, clock, userAgent, timeoutMs: limits.compatTimeoutMs })
  const timeoutMs = { compat: limits.compatTimeoutMs, durable: limits.durableTimeoutMs }
  const tracker = openReplayTracker()
  const parts = {
    ...options,
    sender: openSender({ egress, tokens, clock, userAgent, timeoutMs, bodyTimeoutMs: limits.bodyTimeoutMs }),
    after: options.after ?? afterTimeout,
    random: options.random ?? Math.random,
    onAttempt: options.onAttempt ?? (() => {}),
    onEnded(delivery: StoredDelivery) {
      tracker.ended(delivery)
      options.onEnded?.(delivery)
    },
    tracker,
    limits,
  }
  const stored = await deliveries.destinationStates()
  const runners = new Map<DestinationId, DestinationRunner>()
  let isClosing = false
  const patient = untilStored(parts, undefined, () => isClosing)

  function runnerOf(destinationId: DestinationId): DestinationRunner {
    const known = runners.get(destinationId)
    if (known !== undefined) return known
    const runner = new DestinationRunner(destinationId, parts, stored.get(destinationId))
    runners.set(destinationId, runner)
    return runner
  }

  /** A destination with two keys is watched from then on: when the old one goes, its partner gets time [SEC-54]. */
  function watchRotations(): void {
    for (const { destinationId, config } of options.rules().byId.values())
      if (config.auth.type === 'hmac' && config.auth.keys.length > 1) runnerOf(destinationId)
  }

  let readFrom = 0
  async function readMarkers(): Promise<void> {
    for await (const { partition, markers } of deliveries.markers({ fromPartition: readFrom })) {
      readFrom = partition
      for (const { profileId, destinationId, atMs } of markers) {
        if (isClosing) return
        runnerOf(destinationId).notify(profileId, atMs)
      }
    }
  }

  const replays = await openReplayDesk({
    ...parts,
    untilStored: patient,
    runnerOf,
    onSuperseded: (delivery) => options.onEnded?.(delivery),
  })

  for (const destinationId of stored.keys()) runnerOf(destinationId).pump()
  watchRotations()
  const left = new Map<DestinationId, StoredDelivery[]>()
  for await (const delivery of deliveries.openDeliveries()) {
    const others = left.get(delivery.destinationId)
    if (others === undefined) left.set(delivery.destinationId, [delivery])
    else others.push(delivery)
  }
  for (const [destinationId, open] of left) await runnerOf(destinationId).restore(open)
  await replays.resume()
  const reading = patient(readMarkers).catch((error: unknown) => log('delivery.markers_unread', { error }))

  return {
    notify(profileId, destinationIds) {
      for (const destinationId of destinationIds) runnerOf(destinationId).notify(profileId)
    },
    rulesChanged() {
      for (const runner of runners.values()) runner.rulesChanged()
      watchRotations()
    },
    replays,
    stats: () => ({ destinations: [...runners.values()].map((runner) => runner.stats()) }),
    openOf: (profileId) => [...runners.values()].flatMap(({ queue }) => openOf(profileId, queue)),
    attemptMsOf({ deliveryId, destinationId }) {
      const queue = runners.get(destinationId)?.queue
      return queue && attemptMsOf(options.rules().byId.get(destinationId), deliveryId, queue)
    },
    health: () => [
      ...[...runners.values()].map((runner) => runner.health()),
      ...[...options.rules().byId].flatMap(([id, rule]) => (runners.has(id) ? [] : [untouchedHealth(id, rule)])),
    ],
    pause: (destinationId, reason = 'operator') => runnerOf(destinationId).pause(reason),
    resume: (destinationId) => runnerOf(destinationId).resume(),
    async close(graceMs = CLOSE_GRACE_MS) {
      isClosing = true
      // Together: what a replay waits for, its runner calls off.
      await Promise.all([replays.close(), reading, ...[...runners.values()].map((runner) => runner.close(graceMs))])
    },
  }
}

/** Timers of Node follow the monotonic clock. */
const afterTimeout: After = (waitMs, run) => {
  const timer = setTimeout(run, waitMs)
  return () => clearTimeout(timer)
}
