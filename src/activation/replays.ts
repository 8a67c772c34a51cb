import type { DestinationId } from '../model/ids.ts'
import { allChunks, chunksOf, type MessagePlace, type ReplayBook, RUNNING_MAX } from './replay-book.ts'
import { hasEnded, type Replay, type ReplayMessage, type ReplayNews, type ReplayOrder } from './replay-order.ts'
import type { After } from './runner-parts.ts'
import { openTurns } from './turns.ts'
import type { UntilStored } from './until-stored.ts'

/** Replays under way, each lane of one destination for itself. Source: security.md SEC-48; rest-api.md API-165. */
export interface Replays {
  /** Resolves when the order is stored. @returns undefined: too many are under way */
  add(
    order: Pick<Replay, 'as' | 'perSecond' | 'createdAtMs'>,
    lanes: readonly (readonly ReplayMessage[])[],
  ): Promise<Replay | undefined>
  /** Nothing more of it is begun, and what has not left is taken back where that can be done. */
  cancel(replayId: string): Promise<'cancelled' | 'ended' | 'unknown'>
  /** Goes on with what a stop left. */
  resume(): Promise<void>
  close(): Promise<void>
}

/**
 * `later`: its destination has no room, or takes nothing now; `busy`: one of its users is in a message on its way, which
 * comes first [SEC-42]; else what became of it: `queued`, and `onEnded` is told the rest.
 */
export type Begun = 'later' | 'busy' | ReplayNews

export interface ReplaysOptions {
  readonly book: ReplayBook
  readonly after: After
  readonly untilStored: UntilStored
  readonly log: (event: string, fields: Record<string, unknown>) => void
  /** May be repeated. @param message as it stood: `queued` after a stop */
  readonly begin: (message: ReplayMessage, replay: ReplayOrder, onEnded: (news: ReplayNews) => void) => Promise<Begun>
  /** Takes back the same bytes as far as they can be; `onEnded` is told. */
  readonly recall: (message: ReplayMessage) => Promise<void>
}

const placeKey = ({ chunk, at }: MessagePlace) => `${chunk} ${at}`

/** A message that is begun later than its turn. */
interface Deferred {
  readonly place: MessagePlace
  readonly message: ReplayMessage
}

interface Running {
  readonly replay: Replay
  readonly wakes: Set<() => void>
  /** Of these, what goes on when one of its messages has ended: its users are free. */
  readonly waitsForEnd: Set<() => void>
  isCancelled: boolean
  /** Begun and not ended, by place. */
  readonly queued: Set<string>
  /** The last of them ended. */
  onIdle: () => void
  /** Resolves when nothing is begun any more; then all has ended, or it was stopped. */
  lanes: Promise<void>
}

const WAIT_MS = 1_000
/** Of one replay, so that what is watched in memory has a bound. */
const QUEUED_MAX = 5_000
const DEFERRED_MAX = 1_000

