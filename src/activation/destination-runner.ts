import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { OwedProfile } from '../store/delivery-store.ts'
import { StoreUnavailableError } from '../store/record-store.ts'
import type { ToldState } from '../store/told-record.ts'
import { Backlog } from './backlog.ts'
import type { DestinationRule } from './destination-rules.ts'
import type { DueProfile } from './due-queue.ts'
import { InFlight } from './in-flight.ts'
import { OpenDeliveries } from './open-deliveries.ts'
import { readOptedOut } from './opted-out.ts'
import { Outage } from './outage.ts'
import { nextStep } from './policy.ts'
import { countedAttempts, mayNotLeave, withAttempt } from './repetition.ts'
import { buildRound, type SkipReason } from './round.ts'
import type { RunnerParts, RunnerStats } from './runner-parts.ts'

const STORE_RETRY_MS = 1_000

/** Markers of a deleted destination that are removed in one step. */
const DISCARD_PAGE = 100

/**
 * Everything one destination is owed, and its messages on their way. A message is built from its profiles as they are
 * when it is sent, stored before its first byte leaves, and repeated byte for byte until it ends.
 * Source: security.md section 5; outbound.md OUT-21 to OUT-25, OUT-39.
 */
export class DestinationRunner {
  readonly #id: DestinationId
  readonly #parts: RunnerParts
  readonly #backlog: Backlog
  readonly #inFlight = new InFlight()
  readonly #open: OpenDeliveries
  readonly #outage: Outage
  readonly #running = new Set<Promise<void>>()
  readonly #counts = { acknowledged: 0, dead: 0, failedAttempts: 0 }
  readonly #skipped: Partial<Record<SkipReason, number>> = {}
  /** New messages and repetitions take turns, so that neither starves [SEC-49]. */
  #prefersFresh = true
  /** The first of the waiting profiles has waited long enough. */
  #isFlushDue = false
  #cancelFlush: (() => void) | undefined
  #tokenFailures = 0
  /** Of the concurrency limit, in use: messages being built or sent. What is only being stored needs none. */
  #slots = 0
  /** Rounds whose messages are not stored yet. */
  #building = 0
  #isClosing = false
  #isClosed = false

  constructor(id: DestinationId, parts: RunnerParts) {
    this.#id = id
    this.#parts = parts
    this.#backlog = new Backlog(id, parts.deliveries, parts.limits.queueMax)
    this.#open = new OpenDeliveries(parts.after)
    this.#outage = new Outage(parts.after, parts.limits.openMax)
  }

  /** The profile has a marker for this destination. */
  notify(profileId: ProfileId, replayOf: DeliveryId | null = null): void {
    this.#enqueue(profileId, replayOf)
    this.pump()
  }

