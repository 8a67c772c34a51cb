import type { Log } from '../lib/log.ts'
import type { Clock } from '../model/clock.ts'
import type { DenyEntry } from '../model/deny-entry.ts'
import type { DenyStore } from '../store/deny-store.ts'
import type { DenyList } from './deny-list.ts'

/** Keeps a deny list over restarts, behind the event path: no call waits for it [COL-150]. */
export interface DenyListKeeper {
  /** Writes what has changed, now. @returns false when the store is in trouble; it is tried again in a second */
  flush(): Promise<boolean>
  /** Writes the rest and stops. */
  close(): Promise<void>
}

export interface DenyListKeeperParts {
  readonly store: DenyStore
  readonly clock: Clock
  /** False while the machine's clock is not to be trusted: nothing is forgotten for its age [SEC-82]. */
  readonly mayForget: () => boolean
  readonly log: Log
}

/** The longest a block can be lost by the death of the process. */
const WRITE_EVERY_MS = 1_000
const FORGET_EVERY_MS = 3_600_000

/** Fills the list with what was kept, then writes its changes once a second. @throws StoreUnavailableError */
export async function keepDenyList(
  list: DenyList,
  { store, clock, mayForget, log }: DenyListKeeperParts,
): Promise<DenyListKeeper> {
  list.restore(await store.readAll())
  let waiting = 0
  let last = Promise.resolve(true)
  let forgottenMs = Number.NEGATIVE_INFINITY

  const write = async () => {
    const nowMs = clock()
    if (nowMs - forgottenMs >= FORGET_EVERY_MS && mayForget()) {
      list.forgetEnded(nowMs)
      forgottenMs = nowMs
    }
    const changes = list.takeChanges()
    if (changes.size === 0) return true
    const puts = new Map<number, DenyEntry>()
    const deletes: number[] = []
    for (const hash of changes) {
      const entry = list.entryOf(hash)
      if (entry === undefined) deletes.push(hash)
      else puts.set(hash, entry)
    }
    try {
      await store.write(puts, deletes)
      return true
    } catch (error) {
      list.returnChanges(changes)
      log.error('deny_list.not_kept', { error, entries: changes.size })
      return false
    }
  }
  // One write at a time: a later state must not be overtaken by an earlier one.
  const flush = () => {
    waiting++
    last = last.then(write).finally(() => {
      waiting--
    })
    return last
  }

  const timer = setInterval(() => {
    if (waiting === 0) void flush()
  }, WRITE_EVERY_MS)
  timer.unref()
  return {
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}
