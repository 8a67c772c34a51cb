import { isKeptTime, notKept } from './kept-time.ts'

/**
 * The product's clock: the machine's, shifted by the test switch. Nothing else reads the time of day, so that a month
 * can be checked in a second. Source: spec/operating.md [OPS-27].
 */
export interface AdjustableClock {
  /** Milliseconds since the epoch; a `Clock` of model/clock.ts. */
  readonly now: () => number
  /** How far the product's time is ahead of the machine's. */
  offsetMs(): number
  /**
   * Moves the product's time forward.
   * @param byMs whole milliseconds, 0 or more: time never runs backwards here
   * @throws RangeError when it is not, or leads to a time that cannot be kept
   */
  advance(byMs: number): number
}

/** @param machineNowMs the machine's clock; only tests give another */
export function createClock(offsetMs = 0, machineNowMs: () => number = Date.now): AdjustableClock {
  let offset = offsetMs
  return {
    now: () => machineNowMs() + offset,
    offsetMs: () => offset,
    advance(byMs) {
      if (!Number.isSafeInteger(byMs) || byMs < 0) throw new RangeError('advanceMs must be a whole number, 0 or more')
      const atMs = machineNowMs() + offset + byMs
      if (!isKeptTime(atMs)) throw new RangeError(`advanceMs ${notKept(atMs)}`)
      offset += byMs
      return machineNowMs() + offset
    },
  }
}
