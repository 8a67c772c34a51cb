import { randomToken } from '../lib/random-ids.ts'
import type { Clock } from '../model/clock.ts'
import type { JobStore } from '../store/job-store.ts'
import { RecordCorruptError } from '../store/record.ts'
import {
  REPLAY_OUTCOMES,
  type Replay,
  type ReplayMessage,
  type ReplayNews,
  type ReplayOutcome,
} from './replay-order.ts'

/** Replays on disk: what was asked for, and what became of each message. Bounded: the oldest that have ended go. */
export interface ReplayBook {
  /** Newest first. */
  list(): readonly Replay[]
  get(replayId: string): Replay | undefined
  /** @param lanes each of one destination. Resolves when it is stored: a stop does not lose it */
  add(
    order: Pick<Replay, 'as' | 'perSecond' | 'createdAtMs'>,
    lanes: readonly (readonly ReplayMessage[])[],
  ): Promise<Replay>
  /** Messages of one chunk, with all that was noted. @param chunk from 0, through all lanes */
  read(replayId: string, chunk: number): Promise<readonly ReplayMessage[]>
  /** Messages from a place on, in order. @param outcome only those; `from` then counts them */
  page(replayId: string, from: number, count: number, outcome?: ReplayOutcome): Promise<readonly ReplayMessage[]>
  /** Counted at once, written a little later. */
  note(replayId: string, at: MessagePlace, before: ReplayOutcome, news: ReplayNews): void
  end(replayId: string, state: Exclude<Replay['state'], 'running'>): Promise<void>
  /** All that was noted is written. */
  flush(): Promise<void>
}

export interface MessagePlace {
  readonly chunk: number
  readonly at: number
}

/** Messages in one record. */
export const CHUNK = 500
/** Replays kept that have ended, and messages in them. */
const ENDED_MAX = 100
const ENDED_MESSAGES_MAX = 500_000
/** At one time. */
export const RUNNING_MAX = 50
/** Noted before they are written; after a stop what was not is looked at again, which does no harm. */
const NOTED_MAX = 50

const LIST = 'delivery.replay_list'
const chunkName = (replayId: string, chunk: number) => `delivery.replay ${replayId} ${chunk}`
export const chunksOf = (messages: number) => Math.ceil(messages / CHUNK)

export const allChunks = ({ lanes }: Replay) => lanes.reduce((sum, { messages }) => sum + chunksOf(messages), 0)

function noCounts(): Record<ReplayOutcome, number> {
  return Object.fromEntries(REPLAY_OUTCOMES.map((outcome) => [outcome, 0])) as Record<ReplayOutcome, number>
}