export function openReplays({ book, after, untilStored, log, begin, recall }: ReplaysOptions): Replays {
  const active = new Map<string, Running>()
  const turns = openTurns()
  /** Turns that last until the next message may go. */
  const resting = new Set<() => void>()
  let isClosing = false

  /** @param ms undefined: until it is woken; @param untilEnded or until one of its messages has ended */
  const pause = (running: Running, ms?: number, untilEnded = false) =>
    new Promise<void>((resolve) => {
      if (isStopped(running)) return resolve()
      const wake = () => {
        running.waitsForEnd.delete(wake)
        cancel()
        running.wakes.delete(wake)
        resolve()
      }
      const cancel = ms === undefined ? () => {} : after(ms, wake)
      running.wakes.add(wake)
      if (untilEnded) running.waitsForEnd.add(wake)
    })
  const wake = ({ wakes }: Running) => {
    for (const each of [...wakes]) each()
  }
  const failed = (error: unknown) => {
    if (!isClosing) log('delivery.replay_failed', { error })
  }
  const isStopped = (running: Running) => isClosing || running.isCancelled

  /** What one destination is asked to bear: the slowest rate of all replays to it, not their sum. */
  function intervalMs(destinationId: DestinationId): number {
    let interval = 0
    for (const { replay, isCancelled } of active.values())
      if (
        !isCancelled &&
        replay.perSecond !== null &&
        replay.lanes.some((lane) => lane.destinationId === destinationId)
      )
        interval = Math.max(interval, 1000 / replay.perSecond)
    return interval
  }

  async function attempt(running: Running, { place, message }: Deferred): Promise<Begun> {
    const { replayId } = running.replay
    let early: ReplayNews | undefined
    let isNoted = false
    const onEnded = (news: ReplayNews) => {
      if (!isNoted) {
        early = news
        return
      }
      running.queued.delete(placeKey(place))
      book.note(replayId, place, 'queued', news)
      for (const each of [...running.waitsForEnd]) each()
      if (running.queued.size === 0) running.onIdle()
      if (!active.has(replayId)) book.flush().catch(failed)
    }
    const begun = await untilStored(() => begin(message, running.replay, onEnded))
    if (begun === 'later' || begun === 'busy') return begun
    book.note(replayId, place, message.outcome, begun)
    if (begun.outcome === 'queued') running.queued.add(placeKey(place))
    isNoted = true
    if (early !== undefined) onEnded(early)
    return begun
  }

  /** @returns false: its users are busy, to be asked again */
  async function start(running: Running, deferred: Deferred): Promise<boolean> {
    const { destinationId } = deferred.message
    if (destinationId === null) return true
    while (!isStopped(running)) {
      const begun = running.queued.size < QUEUED_MAX ? await inTurn(running, destinationId, deferred) : 'later'
      if (begun !== 'later') return begun !== 'busy'
      await pause(running, WAIT_MS, true)
    }
    return true
  }

  async function inTurn(running: Running, destinationId: DestinationId, deferred: Deferred): Promise<Begun> {
    const end = await takeTurn(running, destinationId)
    if (end === undefined) return 'later'
    let waitMs = 0
    try {
      if (isStopped(running)) return 'later'
      const begun = await attempt(running, deferred)
      if (typeof begun === 'object' && begun.outcome === 'queued') waitMs = intervalMs(destinationId)
      return begun
    } finally {
      // The turn lasts for the interval; whoever has nothing more to send need not wait for its end.
      if (waitMs > 0 && !isClosing) endAfter(waitMs, end)
      else end()
    }
  }

  /** @returns undefined: it was stopped before its turn came */
  async function takeTurn(running: Running, destinationId: DestinationId): Promise<(() => void) | undefined> {
    const turn = turns.take(destinationId)
    let stop = () => {}
    const stopped = new Promise<undefined>((resolve) => {
      stop = () => resolve(undefined)
      running.wakes.add(stop)
    })
    const end = await Promise.race([turn, stopped])
    running.wakes.delete(stop)
    if (end === undefined) void turn.then((endUnused) => endUnused())
    return end
  }

  function endAfter(waitMs: number, end: () => void): void {
    const cancel = after(waitMs, () => {
      resting.delete(wakeUp)
      end()
    })
    const wakeUp = () => {
      cancel()
      end()
    }
    resting.add(wakeUp)
  }

  async function retry(running: Running, deferred: Deferred[]): Promise<void> {
    await pause(running, WAIT_MS, true)
    for (const one of deferred.splice(0)) if (!(await start(running, one))) deferred.push(one)
  }

  async function runLane(running: Running, firstChunk: number, chunks: number): Promise<void> {
    const deferred: Deferred[] = []
    for (let chunk = firstChunk; chunk < firstChunk + chunks && !isStopped(running); chunk++) {
      const messages = await untilStored(() => book.read(running.replay.replayId, chunk))
      for (const [at, message] of messages.entries()) {
        if (isStopped(running)) return
        const one = { place: { chunk, at }, message }
        if (!hasEnded(message.outcome) && !(await start(running, one))) deferred.push(one)
        while (deferred.length >= DEFERRED_MAX && !isStopped(running)) await retry(running, deferred)
      }
    }
    while (deferred.length > 0 && !isStopped(running)) await retry(running, deferred)
  }

  function run(replay: Replay): void {
    const idle = {
      wakes: new Set<() => void>(),
      waitsForEnd: new Set<() => void>(),
      isCancelled: false,
      queued: new Set<string>(),
      onIdle: () => {},
    }
    const running: Running = { ...idle, replay, lanes: Promise.resolve() }
    active.set(replay.replayId, running)
    let chunk = 0
    const lanes = replay.lanes.map(({ messages }) => {
      const first = chunk
      chunk += chunksOf(messages)
      return runLane(running, first, chunk - first)
    })
    running.lanes = Promise.all(lanes).then(
      () => finish(running),
      async (error: unknown) => {
        failed(error)
        running.isCancelled = true
        await end(running, 'failed')
      },
    )
  }

  async function end({ replay: { replayId } }: Running, state: 'completed' | 'cancelled' | 'failed'): Promise<void> {
    active.delete(replayId)
    if (!isClosing) await untilStored(() => book.end(replayId, state)).catch(failed)
  }

  async function finish(running: Running): Promise<void> {
    running.onIdle = () => wake(running)
    while (running.queued.size > 0 && !isStopped(running)) await pause(running)
    if (!isStopped(running)) await end(running, 'completed')
  }

  async function callOff(running: Running): Promise<void> {
    const { replayId } = running.replay
    for (let chunk = 0; chunk < allChunks(running.replay); chunk++) {
      for (const [at, message] of (await untilStored(() => book.read(replayId, chunk))).entries()) {
        const place = { chunk, at }
        if (message.outcome === 'waiting') book.note(replayId, place, 'waiting', { outcome: 'cancelled' })
        if (message.outcome !== 'queued' || message.sent !== 'same') continue
        // After a stop it may not be followed yet.
        if (!running.queued.has(placeKey(place))) await attempt(running, { place, message })
        await recall(message)
      }
    }
    await end(running, 'cancelled')
  }

  return {
    async add(order, lanes) {
      if (active.size >= RUNNING_MAX) return undefined
      const replay = await book.add(order, lanes)
      run(replay)
      return replay
    },
    async cancel(replayId) {
      const running = active.get(replayId)
      if (running === undefined || running.isCancelled) return book.get(replayId) === undefined ? 'unknown' : 'ended'
      running.isCancelled = true
      wake(running)
      await running.lanes
      await callOff(running)
      return 'cancelled'
    },
    async resume() {
      for (const replay of [...book.list()].reverse()) if (replay.state === 'running') run(replay)
    },
    async close() {
      isClosing = true
      for (const wakeUp of resting) wakeUp()
      for (const running of active.values()) wake(running)
      await Promise.all([...active.values()].map(({ lanes }) => lanes))
      await book.flush().catch(failed)
    },
  }
}
