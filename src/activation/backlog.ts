import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import { type DueProfile, DueQueue, type MayJoin } from './due-queue.ts'
import type { UntilStored } from './until-stored.ts'

type TakeMarker = (profileId: ProfileId, sinceMs: number) => boolean

/**
 * Profiles that one destination is owed: as many as fit in memory, the rest as markers on disk, found again when there
 * is room. A dead destination costs no more memory than the bound. Source: security.md SEC-44.
 */
export class Backlog {
  readonly #destinationId: DestinationId
  readonly #store: Pick<DeliveryStore, 'markers'>
  readonly #queue: DueQueue
  /** There may be markers on disk that are not in memory. */
  #isSpilled = false
  #hasDropped = false
  #refillFrom = 0
  #isRefilling = false

  constructor(destinationId: DestinationId, store: Pick<DeliveryStore, 'markers'>, sizeMax: number) {
    this.#destinationId = destinationId
    this.#store = store
    this.#queue = new DueQueue(sizeMax)
  }

  /** Profiles in memory. */
  get size(): number {
    return this.#queue.size
  }

  has(profileId: ProfileId): boolean {
    return this.#queue.has(profileId)
  }

  /** When the profile in memory that waits longest began to. */
  oldestMs(): number | undefined {
    return this.#queue.oldestMs()
  }

  get moreOnDisk(): boolean {
    return this.#isSpilled
  }

  /** @returns false when there was no room: its marker is found later */
  add(profileId: ProfileId, replayOf: DeliveryId | null, sinceMs: number): boolean {
    if (this.#queue.add(profileId, replayOf, sinceMs)) return true
    this.#isSpilled = true
    this.#hasDropped = true
    return false
  }

  /** @returns whether it was there; its marker stays */
  remove(profileId: ProfileId): boolean {
    return this.#queue.remove(profileId)
  }

  take(count: number, mayJoin?: MayJoin): DueProfile[] {
    return this.#queue.take(count, mayJoin)
  }

  needsRefill(sizeLow: number): boolean {
    return this.#isSpilled && !this.#isRefilling && this.#queue.size < sizeLow
  }

  /**
   * Reads markers until there is no more room; goes on where the last pass stopped.
   * @param take puts a profile where it belongs; false when there is no room for it
   */
  async refill(take: TakeMarker, untilStored: UntilStored): Promise<void> {
    this.#isRefilling = true
    try {
      await untilStored(() => this.#read(take))
    } finally {
      this.#isRefilling = false
    }
  }

  async #read(take: TakeMarker): Promise<void> {
    if (this.#refillFrom === 0) this.#hasDropped = false
    const options = { destinationId: this.#destinationId, fromPartition: this.#refillFrom }
    for await (const { partition, markers } of this.#store.markers(options)) {
      if (markers.every(({ profileId, atMs }) => take(profileId, atMs))) continue
      this.#refillFrom = partition
      return
    }
    // What was dropped while this pass ran may lie behind it.
    this.#isSpilled = this.#hasDropped
    this.#refillFrom = 0
  }
}
