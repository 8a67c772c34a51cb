import { performance } from 'node:perf_hooks'

/**
 * Shares the turns of the event loop among all long work of the main thread. However much of it is under way, an event waits for
 * one slice and not for one of each: what is cut into slices by itself still adds up within a turn.
 */
export interface Turns {
  /**
   * For work that begins with the next statement: at once where this turn has time left and nobody waits, otherwise as `wait`.
   * @returns until when, by `now`
   */
  take(): number | Promise<number>
  /** For work that is ready together with other work: one after the other, each with what follows directly from it. */
  wait(): Promise<number>
  /** As `performance.now`. */
  now(): number
}

/** So long may all of it together hold one turn, in milliseconds. */
const TURN_MS = 4

export function openTurns(now: () => number = () => performance.now()): Turns {
  const waiting: ((endMs: number) => void)[] = []
  let endMs = 0
  let isOpen = false
  let isGoing = false

  function open(): void {
    isOpen = true
    endMs = now() + TURN_MS
    setImmediate(() => {
      isOpen = false
      if (waiting.length === 0) return
      open()
      letOne()
    })
  }

  function letOne(): void {
    isGoing = false
    if (now() >= endMs) return
    waiting.shift()?.(endMs)
    if (waiting.length > 0) goOn()
  }

  /** Comes after all that was resolved has gone on. */
  function goOn(): void {
    if (isGoing) return
    isGoing = true
    queueMicrotask(() => process.nextTick(letOne))
  }

  function wait(): Promise<number> {
    if (!isOpen) open()
    return new Promise((resolve) => {
      waiting.push(resolve)
      goOn()
    })
  }

  return {
    take() {
      if (!isOpen) open()
      return waiting.length === 0 && now() < endMs ? endMs : wait()
    },
    wait,
    now,
  }
}

/** Those of the main thread. */
export const TURNS = openTurns()
