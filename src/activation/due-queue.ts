import type { DeliveryId, ProfileId } from '../model/ids.ts'

export interface DueProfile {
  readonly profileId: ProfileId
  /** The ended delivery whose users are to be told again, if that is why it is due. */
  readonly replayOf: DeliveryId | null
}

/** Whether a profile may go with those that were taken before it. */
export type MayJoin = (profileId: ProfileId, taken: readonly DueProfile[]) => boolean

/** Profiles that one destination is owed, in order of arrival, each once. A hint only: the truth is the markers. */
export class DueQueue {
  readonly #profiles = new Map<ProfileId, { readonly replayOf: DeliveryId | null; readonly sinceMs: number }>()
  readonly #sizeMax: number

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get size(): number {
    return this.#profiles.size
  }

  has(profileId: ProfileId): boolean {
    return this.#profiles.has(profileId)
  }

  /** When the one that waits longest began to. */
  oldestMs(): number | undefined {
    let oldestMs: number | undefined
    for (const { sinceMs } of this.#profiles.values())
      if (!(sinceMs >= (oldestMs ?? Number.POSITIVE_INFINITY))) oldestMs = sinceMs
    return oldestMs
  }

  /** @returns false when there is no room: its marker must be found on disk later */
  add(profileId: ProfileId, replayOf: DeliveryId | null, sinceMs: number): boolean {
    const known = this.#profiles.get(profileId)
    if (known === undefined) {
      if (this.#profiles.size >= this.#sizeMax) return false
      this.#profiles.set(profileId, { replayOf, sinceMs })
    } else if (replayOf !== null) {
      this.#profiles.set(profileId, { ...known, replayOf })
    }
    return true
  }

  /** @returns whether it was there */
  remove(profileId: ProfileId): boolean {
    return this.#profiles.delete(profileId)
  }

  /** Takes the oldest, at most `count`, up to the first that may not go with those before it. */
  take(count: number, mayJoin: MayJoin = () => true): DueProfile[] {
    const taken: DueProfile[] = []
    for (const [profileId, { replayOf }] of this.#profiles) {
      if (taken.length === count || (taken.length > 0 && !mayJoin(profileId, taken))) break
      this.#profiles.delete(profileId)
      taken.push({ profileId, replayOf })
    }
    return taken
  }
}
