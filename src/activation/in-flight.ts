import type { DeliveryUser } from '../model/delivery.ts'
import type { ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { SettledProfile } from '../store/delivery-store.ts'
import type { ToldState } from '../store/told-record.ts'

interface BusyProfile {
  told: ToldState | undefined
  /** Messages on their way that hold the profile. */
  remaining: number
  /** All that have ended were acknowledged; only then does a Status 0 count as delivered everywhere [OUT-41]. */
  allAcknowledged: boolean
  /** One of them was superseded: what it held is told anew. */
  isReplaced: boolean
  /** It changed meanwhile. */
  isNotified: boolean
}

/**
 * Profiles of one destination that stand in a message on its way. Until all of its messages have ended a profile goes
 * into no other one, so that a user's messages cannot overtake each other. An open message counts as told: it holds
 * the segments it may have made known. Source: security.md SEC-42, SEC-43.
 */
export class InFlight {
  readonly #busy = new Map<ProfileId, BusyProfile>()

  /** From the moment a message is being built for it. @throws Error when it is busy: its messages would overtake each other */
  hold(profileId: ProfileId): void {
    if (this.#busy.has(profileId)) throw new Error('a profile of a message on its way was taken for another one')
    this.#busy.set(profileId, newBusy(undefined, 0))
  }

  /** @returns true when the profile is busy: it is looked at again at its end */
  note(profileId: ProfileId): boolean {
    const busy = this.#busy.get(profileId)
    if (busy === undefined) return false
    busy.isNotified = true
    return true
  }

  has(profileId: ProfileId): boolean {
    return this.#busy.has(profileId)
  }

  /** Was one of its messages superseded? */
  isReplaced(profileId: ProfileId): boolean {
    return this.#busy.get(profileId)?.isReplaced === true
  }

  /** Did it change while it was busy? */
  isNoted(profileId: ProfileId): boolean {
    return this.#busy.get(profileId)?.isNotified === true
  }

  /** Messages were frozen, or found open at the start: then `isWhole` says whether all of their round are still open. */
  add(deliveries: readonly StoredDelivery[], told: ReadonlyMap<ProfileId, ToldState>, isWhole = true): void {
    for (const { users } of deliveries) {
      for (const profileId of new Set(users.map((user) => user.profileId))) {
        const busy = this.#busy.get(profileId)
        if (busy === undefined)
          this.#busy.set(profileId, { ...newBusy(told.get(profileId), 1), allAcknowledged: isWhole })
        else {
          busy.told = told.get(profileId)
          busy.remaining += 1
        }
      }
    }
  }

  /** What to store when a message has ended. Call it once for each message. */
  ended(delivery: StoredDelivery, nowMs: number): SettledProfile[] {
    const isAcknowledged = delivery.status === 'acknowledged'
    return [...mergedUsers(delivery.users)].map(([profileId, user]) => {
      const busy = this.#busy.get(profileId) ?? newBusy(undefined, 1)
      busy.remaining -= 1
      busy.allAcknowledged &&= isAcknowledged
      busy.isReplaced ||= delivery.status === 'superseded'
      const release = busy.remaining === 0
      busy.told = toldAfter(busy.told, user, delivery, release && busy.allAcknowledged, nowMs)
      return {
        profileId,
        destinationId: delivery.destinationId,
        revision: user.revision,
        told: busy.told,
        delivery,
        release,
      }
    })
  }

  /** @returns true when the profile changed while it was busy */
  release(profileId: ProfileId): boolean {
    const busy = this.#busy.get(profileId)
    this.#busy.delete(profileId)
    return busy?.isNotified === true
  }

  get size(): number {
    return this.#busy.size
  }
}

function newBusy(told: ToldState | undefined, remaining: number): BusyProfile {
  return { told, remaining, allAcknowledged: true, isReplaced: false, isNotified: false }
}

/** One profile can stand in a message under several partner IDs. */
function mergedUsers(users: readonly DeliveryUser[]): Map<ProfileId, DeliveryUser> {
  return new Map(users.map((user) => [user.profileId, user]))
}

function toldAfter(
  before: ToldState | undefined,
  user: DeliveryUser,
  { deliveryId, status }: StoredDelivery,
  zerosDelivered: boolean,
  nowMs: number,
): ToldState {
  const active = new Set([...(before?.active ?? []), ...user.active])
  if (zerosDelivered) for (const sid of user.inactive) active.delete(sid)
  return {
    sequence: (before?.sequence ?? 0) + 1,
    active: [...active].sort((a, b) => a - b),
    acknowledgedAtMs: status === 'acknowledged' ? nowMs : (before?.acknowledgedAtMs ?? 0),
    endedAtMs: nowMs,
    deliveryId,
    state: status === 'acknowledged' || status === 'superseded' ? status : 'dead',
  }
}
