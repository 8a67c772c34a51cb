import type { PauseReason } from '../model/delivery.ts'
import type { DeliveryId, DestinationId } from '../model/ids.ts'
import type { DeliveryPlace } from '../store/delivery-keys.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { JobStore } from '../store/job-store.ts'
import { hasDestination } from './destination-rules.ts'
import type { DestinationRunner } from './destination-runner.ts'
import { type Discarded, type DiscardOrder, discardLetters } from './discard.ts'
import { openReplayBook } from './replay-book.ts'
import { beginReplay, recallReplay } from './replay-message.ts'
import type { Replay, ReplayAs, ReplayMessage, ReplayNews, ReplayOrder, ReplayOutcome } from './replay-order.ts'
import { chooseForReplay, lanesOf, planReplay, type ReplayPlan, sortForReplay } from './replay-plan.ts'
import type { ReplayTracker } from './replay-tracker.ts'
import { type Begun, openReplays } from './replays.ts'
import type { RunnerParts } from './runner-parts.ts'
import { doneBy, isSince } from './said-today.ts'
import type { UntilStored } from './until-stored.ts'

/** Where messages are sent again by hand, and where it is said what became of them. Source: security.md SEC-48. */
export interface ReplayDesk {
  /** @returns `too_many` when too many replays are under way */
  start(request: ReplayRequest): Promise<ReplayResult | 'too_many'>
  /** Lets dead letters go: nothing of them is sent, and they count as dead letters no more. */
  discard(order: DiscardOrder): Promise<Discarded>
  /** Newest first. */
  list(): readonly ReplayStanding[]
  get(replayId: string): ReplayStanding | undefined
  /** @param outcome only those; `from` then counts them */
  messages(replayId: string, from: number, count: number, outcome?: ReplayOutcome): Promise<readonly ReplayMessage[]>
  cancel(replayId: string): Promise<'cancelled' | 'ended' | 'unknown'>
  /** Goes on with what a stop left. */
  resume(): Promise<void>
  close(): Promise<void>
}

export interface ReplayRequest {
  /** By ID, or ended ones as a search found them. */
  readonly deliveries:
    | { readonly ids: readonly DeliveryId[] }
    | { readonly find: () => Promise<readonly DeliveryPlace[]> }
  readonly as: ReplayAs
  readonly dryRun?: boolean | undefined
  /** Messages a second to each destination; undefined: as fast as it takes them. */
  readonly perSecond?: number | undefined
}

export interface ReplayResult {
  /** Ended deliveries among those asked for. */
  readonly matched: number
  readonly queued: number
  /** Of a dry run. */
  readonly plan?: ReplayPlan
  /** Undefined of a dry run, and when nothing was asked for. */
  readonly replayId?: string
}

export interface ReplayStanding extends Replay {
  /** It waits for a destination that is stopped: why it is. */
  readonly waitsFor: PauseReason | 'inactive' | 'unusable' | undefined
}

export interface ReplayDeskParts
  extends Pick<RunnerParts, 'deliveries' | 'profiles' | 'rules' | 'clock' | 'after' | 'log'> {
  readonly jobs: JobStore
  readonly tracker: ReplayTracker
  readonly untilStored: UntilStored
  readonly runnerOf: (destinationId: DestinationId) => DestinationRunner
  /** A dead letter is one no more. */
  readonly onSuperseded: (delivery: StoredDelivery) => void
}

