import type { DeliveryStatus } from '../model/delivery.ts'
import type { DeliveryId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { After } from './runner-parts.ts'

interface OpenDelivery {
  delivery: StoredDelivery
  cancelTimer: (() => void) | undefined
  /** Its replay was stopped while it was being sent. */
  isCalledOff: boolean
}

/** The messages of one destination on their way: being sent, waiting for their time, or due. */
export class OpenDeliveries {
  readonly #after: After
  readonly #open = new Map<DeliveryId, OpenDelivery>()
  readonly #due: StoredDelivery[] = []

  constructor(after: After) {
    this.#after = after
  }

  get size(): number {
    return this.#open.size
  }

  ids(): readonly DeliveryId[] {
    return [...this.#open.keys()]
  }

  /** Those with this user. */
  ofProfile(profileId: ProfileId): readonly StoredDelivery[] {
    const all = [...this.#open.values()].map(({ delivery }) => delivery)
    return all.filter(({ users }) => users.some((user) => user.profileId === profileId))
  }

  has(deliveryId: DeliveryId): boolean {
    return this.#open.has(deliveryId)
  }

  count(status: DeliveryStatus): number {
    let count = 0
    for (const { delivery } of this.#open.values()) if (delivery.status === status) count += 1
    return count
  }

  /** Adds a message, or says how it is now. */
  put(delivery: StoredDelivery): void {
    const known = this.#open.get(delivery.deliveryId)
    if (known === undefined)
      this.#open.set(delivery.deliveryId, { delivery, cancelTimer: undefined, isCalledOff: false })
    else known.delivery = delivery
  }

  /** Its next attempt is due now. */
  putDue(delivery: StoredDelivery): void {
    this.put(delivery)
    this.#due.push(delivery)
  }

  /** Its next attempt is due after a wait; `onDue` is told then. */
  putWaiting(delivery: StoredDelivery, waitMs: number, onDue: () => void): void {
    this.put(delivery)
    const open = this.#open.get(delivery.deliveryId)
    if (open === undefined) return
    open.cancelTimer = this.#after(waitMs, () => {
      open.cancelTimer = undefined
      this.#due.push(open.delivery)
      onDue()
    })
  }

  /** Takes the first whose attempt is due. */
  takeDue(): StoredDelivery | undefined {
    return this.#due.shift()
  }

  /** Something waits for its turn or its time. */
  get hasWaiting(): boolean {
    if (this.#due.length > 0) return true
    for (const open of this.#open.values()) if (open.cancelTimer !== undefined) return true
    return false
  }

  /** Something waits for its turn only. */
  get hasDue(): boolean {
    return this.#due.length > 0
  }

  /**
   * The one that asks whether the destination is back: a due one, or the first that waits for its repetition.
   * @param atMs when it will ask: another one may be due by then
   */
  probe(atMs = 0): StoredDelivery | undefined {
    if (this.#due.length > 0) return this.#due[0]
    const dueMs = this.nextAttemptMs()
    for (const { delivery, cancelTimer } of this.#open.values())
      if (dueMs !== undefined && dueMs <= atMs && cancelTimer !== undefined && delivery.nextAttemptMs === dueMs)
        return delivery
    for (const { delivery, cancelTimer } of this.#open.values())
      if (cancelTimer !== undefined && delivery.status === 'retrying') return delivery
    return undefined
  }

  takeProbe(): StoredDelivery | undefined {
    const probe = this.probe()
    return probe && this.withdraw(probe.deliveryId)
  }

  /** When the time of one that waits comes; 0: it is due, undefined: it does not wait. */
  waitsUntilMs(deliveryId: DeliveryId): number | undefined {
    if (this.#due.some((delivery) => delivery.deliveryId === deliveryId)) return 0
    const open = this.#open.get(deliveryId)
    return open?.cancelTimer === undefined ? undefined : open.delivery.nextAttemptMs
  }

  /** When the first of those that wait for their time is tried again. */
  nextAttemptMs(): number | undefined {
    let nextMs: number | undefined
    for (const { delivery, cancelTimer } of this.#open.values())
      if (cancelTimer !== undefined && delivery.nextAttemptMs < (nextMs ?? Number.POSITIVE_INFINITY))
        nextMs = delivery.nextAttemptMs
    return nextMs
  }

  /** When the oldest of them was made. */
  oldestMs(): number | undefined {
    let oldestMs: number | undefined
    for (const { delivery } of this.#open.values())
      if (delivery.createdAtMs < (oldestMs ?? Number.POSITIVE_INFINITY)) oldestMs = delivery.createdAtMs
    return oldestMs
  }

  /** What waits is due at once: only messages of that status, if one is given. */
  wake(status?: DeliveryStatus): void {
    for (const open of this.#open.values()) {
      if (open.cancelTimer === undefined || (status !== undefined && open.delivery.status !== status)) continue
      open.cancelTimer()
      open.cancelTimer = undefined
      this.#due.push(open.delivery)
    }
  }

  /** Takes one that waits for its turn or its time; it stays open. @returns undefined: it is not open, or being sent */
  withdraw(deliveryId: DeliveryId): StoredDelivery | undefined {
    const open = this.#open.get(deliveryId)
    if (open === undefined) return undefined
    const at = this.#due.findIndex((delivery) => delivery.deliveryId === deliveryId)
    if (at >= 0) return this.#due.splice(at, 1)[0]
    if (open.cancelTimer === undefined) return undefined
    open.cancelTimer()
    open.cancelTimer = undefined
    return open.delivery
  }

  /** It is being sent, and is to be taken back if that does not end it. */
  callOff(deliveryId: DeliveryId): void {
    const open = this.#open.get(deliveryId)
    if (open !== undefined) open.isCalledOff = true
  }

  isCalledOff(deliveryId: DeliveryId): boolean {
    return this.#open.get(deliveryId)?.isCalledOff === true
  }

  /** It has ended. */
  remove(deliveryId: DeliveryId): void {
    this.#open.delete(deliveryId)
  }

  cancelTimers(): void {
    for (const open of this.#open.values()) open.cancelTimer?.()
  }
}
