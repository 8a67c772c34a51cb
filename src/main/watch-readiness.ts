/** What `/readyz` says of this process [OPS-12], [SEC-86]. */
export interface ReadinessWatch {
  /** Names of the checks that fail. */
  reasons(): readonly string[]
  /** An event was refused because the store could not be read or written. */
  storeFailed(): void
  /** From now on nothing new is taken. */
  stopping(): void
}

const ASK_EVERY_MS = 1_000

/**
 * Who is not ready gets no more events, so a store that failed is asked by ourselves until it can be written again.
 * @param flush rejects while the store cannot be written
 * @param nowMs at a time that cannot be kept no event is taken
 */
export function watchReadiness(
  isDiskFull: () => boolean,
  flush: () => Promise<void>,
  isTimeKept: () => boolean,
): ReadinessWatch {
  let isStopping = false
  let isStoreFailing = false
  const ask = async () => {
    try {
      await flush()
      isStoreFailing = false
    } catch {
      if (!isStopping) setTimeout(ask, ASK_EVERY_MS).unref()
    }
  }
  return {
    reasons: () => [
      ...(isStopping ? ['stopping'] : []),
      ...(isDiskFull() ? ['disk_full'] : []),
      ...(isStoreFailing ? ['store_unavailable'] : []),
      ...(isTimeKept() ? [] : ['clock_out_of_range']),
    ],
    storeFailed() {
      if (isStoreFailing) return
      isStoreFailing = true
      setTimeout(ask, ASK_EVERY_MS).unref()
    },
    stopping() {
      isStopping = true
    },
  }
}
