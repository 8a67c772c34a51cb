import type { Durability } from '../durability.ts'
import { type Commit, guardHolds } from '../record-store.ts'
import type { KnownRecord } from './record-cache.ts'
import type { WriteWaiter } from './write-group.ts'

/** A commit before it is known whether all that it demands holds. */
export interface Undecided {
  readonly commit: Commit
  readonly durability: Durability
  readonly waiter: WriteWaiter
  /** What was read for it, kept as it is now: a cache too small to hold it must not make this go round for ever. */
  readonly read?: Map<string, KnownRecord>
}

/**
 * Whether all that a commit demands holds.
 * @param known what stands at a key; undefined where nothing is known of it
 * @returns undefined when it does, `lost` when it does not; or the key of which something must be known first
 */
export function unmetBy(
  { guard, absent = [] }: Commit,
  known: (key: Buffer) => KnownRecord | undefined,
): Buffer | 'lost' | undefined {
  if (guard !== undefined) {
    const record = known(guard.key)
    if (record === undefined) return guard.key
    if (!guardHolds(guard, record)) return 'lost'
  }
  for (const key of absent) {
    const record = known(key)
    if (record === undefined) return key
    if (record !== null) return 'lost'
  }
  return undefined
}
