import type { DeliveryStatus } from '../model/delivery.ts'
import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { ReplayAs, ReplayNews } from './replay-order.ts'

/** Follows what is sent again until its users have been told, or it is known why not. In memory: a stop begins anew. */
export interface ReplayTracker {
  /** The same bytes are on their way again. */
  same(deliveryId: DeliveryId, onEnded: (news: ReplayNews) => void): void
  /** These users are owed their state of today; the others of it were told, by `toldBy`. */
  current(
    destinationId: DestinationId,
    profileIds: readonly ProfileId[],
    follow: ToldNow,
    onEnded: (news: ReplayNews) => void,
  ): void
  /** It was taken back before it left, from all replays that wait for it. */
  takenBack(deliveryId: DeliveryId): void

  /** Messages were made. */
  frozen(deliveries: readonly StoredDelivery[]): void
  ended(delivery: StoredDelivery): void
  /** A user who was owed something gets no message. */
  unsent(destinationId: DestinationId, profileId: ProfileId, reason: string): void
}

export interface ToldNow {
  /** Why not the same bytes. */
  readonly why: string | null
  /** Messages that have ended. */
  readonly toldBy: readonly StoredDelivery[]
}

interface Tracked {
  readonly why: string | null
  readonly onEnded: (news: ReplayNews) => void
  /** Whom it concerns of all users of a message; undefined: all. */
  readonly who: ReadonlySet<ProfileId> | undefined
  sent: ReplayAs
  /** Users for whom no message was made yet. */
  readonly users: Set<ProfileId>
  readonly open: Set<DeliveryId>
  readonly sentAs: Set<DeliveryId>
  outcome: 'acknowledged' | 'dead' | undefined
  reason: string | null
}

/** Ids of messages that are named of one; a user with many partner IDs is told in several. */
const SENT_AS_MAX = 20

export function openReplayTracker(): ReplayTracker {
  const byUser = new Map<string, Set<Tracked>>()
  const byDelivery = new Map<DeliveryId, Set<Tracked>>()
  const keyOf = (destinationId: DestinationId, profileId: ProfileId) => `${destinationId} ${profileId}`

  function awaitMessage(destinationId: DestinationId, profileIds: Iterable<ProfileId>, tracked: Tracked): void {
    for (const profileId of profileIds) {
      tracked.users.add(profileId)
      add(byUser, keyOf(destinationId, profileId), tracked)
    }
  }
  function follow(deliveryId: DeliveryId, tracked: Tracked): void {
    tracked.open.add(deliveryId)
    if (tracked.sentAs.size < SENT_AS_MAX) tracked.sentAs.add(deliveryId)
    add(byDelivery, deliveryId, tracked)
  }
  function endIfDone(tracked: Tracked): void {
    if (tracked.users.size > 0 || tracked.open.size > 0) return
    const { outcome = 'not_sent', sent, sentAs, reason, why } = tracked
    const isSent = outcome !== 'not_sent'
    tracked.onEnded({
      outcome,
      sent: isSent ? sent : null,
      reason: outcome === 'acknowledged' ? why : reason,
      sentAs: [...sentAs],
    })
  }
  const newTracked = (given: Pick<Tracked, 'sent' | 'why' | 'who' | 'onEnded'>): Tracked => ({
    ...given,
    ...{ outcome: undefined, reason: null },
    ...{ users: new Set(), open: new Set(), sentAs: new Set() },
  })

  return {
    same: (deliveryId, onEnded) => follow(deliveryId, newTracked({ sent: 'same', why: null, who: undefined, onEnded })),
    current(destinationId, profileIds, { why, toldBy }, onEnded) {
      const tracked = newTracked({ sent: 'current', why, who: new Set(profileIds), onEnded })
      for (const { deliveryId, status, reason } of toldBy) {
        if (tracked.sentAs.size < SENT_AS_MAX) tracked.sentAs.add(deliveryId)
        count(tracked, status, reason)
      }
      awaitMessage(destinationId, profileIds, tracked)
      endIfDone(tracked)
    },
    takenBack(deliveryId) {
      const all = byDelivery.get(deliveryId) ?? []
      byDelivery.delete(deliveryId)
      for (const { onEnded } of all) onEnded({ outcome: 'cancelled', sent: null, reason: null, sentAs: [] })
    },

    frozen(deliveries) {
      if (byUser.size === 0) return
      const made = new Set<string>()
      for (const { deliveryId, destinationId, users } of deliveries) {
        for (const { profileId } of users) {
          const key = keyOf(destinationId, profileId)
          for (const tracked of byUser.get(key) ?? []) {
            tracked.users.delete(profileId)
            follow(deliveryId, tracked)
            made.add(key)
          }
        }
      }
      for (const key of made) byUser.delete(key)
    },

    ended({ deliveryId, destinationId, status, reason, users }) {
      const all = byDelivery.get(deliveryId)
      if (all === undefined) return
      byDelivery.delete(deliveryId)
      for (const tracked of all) {
        tracked.open.delete(deliveryId)
        if (status === 'superseded') {
          // Withdrawn before it left: its users are told anew, without what they withdrew.
          tracked.sent = 'current'
          tracked.sentAs.delete(deliveryId)
          const again = users.map(({ profileId }) => profileId).filter((id) => tracked.who?.has(id) !== false)
          awaitMessage(destinationId, again, tracked)
        } else count(tracked, status, reason)
        endIfDone(tracked)
      }
    },

    unsent(destinationId, profileId, reason) {
      const key = keyOf(destinationId, profileId)
      const all = byUser.get(key)
      if (all === undefined) return
      byUser.delete(key)
      for (const tracked of all) {
        tracked.users.delete(profileId)
        tracked.reason ??= reason === 'no_segments' || reason === 'not_a_device' ? 'nothing_to_tell' : reason
        endIfDone(tracked)
      }
    },
  }
}

function count(tracked: Tracked, status: DeliveryStatus, reason: string | null): void {
  if (status === 'dead') {
    tracked.outcome = 'dead'
    tracked.reason = reason
  } else tracked.outcome ??= 'acknowledged'
}

function add<Key>(map: Map<Key, Set<Tracked>>, key: Key, tracked: Tracked): void {
  const others = map.get(key)
  if (others === undefined) map.set(key, new Set([tracked]))
  else others.add(tracked)
}