export async function openReplayBook(options: {
  readonly jobs: JobStore
  readonly clock: Clock
  /** A write that failed is tried again with the next one. */
  readonly onFailed: (error: unknown) => void
}): Promise<ReplayBook> {
  const { jobs, clock, onFailed } = options
  const stored = ((await readOr(LIST, [])) as readonly Replay[]).map((replay) => [replay.replayId, replay] as const)
  const replays = new Map<string, Replay>(stored)
  /** By name of the chunk, then by place in it. */
  const noted = new Map<string, Map<number, ReplayNews>>()
  let notes = 0
  let writing: Promise<void> = Promise.resolve()

  /** What was noted last may have been counted and not written, or the other way round. */
  async function recount(replay: Replay): Promise<void> {
    const counts = noCounts()
    for (let chunk = 0; chunk < allChunks(replay); chunk++)
      for (const { outcome } of await readChunk(replay.replayId, chunk)) counts[outcome] += 1
    replays.set(replay.replayId, { ...replay, counts })
  }

  /** A record that is damaged loses its outcomes, not the start. */
  async function readOr(name: string, otherwise: unknown): Promise<unknown> {
    try {
      return (await jobs.read(name)) ?? otherwise
    } catch (error) {
      if (!(error instanceof RecordCorruptError)) throw error
      onFailed(error)
      return otherwise
    }
  }

  /** One after the other, so that none overtakes another. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    writing = writing.catch(() => {}).then(work)
    return writing
  }
  const saveList = () => jobs.write(LIST, [...replays.values()])

  async function readChunk(replayId: string, chunk: number): Promise<ReplayMessage[]> {
    const name = chunkName(replayId, chunk)
    const messages = (await readOr(name, [])) as ReplayMessage[]
    for (const [at, news] of noted.get(name) ?? []) {
      const message = messages[at]
      if (message !== undefined) messages[at] = { ...message, ...news }
    }
    return messages
  }

  async function writeNotes(): Promise<void> {
    notes = 0
    for (const [name, news] of [...noted]) {
      const [, replayId = '', chunk] = name.split(' ')
      const messages = await readChunk(replayId, Number(chunk))
      const written = new Map(news)
      await jobs.write(name, messages)
      for (const [at, each] of written) if (news.get(at) === each) news.delete(at)
      if (news.size === 0) noted.delete(name)
    }
    await saveList()
  }

  /** @returns those that are forgotten */
  function beyondBounds(): Replay[] {
    const ended = [...replays.values()].filter(({ state }) => state !== 'running').reverse()
    let messages = 0
    return ended.filter(({ total }, at) => {
      messages += total
      return at >= ENDED_MAX || (at > 0 && messages > ENDED_MESSAGES_MAX)
    })
  }

  for (const replay of [...replays.values()]) if (replay.state === 'running') await recount(replay)

  return {
    list: () => [...replays.values()].reverse(),
    get: (replayId) => replays.get(replayId),

    async add({ as, perSecond, createdAtMs }, lanes) {
      const replayId = `rp_${randomToken()}`
      const counts = noCounts()
      let [chunk, total] = [0, 0]
      for (const messages of lanes) {
        for (let at = 0; at < messages.length; at += CHUNK)
          await jobs.write(chunkName(replayId, chunk++), messages.slice(at, at + CHUNK))
        for (const { outcome } of messages) counts[outcome] += 1
        total += messages.length
      }
      const described = lanes.map((messages) => {
        return { destinationId: messages[0]?.destinationId ?? null, messages: messages.length }
      })
      const times = { createdAtMs, finishedAtMs: null }
      const replay: Replay = { replayId, as, perSecond, state: 'running', total, counts, ...times, lanes: described }
      replays.set(replayId, replay)
      await inTurn(saveList)
      return replay
    },

    read: readChunk,

    async page(replayId, from, count, outcome) {
      const found: ReplayMessage[] = []
      const replay = replays.get(replayId)
      let skip = from
      for (let chunk = 0; replay !== undefined && chunk < allChunks(replay) && found.length < count; chunk++) {
        const read = await readChunk(replayId, chunk)
        const fitting = outcome === undefined ? read : read.filter((message) => message.outcome === outcome)
        found.push(...fitting.slice(skip, skip + count - found.length))
        skip = Math.max(0, skip - fitting.length)
      }
      return found
    },

    note(replayId, { chunk, at }, before, news) {
      const replay = replays.get(replayId)
      if (replay === undefined) return
      const counts = { ...replay.counts }
      counts[before] -= 1
      counts[news.outcome] += 1
      replays.set(replayId, { ...replay, counts })
      const name = chunkName(replayId, chunk)
      const others = noted.get(name) ?? new Map<number, ReplayNews>()
      others.set(at, { ...others.get(at), ...news })
      noted.set(name, others)
      notes += 1
      if (notes >= NOTED_MAX) inTurn(writeNotes).catch(onFailed)
    },

    async end(replayId, state) {
      const replay = replays.get(replayId)
      if (replay === undefined) return
      replays.set(replayId, { ...replay, state, finishedAtMs: clock() })
      const forgotten = beyondBounds()
      for (const one of forgotten) replays.delete(one.replayId)
      await inTurn(writeNotes)
      for (const one of forgotten)
        for (let chunk = 0; chunk < allChunks(one); chunk++) await jobs.remove(chunkName(one.replayId, chunk))
    },

    flush: () => inTurn(writeNotes),
  }
}
