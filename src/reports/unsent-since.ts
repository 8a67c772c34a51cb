import type { DestinationId, ProfileId } from '../model/ids.ts'

/**
 * Since when destinations wait to hear of profiles, to measure the time from an event to its partner. In memory and bounded:
 * beyond the bound the one that waited longest is forgotten, and after a restart nothing is known; what is not known is not
 * measured.
 */
export class UnsentSince {
  readonly #waiting = new Map<string, { readonly firstMs: number; lastMs: number }>()
  readonly #max: number

  constructor(max = 20_000) {
    this.#max = max
  }

  committed(profileId: ProfileId, destinationIds: readonly DestinationId[], nowMs: number): void {
    for (const destinationId of destinationIds) {
      const key = `${destinationId} ${profileId}`
      const known = this.#waiting.get(key)
      if (known !== undefined) {
        known.lastMs = nowMs
        continue
      }
      const [oldest] = this.#waiting.keys()
      if (this.#waiting.size >= this.#max && oldest !== undefined) this.#waiting.delete(oldest)
      this.#waiting.set(key, { firstMs: nowMs, lastMs: nowMs })
    }
  }

  /**
   * A message has ended. A change that came after it was built waits for the next one.
   * @returns since when the longest of its users waited; undefined when that is not known of any
   */
  ended(message: {
    readonly destinationId: DestinationId
    readonly createdAtMs: number
    readonly users: readonly { readonly profileId: ProfileId }[]
  }): number | undefined {
    let sinceMs: number | undefined
    for (const { profileId } of message.users) {
      const key = `${message.destinationId} ${profileId}`
      const known = this.#waiting.get(key)
      if (known === undefined || known.firstMs > message.createdAtMs) continue
      this.#waiting.delete(key)
      if (known.lastMs > message.createdAtMs) this.#waiting.set(key, { firstMs: known.lastMs, lastMs: known.lastMs })
      sinceMs = Math.min(sinceMs ?? known.firstMs, known.firstMs)
    }
    return sinceMs
  }
}
