import type { Clock } from '../model/clock.ts'
import type { DestinationId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import type { DestinationRules } from './destination-rules.ts'
import type { ReplayTracker } from './replay-tracker.ts'
import type { SkipReason } from './round.ts'
import type { Sender } from './sender.ts'

/** What the runner of a destination works with, and what it tells of itself. */
export interface RunnerParts {
  readonly deliveries: DeliveryStore
  readonly profiles: Pick<ProfileStore, 'getMany' | 'optOuts'>
  readonly rules: () => DestinationRules
  readonly sender: Sender
  readonly clock: Clock
  readonly after: After
  readonly random: () => number
  readonly log: (event: string, fields: Record<string, unknown>) => void
  readonly onAttempt: (delivery: StoredDelivery) => void
  readonly onEnded: (delivery: StoredDelivery) => void
  readonly tracker: Pick<ReplayTracker, 'same' | 'current' | 'takenBack' | 'frozen' | 'unsent'>
  readonly limits: RunnerLimits
}

/** Runs something once after a monotonic wait [SEC-46]. @returns what calls it off */
export type After = (waitMs: number, run: () => void) => () => void

export interface RunnerLimits {
  /** Requests at one time to one destination. */
  readonly concurrency: number
  /** Profiles kept in memory for one destination; the rest stay as markers on disk. */
  readonly queueMax: number
  /** Messages on their way; a dead destination holds no more memory than these [SEC-44]. */
  readonly openMax: number
  readonly compatRetryWaitMs: number
}

export interface RunnerStats {
  readonly destinationId: DestinationId
  /** Profiles that wait in memory, and whether more wait on disk. */
  readonly queued: number
  readonly moreOnDisk: boolean
  /** Profiles in a message that is being built or on its way. */
  readonly busy: number
  /** Messages on their way. */
  readonly open: number
  readonly sending: number
  readonly retrying: number
  readonly blocked: number
  /** Since the start. */
  readonly acknowledged: number
  readonly dead: number
  readonly failedAttempts: number
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>
  /** The token endpoint refuses us [OUT-84]. */
  readonly authenticationFailed: boolean
}
