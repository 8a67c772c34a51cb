import type { DeliveryUser } from '../model/delivery.ts'
import type { ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { faultOf, type Outcome } from './classify.ts'
import type { DueProfile } from './due-queue.ts'

/**
 * Users of messages that were refused whole for one of them: they are told in ever smaller messages, until the one stands
 * alone and its message ends among the dead letters. A stop forgets it; then the message is refused once more.
 */
export class Halves {
  /** In how large a message each may stand. */
  readonly #sizeMax = new Map<ProfileId, number>()

  /** @returns whether its users are to be told in two messages instead */
  split(outcome: Outcome, users: readonly DeliveryUser[]): boolean {
    if (outcome.status !== 'failed' || faultOf(outcome) !== 'record') return false
    const profileIds = new Set(users.map(({ profileId }) => profileId))
    if (profileIds.size < 2) return false
    for (const profileId of profileIds) this.#sizeMax.set(profileId, Math.ceil(profileIds.size / 2))
    return true
  }

  readonly mayJoin = (profileId: ProfileId, taken: readonly DueProfile[]): boolean =>
    [profileId, ...taken.map((one) => one.profileId)].every(
      (one) => taken.length < (this.#sizeMax.get(one) ?? Number.POSITIVE_INFINITY),
    )

  ended({ status, users }: StoredDelivery): void {
    if (this.#sizeMax.size === 0 || status === 'superseded') return
    for (const { profileId } of users) this.#sizeMax.delete(profileId)
  }
}
