/**
 * News for those who watch, while they watch: without a reader nothing is made, and with one at most twenty items a second
 * in total, beside the true rates. Source: operating.md [OPS-45].
 */
export interface LiveFeed {
  /** Ask before an item is made: is there a reader, and room in this second? One comparison when nobody listens. */
  wants(kind: LiveKind): boolean
  /** Only after `wants`. */
  send(kind: LiveKind, item: object): void
  /** Called for each item, rates every second among them. @returns what ends it; undefined when there are too many readers */
  subscribe(reader: LiveReader): (() => void) | undefined
  close(): void
}

export type LiveKind = 'event' | 'membership' | 'delivery'
/** @param text one server-sent event, ready to be written */
export type LiveReader = (text: string) => void

export interface LiveFeedOptions {
  /** What happened since the last call, divided by the time between. */
  readonly rates: (elapsedMs: number) => object
  readonly readersMax?: number
}

/** Of the items of one second: the frequent kinds leave room for the rare ones. */
const ITEMS_MAX: Readonly<Record<LiveKind, number>> = { event: 8, membership: 14, delivery: 20 }
const READERS_MAX = 50
const SECOND_MS = 1_000

export function openLiveFeed({ rates, readersMax = READERS_MAX }: LiveFeedOptions): LiveFeed {
  const readers = new Set<LiveReader>()
  let items = 0
  let timer: NodeJS.Timeout | undefined
  let tickedMs = 0

  const write = (kind: string, item: object) => {
    const text = `event: ${kind}\ndata: ${JSON.stringify(item)}\n\n`
    for (const reader of readers) reader(text)
  }
  const tick = () => {
    const nowMs = performance.now()
    items = 0
    write('rates', rates(nowMs - tickedMs))
    tickedMs = nowMs
  }
  const stopWhenAlone = () => {
    if (readers.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    wants: (kind) => readers.size > 0 && items < ITEMS_MAX[kind],
    send(kind, item) {
      items += 1
      write(kind, item)
    },
    subscribe(reader) {
      if (readers.size >= readersMax) return undefined
      readers.add(reader)
      if (timer === undefined) {
        // What happened while nobody listened belongs to no rate.
        rates(0)
        tickedMs = performance.now()
        timer = setInterval(tick, SECOND_MS)
      }
      return () => {
        readers.delete(reader)
        stopWhenAlone()
      }
    },
    close() {
      readers.clear()
      stopWhenAlone()
    },
  }
}
