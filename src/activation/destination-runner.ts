import type { DestinationHealth, PauseReason } from '../model/delivery.ts'
import type { DeliveryId, DestinationId, ProfileId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DestinationState } from '../store/destination-states.ts'
import { Backlog } from './backlog.ts'
import { type DestinationRule, isOfFormer } from './destination-rules.ts'
import type { DueProfile } from './due-queue.ts'
import { storeEnding } from './ending.ts'
import { Gate, type Pass, type Ticket } from './gate.ts'
import { Halves } from './halves.ts'
import { InFlight } from './in-flight.ts'
import { OpenDeliveries } from './open-deliveries.ts'
import { Overflow } from './overflow.ts'
import { nextStep } from './policy.ts'
import { readRound, toldOf } from './read-round.ts'
import { countedAttempts, waitLeft, wasUnauthorized, whyNotLeave, withAttempt } from './repetition.ts'
import { type ReplayGround, recallReplay } from './replay-message.ts'
import type { SkipReason } from './round.ts'
import { healthOf, type Queue, queueStats } from './runner-health.ts'
import type { RunnerParts, RunnerStats } from './runner-parts.ts'
import { Slots } from './slots.ts'
import { StateKeeper } from './state-keeper.ts'
import { allWithin, type UntilStored, untilStored } from './until-stored.ts'

