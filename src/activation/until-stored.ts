import type { DestinationId } from '../model/ids.ts'
import { StoreUnavailableError } from '../store/record-store.ts'
import type { After, RunnerParts } from './runner-parts.ts'

const STORE_RETRY_MS = 1_000

/** Repeats a store call, all of which bear it, until the store answers: nothing goes on before it is written. */
export type UntilStored = <T>(call: () => Promise<T>) => Promise<T>

/**
 * @param destinationId undefined: of no single one
 * @param isClosing then a failure is thrown: what is not written is found open after the next start
 */
export function untilStored(
  { after, log }: Pick<RunnerParts, 'after' | 'log'>,
  destinationId: DestinationId | undefined,
  isClosing: () => boolean,
): UntilStored {
  return async (call) => {
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || isClosing()) throw error
        log('delivery.store_unavailable', { destinationId, error })
        await new Promise<void>((resolve) => after(STORE_RETRY_MS, resolve))
      }
    }
  }
}

/** Resolves when all have ended, those too that they start, or after `graceMs`. */
export async function allWithin(running: ReadonlySet<Promise<void>>, graceMs: number, after: After): Promise<void> {
  let cancel: (() => void) | undefined
  const grace = new Promise<void>((resolve) => {
    cancel = after(graceMs, resolve)
  })
  const all = async () => {
    while (running.size > 0) await Promise.all(running)
  }
  await Promise.race([all(), grace])
  cancel?.()
}
