import { KEPT_TIMES } from '../lib/kept-time.ts'
import type { CallHandler } from '../model/collected-call.ts'
import { optOut, optOutStatus } from '../pipeline/opt-out.ts'
import type { Parts } from '../pipeline/parts.ts'
import { processCall } from '../pipeline/process-call.ts'
import { StoreUnavailableError } from '../store/record-store.ts'

export interface Guard {
  readonly isDiskFull: () => boolean
  readonly isTimeKept: () => boolean
  readonly onAccepted: () => void
  readonly onOptOut: (level: string) => void
  /** A call was refused because of the store. */
  readonly onStoreFailed: () => void
}

const OPT_OUT_TRIES = 4

/**
 * A store that found no room to write is opened again in the room kept for opt-outs [SEC-61]: the first of them must not be
 * the one that is refused for it. Recording one twice does no harm.
 */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || tries === OPT_OUT_TRIES) throw error
    }
  }
}

export interface GuardedHandler extends CallHandler {
  /** Resolves when all calls have ended that are at work now. */
  ended(): Promise<unknown>
}

/** The pipeline as the edge calls it. With the disk nearly full events are refused; opt-outs never are [SEC-11], [SEC-61]. */
export function guardedHandler(parts: Parts, guard: Guard): GuardedHandler {
  const { isDiskFull, isTimeKept, onAccepted, onOptOut } = guard
  const watched = async <T>(run: Promise<T>): Promise<T> => {
    try {
      return await run
    } catch (error) {
      if (error instanceof StoreUnavailableError) guard.onStoreFailed()
      throw error
    }
  }
  const atWork = new Set<Promise<unknown>>()
  const process: CallHandler['process'] = async (call) => {
    // What takes consent back stores no event, and is no more refused than an opt-out.
    if (!call.consent.store) return watched(patiently(() => processCall(call, parts)))
    if (!isTimeKept()) throw new StoreUnavailableError(`the clock is wrong: times are kept ${KEPT_TIMES}`)
    if (isDiskFull()) throw new StoreUnavailableError('the disk is nearly full')
    const outcome = await watched(processCall(call, parts))
    if (outcome.status === 'processed') onAccepted()
    return outcome
  }
  return {
    process(call) {
      const outcome = process(call)
      const ended = () => atWork.delete(outcome)
      atWork.add(outcome)
      outcome.then(ended, ended)
      return outcome
    },
    ended: () => Promise.allSettled(atWork),
    async optOut(call) {
      const outcome = await watched(patiently(() => optOut(call, parts)))
      onOptOut(call.level)
      return outcome
    },
    optOutStatus: (call) => watched(optOutStatus(call, parts)),
  }
}