export async function openReplayDesk(parts: ReplayDeskParts): Promise<ReplayDesk> {
  const { deliveries, rules, tracker, untilStored, runnerOf, log, clock } = parts
  const onFailed = (error: unknown) => log('delivery.replay_unsaved', { error })
  const book = await openReplayBook({ jobs: parts.jobs, clock, onFailed })
  const replays = openReplays({ book, after: parts.after, untilStored, log, begin, recall })

  /** Nothing leaves to it now: an operator or its partner stopped it, or its settings do. */
  function heldBy(destinationId: DestinationId): ReplayStanding['waitsFor'] {
    const rule = rules().byId.get(destinationId)
    if (rule?.unusable !== undefined) return 'unusable'
    if (rule?.isActive !== true) return 'inactive'
    return runnerOf(destinationId).health().paused?.reason
  }

  async function begin(
    message: ReplayMessage,
    replay: ReplayOrder,
    onEnded: (news: ReplayNews) => void,
  ): Promise<Begun> {
    const { deliveryId } = message
    const delivery = await deliveries.get(deliveryId)
    if (delivery === undefined) return { outcome: 'not_sent', reason: 'unknown' }
    const isOurs = delivery.replayId === replay.replayId || (message.outcome === 'queued' && message.sent === 'same')
    if (delivery.finishedAtMs === null) {
      if (!isOurs) return { outcome: 'not_sent', reason: 'under_way' }
      // A stop interrupted it.
      tracker.same(deliveryId, onEnded)
      return { outcome: 'queued', sent: 'same', sentAs: [deliveryId] }
    }
    if (!hasDestination(delivery, rules())) return { outcome: 'not_sent', reason: 'no_destination' }
    if (isOurs) return endOf(delivery)
    if (message.outcome === 'queued' && delivery.replayedBy !== undefined)
      return { outcome: 'acknowledged', sent: 'current', sentAs: [delivery.replayedBy] }
    // Another replay, asked for at the same moment, sent it.
    if (isSince(delivery.finishedAtMs, replay.createdAtMs, clock())) return { outcome: 'not_sent', reason: 'under_way' }
    const done = doneBy(delivery, replay.as)
    if (done !== undefined) return { outcome: 'not_sent', reason: done }
    if (heldBy(delivery.destinationId) !== undefined) return 'later'
    const { ground } = runnerOf(delivery.destinationId)
    const ended = (news: ReplayNews) => void settle(delivery, news).then(() => onEnded(news))
    return beginReplay(ground, delivery, replay, ended)
  }

  /** What is told of it comes after what it changes. */
  async function settle(delivery: StoredDelivery, { outcome, sent, sentAs: [by] = [] }: ReplayNews): Promise<void> {
    if (outcome === 'acknowledged' && sent === 'current' && by !== undefined)
      await untilStored(() => supersede(delivery, by)).catch((error: unknown) =>
        log('delivery.replay_failed', { error }),
      )
  }

  /** @returns whether it was a dead letter */
  async function supersede(
    { deliveryId, status, finishedAtMs, reason }: StoredDelivery,
    by?: DeliveryId,
  ): Promise<boolean> {
    const superseded = await deliveries.supersede(deliveryId, by)
    if (superseded !== undefined) parts.onSuperseded({ ...superseded, endedBefore: { status, reason, finishedAtMs } })
    return superseded !== undefined
  }

  async function recall({ deliveryId, destinationId }: ReplayMessage): Promise<void> {
    if (destinationId !== null) await recallReplay(runnerOf(destinationId).ground, deliveryId)
  }

  const standing = (replay: Replay): ReplayStanding => {
    const held = replay.lanes.map(({ destinationId }) => destinationId && heldBy(destinationId))
    const waitsFor = replay.state === 'running' ? held.find((reason) => reason != null) : undefined
    return { ...replay, waitsFor: waitsFor ?? undefined }
  }

  return {
    async start({ deliveries: wanted, as, dryRun = false, perSecond }) {
      // What ends from now on was not among those that were looked for.
      const createdAtMs = clock()
      const choice =
        'ids' in wanted
          ? await chooseForReplay(deliveries, rules(), wanted.ids)
          : sortForReplay(await wanted.find(), rules())
      const { matched } = choice
      const isHeld = (id: DestinationId) => heldBy(id) !== undefined
      if (dryRun) return { matched, queued: 0, plan: await planReplay(parts, choice, as, isHeld) }
      const lanes = lanesOf(choice)
      if (lanes.length === 0) return { matched, queued: 0 }
      const replay = await replays.add({ as, perSecond: perSecond ?? null, createdAtMs }, lanes)
      if (replay === undefined) return 'too_many'
      return { matched, queued: replay.counts.waiting, replayId: replay.replayId }
    },
    discard: (order) => discardLetters({ ...order, deliveries, rules, letGo: supersede }),
    list: () => book.list().map(standing),
    get(replayId) {
      const replay = book.get(replayId)
      return replay && standing(replay)
    },
    messages: book.page,
    cancel: replays.cancel,
    async resume() {
      await replays.resume()
      await takeOver(parts.jobs, async (ids, order) => {
        await replays.add({ ...order, createdAtMs: clock() }, lanesOf(await chooseForReplay(deliveries, rules(), ids)))
      })
    },
    close: replays.close,
  }
}

const FORMER_LIST = 'delivery.replays'

/** Replays that a version before this one was at: what was left of them is asked for anew. */
async function takeOver(
  jobs: JobStore,
  add: (ids: readonly DeliveryId[], order: Pick<Replay, 'as' | 'perSecond'>) => Promise<void>,
): Promise<void> {
  type Former = Pick<Replay, 'as' | 'perSecond'> & { readonly orderId: string; readonly done: number }
  const former = (await jobs.read(FORMER_LIST)) as readonly Former[] | undefined
  if (former === undefined) return
  for (const { orderId, as, perSecond, done } of former) {
    const name = `delivery.replay ${orderId}`
    const ids = ((await jobs.read(name)) ?? []) as readonly DeliveryId[]
    await add(ids.slice(done), { as, perSecond })
    await jobs.remove(name)
  }
  await jobs.remove(FORMER_LIST)
}

/** It ended while nothing ran. */
function endOf({ status, reason, deliveryId }: StoredDelivery): ReplayNews {
  const outcome = status === 'acknowledged' || status === 'superseded' ? status : 'dead'
  return { outcome, sent: 'same', reason, sentAs: [deliveryId] }
}