  /** Takes over messages that a stop left on their way. Call it before any `notify`. */
  async restore(deliveries: readonly StoredDelivery[]): Promise<void> {
    const profileIds = [...new Set(deliveries.flatMap((delivery) => delivery.users.map((user) => user.profileId)))]
    const told = toldOf(profileIds, await this.#untilStored(() => this.#parts.deliveries.lookUp(this.#id, profileIds)))
    for (const delivery of deliveries) {
      const isWhole = deliveries.filter((other) => other.roundId === delivery.roundId).length === delivery.roundSize
      this.#inFlight.add([delivery], told, isWhole)
      if (delivery.nextAttemptMs === 0) this.#open.putDue(delivery)
      else this.#retryAfter(delivery, Math.max(0, delivery.nextAttemptMs - this.#parts.clock()))
    }
    this.pump()
  }

  /** Starts as much as its limits allow. Cheap when there is nothing to start. */
  pump(): void {
    if (this.#isClosing) return
    const { byId, existing } = this.#parts.rules()
    const destination = byId.get(this.#id)
    const isDeleted = !existing.has(this.#id)
    if (isDeleted) this.#open.wake()
    else if (destination?.isActive !== true) return
    while (this.#slots < this.#parts.limits.concurrency) {
      const work = destination === undefined ? this.#discardWork() : this.#nextWork(destination)
      if (work === undefined) break
      this.#prefersFresh = !this.#prefersFresh
      this.#slots += 1
      this.#run(() =>
        work().finally(() => {
          this.#slots -= 1
        }),
      )
    }
    if (!this.#backlog.needsRefill(destination?.config.usersPerMessage ?? DISCARD_PAGE)) return
    this.#run(() =>
      this.#untilStored(() => this.#backlog.refill((profileId) => !this.#isClosing && this.#enqueue(profileId, null))),
    )
  }

  /** The definitions changed: what was blocked is tried again. */
  rulesChanged(): void {
    this.#open.wake('blocked')
    this.pump()
  }

  /**
   * Sends an ended delivery again, unchanged, if nothing newer was sent to its users or is owed to them.
   * @returns whether it will be sent
   */
  async resend(delivery: StoredDelivery): Promise<boolean> {
    const profileIds = [...new Set(delivery.users.map((user) => user.profileId))]
    if (profileIds.some((profileId) => this.#inFlight.has(profileId) || this.#backlog.has(profileId))) return false
    for (const profileId of profileIds) this.#inFlight.hold(profileId)
    const found = await this.#untilStored(() => this.#parts.deliveries.lookUp(this.#id, profileIds))
    const isLatest = found.every((one) => one.told?.deliveryId === delivery.deliveryId && !one.isOwed)
    if (!isLatest || profileIds.some((profileId) => this.#inFlight.isNoted(profileId))) {
      for (const [at, profileId] of profileIds.entries()) this.#release(profileId, found[at]?.isOwed === true)
      return false
    }
    const told = toldOf(profileIds, found)
    const again: StoredDelivery = {
      ...delivery,
      status: 'waiting',
      reason: null,
      finishedAtMs: null,
      attemptsBefore: delivery.attempts.length,
      roundId: delivery.deliveryId,
      roundSize: 1,
    }
    await this.#untilStored(() => this.#parts.deliveries.reopen(again))
    this.#inFlight.add([again], told)
    this.#open.putDue(again)
    this.pump()
    return true
  }

  stats(): RunnerStats {
    return {
      destinationId: this.#id,
      queued: this.#backlog.size,
      moreOnDisk: this.#backlog.moreOnDisk,
      busy: this.#inFlight.size,
      open: this.#open.size,
      sending: this.#open.count('sending'),
      retrying: this.#open.count('retrying'),
      blocked: this.#open.count('blocked'),
      ...this.#counts,
      skipped: { ...this.#skipped },
      authenticationFailed: this.#tokenFailures > 0,
    }
  }

  /** Starts nothing more and waits for what runs, at most `graceMs`. What is cut off is open in the store. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true
    this.#cancelFlush?.()
    this.#open.cancelTimers()
    this.#outage.close()
    if (this.#running.size > 0) {
      let cancel: (() => void) | undefined
      const grace = new Promise<void>((resolve) => {
        cancel = this.#parts.after(graceMs, resolve)
      })
      await Promise.race([Promise.all(this.#running), grace])
      cancel?.()
    }
    this.#isClosed = true
  }

  #run(work: () => Promise<void>): void {
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#parts.log('delivery.internal_error', { destinationId: this.#id, error })
      })
      .finally(() => {
        this.#running.delete(running)
        this.pump()
      })
    this.#running.add(running)
  }

  #nextWork(destination: DestinationRule): (() => Promise<void>) | undefined {
    if (this.#prefersFresh) return this.#freshWork(destination) ?? this.#readyWork(destination)
    return this.#readyWork(destination) ?? this.#freshWork(destination)
  }

  #readyWork(destination: DestinationRule): (() => Promise<void>) | undefined {
    const delivery = this.#open.takeDue()
    return delivery && (() => this.#attempt(destination, delivery, true))
  }

  /** Of a deleted destination: nothing of it is sent any more. */
  #discardWork(): (() => Promise<void>) | undefined {
    const delivery = this.#open.takeDue()
    if (delivery !== undefined) return () => this.#end({ ...delivery, status: 'dead', reason: 'destination_deleted' })
    const profileIds = this.#backlog.take(DISCARD_PAGE).map((due) => due.profileId)
    for (const profileId of profileIds) this.#inFlight.hold(profileId)
    return profileIds.length === 0 ? undefined : () => this.#discard(profileIds)
  }

  async #discard(profileIds: readonly ProfileId[]): Promise<void> {
    const profiles = await this.#untilStored(() => this.#parts.profiles.getMany(profileIds))
    await Promise.all(profileIds.map((profileId, at) => this.#settleUnsent(profileId, profiles[at]?.revision ?? 0)))
  }

  #freshWork(destination: DestinationRule): (() => Promise<void>) | undefined {
    if (this.#backlog.size === 0) return undefined
    const isFull = this.#open.size + this.#building >= this.#parts.limits.openMax
    if (isFull && !this.#outage.mayProbe(() => this.pump())) return undefined
    const { usersPerMessage, batchMaxWaitMs } = destination.config
    if (this.#backlog.size < usersPerMessage && !this.#isFlushDue && batchMaxWaitMs > 0) {
      this.#cancelFlush ??= this.#parts.after(batchMaxWaitMs, () => {
        this.#cancelFlush = undefined
        this.#isFlushDue = true
        this.pump()
      })
      return undefined
    }
    if (isFull) this.#outage.probed()
    const taken = this.#backlog.take(usersPerMessage)
    if (this.#backlog.size === 0) {
      this.#isFlushDue = false
      this.#cancelFlush?.()
      this.#cancelFlush = undefined
    }
    for (const { profileId } of taken) this.#inFlight.hold(profileId)
    this.#building += 1
    return () => this.#startRound(destination, taken)
  }

  async #startRound(destination: DestinationRule, taken: readonly DueProfile[]): Promise<void> {
    const first = await this.#freezeRound(destination, taken).finally(() => {
      this.#building -= 1
    })
    if (first !== undefined) await this.#attempt(destination, first, false)
  }

  /** Builds and stores the messages of a round. @returns the one to send now; others wait for their turn */
  async #freezeRound(destination: DestinationRule, taken: readonly DueProfile[]): Promise<StoredDelivery | undefined> {
    const { deliveries, profiles, rules, clock } = this.#parts
    const profileIds = taken.map((due) => due.profileId)
    const [owed, found] = await this.#untilStored(() =>
      Promise.all([deliveries.lookUp(this.#id, profileIds), profiles.getMany(profileIds)]),
    )
    const optedOut = await this.#untilStored(() => readOptedOut(profiles, destination, found))
    const told = toldOf(profileIds, owed)
    const members = profileIds.flatMap((profileId, at) => {
      // Its marker went with an earlier message: it was already told everything.
      return owed[at]?.isOwed === true
        ? [{ profileId, profile: found[at], toldActive: told.get(profileId)?.active ?? [] }]
        : []
    })
    const replayOf = taken.find((due) => due.replayOf !== null)?.replayOf ?? null
    const round = buildRound(rules(), destination, members, { nowMs: clock(), replayOf, optedOut })

    const sent = new Set(round.deliveries.flatMap((delivery) => delivery.users.map((user) => user.profileId)))
    if (round.deliveries.length > 0) {
      await this.#untilStored(() => deliveries.freeze(round.deliveries))
      this.#inFlight.add(round.deliveries, told)
    }
    for (const { profileId, revision, reason } of round.skipped) {
      this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1
      await this.#settleUnsent(profileId, revision)
    }
    const isSkipped = new Set(round.skipped.map((one) => one.profileId))
    for (const profileId of profileIds)
      if (!sent.has(profileId) && !isSkipped.has(profileId)) this.#release(profileId, false)

    const [first, ...others] = round.deliveries
    if (first !== undefined) this.#open.put(first)
    for (const other of others) this.#open.putDue(other)
    if (others.length > 0) this.pump()
    return first
  }

  /** Nothing is sent to it: its marker goes, unless it was renewed. */
  async #settleUnsent(profileId: ProfileId, revision: number): Promise<void> {
    const destinationId = this.#id
    const settled = { profileId, destinationId, revision, told: undefined, delivery: undefined, release: true }
    this.#release(profileId, await this.#untilStored(() => this.#parts.deliveries.settle(settled)))
  }

  /** @param hasWaited since it was built, if only for its turn: it is asked again whether it may leave */
  async #attempt(destination: DestinationRule, delivery: StoredDelivery, hasWaited: boolean): Promise<void> {
    if (!this.#open.has(delivery.deliveryId)) return
    this.#open.put({ ...delivery, status: 'sending' })
    if (hasWaited && (await this.#untilStored(() => mayNotLeave(this.#parts.profiles, delivery)))) {
      return this.#end({ ...delivery, status: 'superseded', reason: 'consent_withdrawn' })
    }
    const sent = await this.#parts.sender.send(destination, delivery)
    if (this.#isClosed || sent.outcome.status === 'stopped') return
    const tried = withAttempt(delivery, sent)
    this.#tokenFailures = sent.outcome.status === 'unauthenticated' ? this.#tokenFailures + 1 : 0
    if (sent.outcome.status !== 'acknowledged') this.#counts.failedAttempts += 1
    const step = nextStep({
      config: destination.config,
      outcome: sent.outcome,
      attempts: countedAttempts(tried),
      wasUnauthorized: delivery.attempts.at(-1)?.httpStatus === 401,
      tokenFailures: this.#tokenFailures,
      compatRetryWaitMs: this.#parts.limits.compatRetryWaitMs,
      random: this.#parts.random(),
    })
    if (sent.attempt !== undefined) this.#parts.onAttempt(tried)
    if (this.#outage.isEndedBy(sent.outcome)) this.#open.wake('retrying')
    if (step.status === 'acknowledged')
      return this.#run(() => this.#end({ ...tried, status: 'acknowledged', reason: null }))
    if (step.status === 'dead') return this.#run(() => this.#end({ ...tried, ...step }))
    const nextAttemptMs = this.#parts.clock() + step.waitMs
    const waiting: StoredDelivery = { ...tried, status: step.status, reason: step.reason, nextAttemptMs }
    await this.#untilStored(() => this.#parts.deliveries.update(waiting))
    this.#retryAfter(waiting, step.waitMs)
  }

  async #end(delivery: StoredDelivery): Promise<void> {
    const { deliveries, clock, onEnded } = this.#parts
    const ended: StoredDelivery = { ...delivery, finishedAtMs: clock(), nextAttemptMs: 0 }
    const settled = this.#inFlight.ended(ended, clock())
    // Users with a superseded message are built anew; those of a replay have no marker any more.
    const replaced = settled.map((one) => one.profileId).filter((profileId) => this.#inFlight.isReplaced(profileId))
    const due = await this.#untilStored(() =>
      Promise.all(
        settled.map((one) => deliveries.settle({ ...one, release: one.release && !replaced.includes(one.profileId) })),
      ),
    )
    await this.#untilStored(() =>
      Promise.all(replaced.map((profileId) => deliveries.owe(profileId, this.#id, clock()))),
    )
    await this.#untilStored(() => deliveries.end(ended))
    this.#open.remove(ended.deliveryId)
    if (ended.status === 'acknowledged') this.#counts.acknowledged += 1
    else if (ended.status === 'dead') this.#counts.dead += 1
    settled.forEach((one, at) => {
      if (one.release) this.#release(one.profileId, due[at] === true)
    })
    onEnded(ended)
  }

  #retryAfter(delivery: StoredDelivery, waitMs: number): void {
    if (!this.#isClosing) this.#open.putWaiting(delivery, waitMs, () => this.pump())
  }

  #enqueue(profileId: ProfileId, replayOf: DeliveryId | null): boolean {
    return this.#inFlight.note(profileId) || this.#backlog.add(profileId, replayOf)
  }

  /** The profile is free again; it goes back into the queue when it is still owed, or changed meanwhile. */
  #release(profileId: ProfileId, isDue: boolean): void {
    const isNotified = this.#inFlight.release(profileId)
    if (isDue || isNotified) this.#enqueue(profileId, null)
  }

  /** Repeats a store call, all of which bear it, until the store answers: nothing goes on before it is written. */
  async #untilStored<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || this.#isClosing) throw error
        this.#parts.log('delivery.store_unavailable', { destinationId: this.#id, error })
        await new Promise<void>((resolve) => this.#parts.after(STORE_RETRY_MS, resolve))
      }
    }
  }
}

function toldOf(profileIds: readonly ProfileId[], found: readonly OwedProfile[]): Map<ProfileId, ToldState> {
  const told = new Map<ProfileId, ToldState>()
  profileIds.forEach((profileId, at) => {
    const known = found[at]?.told
    if (known !== undefined) told.set(profileId, known)
  })
  return told
}