type Work = (ticket: Ticket) => Promise<void>

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
  readonly #halves = new Halves()
  readonly #open: OpenDeliveries
  readonly #overflow: Overflow
  readonly #untilStored: UntilStored
  readonly #gate: Gate
  readonly #running = new Set<Promise<void>>()
  readonly #counts = { acknowledged: 0, dead: 0, failedAttempts: 0 }
  readonly #skipped: Partial<Record<SkipReason, number>> = {}
  /** New messages and repetitions take turns, so that neither starves [SEC-49]. */
  #prefersFresh = true
  /** The first of the waiting profiles has waited long enough. */
  #isFlushDue = false
  #cancelFlush: (() => void) | undefined
  #tokenFailures = 0
  /** What is only being stored needs none. */
  readonly #slots: Slots
  /** Rounds whose messages are not stored yet. */
  #building = 0
  #isClosing = false
  #isClosed = false
  readonly #keeper: StateKeeper
  readonly queue: Queue
  /** What a replay works on. */
  readonly ground: ReplayGround

  /** @param stored how it stood before the last stop */
  constructor(id: DestinationId, parts: RunnerParts, stored: DestinationState | undefined) {
    this.#id = id
    this.#parts = parts
    this.#backlog = new Backlog(id, parts.deliveries, parts.limits.queueMax)
    this.#untilStored = untilStored(parts, id, () => this.#isClosing)
    this.#open = new OpenDeliveries(parts.after)
    this.#overflow = new Overflow(parts.after)
    this.#slots = new Slots(parts.limits.concurrency)
    this.#keeper = new StateKeeper(stored !== undefined, (state) =>
      this.#untilStored(() => parts.deliveries.saveDestinationState(id, state)),
    )
    this.ground = {
      ...{ destinationId: id, parts, inFlight: this.#inFlight, backlog: this.#backlog, open: this.#open },
      untilStored: this.#untilStored,
      release: (profileId, isDue, replayOf) => this.#release(profileId, isDue, replayOf),
      pump: () => this.pump(),
      giveUp: (delivery) => this.#end({ ...delivery, status: 'dead' }),
    }
    this.#gate = new Gate({
      parts,
      stored,
      destination: parts.rules().byId.get(id),
      onReady: () => this.pump(),
      onChanged: () => this.#run(() => this.#keeper.save(() => this.#gate.state())),
      onPaused: (reason) => parts.log('delivery.paused', { destinationId: id, reason }),
    })
    this.queue = { ...this.ground, gate: this.#gate, openMax: parts.limits.openMax }
  }

  /** The profile has a marker for this destination. */
  notify(profileId: ProfileId, sinceMs = this.#parts.clock()): void {
    this.#enqueue(profileId, null, sinceMs)
    this.pump()
  }

  /** Takes over messages that a stop left on their way. Call it before any `notify`. */
  async restore(deliveries: readonly StoredDelivery[]): Promise<void> {
    const profileIds = [...new Set(deliveries.flatMap((delivery) => delivery.users.map((user) => user.profileId)))]
    const told = toldOf(profileIds, await this.#untilStored(() => this.#parts.deliveries.lookUp(this.#id, profileIds)))
    for (const delivery of deliveries) {
      const isWhole = deliveries.filter((other) => other.roundId === delivery.roundId).length === delivery.roundSize
      this.#inFlight.add([delivery], told, isWhole)
      const rule = this.#parts.rules().byId.get(this.#id)
      const isOver = rule !== undefined && isOfFormer(delivery, rule)
      if (delivery.nextAttemptMs === 0 || isOver) this.#open.putDue(delivery)
      else this.#retryAfter(delivery, waitLeft(delivery, this.#parts.clock()))
    }
    this.pump()
  }

  /** Starts as much as its limits allow. Cheap when there is nothing to start. */
  pump(): void {
    if (this.#isClosing) return
    const { byId, existing } = this.#parts.rules()
    const destination = byId.get(this.#id)
    if (!existing.has(this.#id)) this.#discardAll()
    else if (destination?.isActive !== true || this.#gate.isPaused) return
    else this.#sendAll(destination)
    if (!this.#backlog.needsRefill(destination?.config.usersPerMessage ?? DISCARD_PAGE)) return
    const take = (profileId: ProfileId, atMs: number) => !this.#isClosing && this.#enqueue(profileId, null, atMs)
    this.#run(() => this.#backlog.refill(take, this.#untilStored))
  }

  /** The definitions changed: what was blocked is tried again. */
  rulesChanged(): void {
    const isAnother = this.#gate.configChanged(this.#parts.rules().byId.get(this.#id))
    this.#open.wake(isAnother ? undefined : 'blocked')
    this.pump()
  }

  /** Sends nothing until `resume`; what is on its way ends. Resolves when that is stored. */
  async pause(reason: PauseReason): Promise<void> {
    this.#gate.pause(reason)
    await this.#keeper.saved()
  }

  /** Everything that waits is due at once, whatever happened before. */
  async resume(): Promise<void> {
    this.#gate.resume()
    this.#open.wake('retrying')
    this.pump()
    await this.#keeper.saved()
  }

  health(): DestinationHealth {
    return healthOf(this.#id, this.#parts.rules().byId.get(this.#id), this.queue)
  }

  stats(): RunnerStats {
    return {
      ...queueStats(this.#backlog, this.#inFlight, this.#open),
      destinationId: this.#id,
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
    this.#overflow.close()
    await allWithin(this.#running, graceMs, this.#parts.after)
    this.#isClosed = true
    if (this.#gate.isUnsaved)
      await this.#keeper
        .save(() => this.#gate.state())
        .catch((error: unknown) => {
          this.#parts.log('delivery.state_unsaved', { destinationId: this.#id, error })
        })
    // An answer that came meanwhile may have asked for silence.
    this.#gate.close()
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

  #sendAll(destination: DestinationRule): void {
    while (
      this.#slots.used < this.#gate.concurrency(destination) &&
      (this.#backlog.size > 0 || this.#open.hasWaiting)
    ) {
      const pass = this.#gate.pass(destination)
      const work = pass && this.#nextWork(destination, pass)
      if (pass === undefined || work === undefined) return
      this.#prefersFresh = !this.#prefersFresh
      this.#gate.started(pass, destination)
      this.#start((decided) => {
        const ticket = { pass, isUsed: false, decided }
        return work(ticket).finally(() => {
          if (!ticket.isUsed) this.#gate.unused(pass)
        })
      })
    }
  }

  /** Of a deleted destination: nothing of it is sent any more. */
  #discardAll(): void {
    this.#gate.forget()
    if (this.#keeper.hasState) this.#run(() => this.#keeper.forget())
    this.#open.wake()
    while (this.#slots.used < this.#parts.limits.concurrency) {
      const work = this.#discardWork()
      if (work === undefined) return
      this.#start(work)
    }
  }

  /** @param work is told how to give its slot back early */
  #start(work: (decided: () => void) => Promise<void>): void {
    const slot = this.#slots.take()
    this.#run(() => work(() => slot.decided() && this.pump()).finally(slot.end))
  }

  #nextWork(destination: DestinationRule, pass: Pass): Work | undefined {
    if (pass === 'probe') return this.#sendWork(destination, this.#open.takeProbe()) ?? this.#freshWork(destination)
    const ready = () => this.#sendWork(destination, this.#open.takeDue())
    return this.#prefersFresh ? (this.#freshWork(destination) ?? ready()) : (ready() ?? this.#freshWork(destination))
  }

  #sendWork(destination: DestinationRule, delivery: StoredDelivery | undefined): Work | undefined {
    if (delivery === undefined) return undefined
    if (isOfFormer(delivery, destination))
      return () => this.#end({ ...delivery, status: 'dead', reason: 'destination_deleted' })
    return (ticket) => this.#attempt(destination, delivery, true, ticket)
  }

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
    for (const profileId of profileIds) this.#parts.tracker.unsent(this.#id, profileId, 'destination_deleted')
  }

  #freshWork(destination: DestinationRule): Work | undefined {
    if (this.#backlog.size === 0) return undefined
    const isFull = this.#open.size + this.#building >= this.#parts.limits.openMax
    if (isFull && !this.#overflow.mayGo(() => this.pump())) return undefined
    const { usersPerMessage, batchMaxWaitMs } = destination.config
    if (this.#backlog.size < usersPerMessage && !this.#isFlushDue && batchMaxWaitMs > 0) {
      this.#cancelFlush ??= this.#parts.after(batchMaxWaitMs, () => {
        this.#cancelFlush = undefined
        this.#isFlushDue = true
        this.pump()
      })
      return undefined
    }
    if (isFull) this.#overflow.gone()
    const taken = this.#backlog.take(usersPerMessage, this.#halves.mayJoin)
    if (this.#backlog.size === 0) {
      this.#isFlushDue = false
      this.#cancelFlush?.()
      this.#cancelFlush = undefined
    }
    for (const { profileId } of taken) this.#inFlight.hold(profileId)
    this.#building += 1
    return (ticket) => this.#startRound(destination, taken, ticket)
  }

  async #startRound(destination: DestinationRule, taken: readonly DueProfile[], ticket: Ticket): Promise<void> {
    const first = await this.#freezeRound(destination, taken).finally(() => {
      this.#building -= 1
    })
    if (first !== undefined) await this.#attempt(destination, first, false, ticket)
  }

  /** Builds and stores the messages of a round. @returns the one to send now; others wait for their turn */
  async #freezeRound(destination: DestinationRule, taken: readonly DueProfile[]): Promise<StoredDelivery | undefined> {
    const { deliveries, tracker } = this.#parts
    const profileIds = taken.map((due) => due.profileId)
    const { round, told } = await this.#untilStored(() => readRound(this.#parts, destination, taken))

    const sent = new Set(round.deliveries.flatMap((delivery) => delivery.users.map((user) => user.profileId)))
    if (round.deliveries.length > 0) {
      await this.#untilStored(() => deliveries.freeze(round.deliveries))
      this.#inFlight.add(round.deliveries, told)
      tracker.frozen(round.deliveries)
    }
    for (const { profileId, revision, reason } of round.skipped) {
      this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1
      await this.#settleUnsent(profileId, revision)
      tracker.unsent(this.#id, profileId, reason)
    }
    const isSkipped = new Set(round.skipped.map((one) => one.profileId))
    for (const profileId of profileIds) {
      if (sent.has(profileId) || isSkipped.has(profileId)) continue
      this.#release(profileId, false)
      tracker.unsent(this.#id, profileId, 'nothing_to_tell')
    }

    const [first, ...others] = round.deliveries
    if (first !== undefined) this.#open.put(first)
    for (const other of others) this.#open.putDue(other)
    if (others.length > 0) this.pump()
    return first
  }

  /** Nothing is sent to it: its marker goes, unless it was renewed. */
  async #settleUnsent(profileId: ProfileId, revision: number): Promise<void> {
    const unsent = { profileId, destinationId: this.#id, revision, told: undefined, delivery: undefined }
    this.#release(profileId, await this.#untilStored(() => this.#parts.deliveries.settle({ ...unsent, release: true })))
  }

  /** @param hasWaited since it was built, if only for its turn: it is asked again whether it may leave */
  async #attempt(
    destination: DestinationRule,
    delivery: StoredDelivery,
    hasWaited: boolean,
    ticket: Ticket,
  ): Promise<void> {
    if (!this.#open.has(delivery.deliveryId)) return
    this.#open.put({ ...delivery, status: 'sending' })
    const reason = hasWaited && (await this.#untilStored(() => whyNotLeave(this.#parts.profiles, delivery)))
    if (reason) return this.#end({ ...delivery, status: 'superseded', reason })
    const sent = await this.#parts.sender.send(destination, delivery, ticket.decided)
    if (this.#isClosed || sent.outcome.status === 'stopped') return
    const uncounted = this.#gate.uncounted(sent.outcome, ticket.pass, destination)
    const tried = withAttempt(delivery, sent, uncounted)
    this.#tokenFailures = sent.outcome.status === 'unauthenticated' ? this.#tokenFailures + 1 : 0
    this.#counts.failedAttempts += sent.outcome.status === 'acknowledged' ? 0 : 1
    if (sent.outcome.status === 'acknowledged') this.#overflow.accepted()
    const step = nextStep({
      config: destination.config,
      outcome: sent.outcome,
      attempts: countedAttempts(tried),
      wasUnauthorized: wasUnauthorized(delivery),
      tokenFailures: this.#tokenFailures,
      compatRetryWaitMs: this.#parts.limits.compatRetryWaitMs,
      isUncounted: uncounted !== undefined,
      random: this.#parts.random(),
    })
    if (sent.attempt !== undefined) this.#parts.onAttempt(tried)
    ticket.isUsed = true
    if (this.#gate.record(sent.outcome, ticket.pass, destination)) this.#open.wake('retrying')
    if (this.#halves.split(sent.outcome, delivery.users))
      return this.#run(() => this.#end({ ...tried, status: 'superseded', reason: 'halved' }))
    if (step.status === 'acknowledged' || step.status === 'dead')
      return this.#run(() => this.#end({ ...tried, reason: null, ...step }))
    const { waitMs, ...state } = step
    const waiting: StoredDelivery = { ...tried, ...state, nextAttemptMs: this.#parts.clock() + waitMs }
    await this.#untilStored(() => this.#parts.deliveries.update(waiting))
    this.#retryAfter(waiting, waitMs)
    if (this.#open.isCalledOff(waiting.deliveryId)) await recallReplay(this.ground, waiting.deliveryId)
  }

  async #end(delivery: StoredDelivery): Promise<void> {
    const ended: StoredDelivery = { ...delivery, finishedAtMs: this.#parts.clock(), nextAttemptMs: 0 }
    const free = await storeEnding(this.#parts, this.#untilStored, this.#inFlight, ended)
    this.#open.remove(ended.deliveryId)
    this.#halves.ended(ended)
    if (ended.status === 'acknowledged') this.#counts.acknowledged += 1
    else if (ended.status === 'dead') this.#counts.dead += 1
    for (const { profileId, isDue } of free) this.#release(profileId, isDue)
    this.#parts.onEnded(ended)
  }

  #retryAfter(delivery: StoredDelivery, waitMs: number): void {
    if (!this.#isClosing) this.#open.putWaiting(delivery, waitMs, () => this.pump())
  }

  #enqueue(profileId: ProfileId, replayOf: DeliveryId | null, sinceMs: number): boolean {
    return this.#inFlight.note(profileId) || this.#backlog.add(profileId, replayOf, sinceMs)
  }

  /** The profile is free again; it goes back into the queue when it is still owed, or changed meanwhile. */
  #release(profileId: ProfileId, isDue: boolean, replayOf: DeliveryId | null = null): void {
    const isNotified = this.#inFlight.release(profileId)
    if (isDue || isNotified) this.#enqueue(profileId, replayOf, this.#parts.clock())
  }
}
