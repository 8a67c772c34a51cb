import type { Log } from '../lib/log.ts'
import type { Clock } from '../model/clock.ts'
import type { DestinationId } from '../model/ids.ts'
import type { DeliveryPlace } from '../store/delivery-keys.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'

/**
 * Keeps the messages of each destination within its share of the disk. What waits needs none: it is one small marker for
 * a profile, however often the profile changes. What grows are the records of messages, the ended ones above all: each
 * message leaves one. Beyond the share the oldest that are not dead letters go; when dead letters alone fill it, the
 * destination is paused: then nothing more is stored, what it is owed waits as markers, and nobody else is touched.
 * Source: security.md SEC-44, SEC-48.
 */
export interface DiskShares {
  /** Measures every destination, and makes room where there is none left. */
  look(rest: Rest): Promise<void>
  /** Destinations near their share, or at it. */
  levels(): readonly DiskShareLevel[]
}

export interface DiskShareLevel {
  readonly destinationId: DestinationId
  readonly level: 'near' | 'full'
  readonly sinceMs: number
}

/** Leaves the store to others in proportion to the time that was used. @returns false: stop, everything is closing */
export type Rest = (usedMs: number) => Promise<boolean>

export interface DiskShareParts {
  readonly deliveries: Pick<DeliveryStore, 'bytesOf' | 'trim' | 'reclaim'>
  /** Those that exist; one that was deleted stores nothing more. */
  readonly destinations: () => Iterable<DestinationId>
  /** Bytes that one destination may take. */
  readonly shareBytes: () => number
  readonly isPaused: (destinationId: DestinationId) => boolean
  readonly pause: (destinationId: DestinationId) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** Parts of the share: where the warning begins and ends, and how much is left in use when room was made. */
const NEAR = 0.8
const NEAR_NO_MORE = 0.7
const LEFT = 0.9
/** Beyond it messages come faster than they go: it no longer rests between two steps. */
const HURRY = 1.1
/** Deliveries looked at in one step. */
export const TRIM_BATCH = 100
/** After so much was removed, or looked at, its room is given back and the rest measured: one short task for the store. */
const STRETCH_BYTES = 64 * 1024 * 1024
const STRETCH_STEPS = 1_000

export function openDiskShares(parts: DiskShareParts): DiskShares {
  const { deliveries, clock, log } = parts
  const levels = new Map<DestinationId, DiskShareLevel>()

  async function lookAt(destinationId: DestinationId, shareBytes: number, rest: Rest): Promise<void> {
    let bytes = await deliveries.bytesOf(destinationId)
    // What is full and paused was gone through before, and nothing can have ended since.
    const isKnown = levels.get(destinationId)?.level === 'full' && parts.isPaused(destinationId)
    if (bytes >= shareBytes && !isKnown) {
      const made = await makeRoom(destinationId, bytes, shareBytes, rest)
      if (made === undefined) return
      bytes = made
    }
    note(destinationId, bytes, shareBytes)
    if (bytes >= shareBytes && !parts.isPaused(destinationId)) await parts.pause(destinationId)
  }

  /** @returns what it takes then; undefined when it was stopped in the middle, and nothing is known */
  async function makeRoom(destinationId: DestinationId, before: number, shareBytes: number, rest: Rest) {
    let bytes = before
    let removed = 0
    let isStopped = false
    let next: DeliveryPlace | undefined
    const restOrHurry: Rest = (usedMs) => rest(bytes >= HURRY * shareBytes ? 0 : usedMs)
    do {
      // Tables are compressed, and bytes are counted before: what is removed frees less than it says, never more.
      const wanted = Math.min(STRETCH_BYTES, Math.max(bytes - LEFT * shareBytes, shareBytes / 100))
      const stretch = await trimStretch(destinationId, wanted, next, restOrHurry)
      const startedMs = performance.now()
      const [first, last] = [stretch.removed[0], stretch.removed.at(-1)]
      if (first !== undefined && last !== undefined) {
        await deliveries.reclaim(destinationId, first.createdAtMs, last.createdAtMs)
        bytes = await deliveries.bytesOf(destinationId)
        removed += stretch.removed.length
      }
      next = stretch.next
      isStopped = !(await restOrHurry(performance.now() - startedMs))
    } while (!isStopped && bytes >= LEFT * shareBytes && next !== undefined)
    if (removed > 0) log.info('disk_share.trimmed', { destinationId, deliveries: removed, bytes, shareBytes })
    return isStopped ? undefined : bytes
  }

  async function trimStretch(
    destinationId: DestinationId,
    wanted: number,
    after: DeliveryPlace | undefined,
    rest: Rest,
  ) {
    const removed: DeliveryPlace[] = []
    let next = after
    let bytes = 0
    for (let step = 0; step < STRETCH_STEPS; step++) {
      const startedMs = performance.now()
      const trimmed = await deliveries.trim(destinationId, TRIM_BATCH, next)
      removed.push(...trimmed.removed)
      bytes += trimmed.bytes
      next = trimmed.next
      if (next === undefined || bytes >= wanted || !(await rest(performance.now() - startedMs))) break
    }
    return { removed, next }
  }

  function note(destinationId: DestinationId, bytes: number, shareBytes: number): void {
    const before = levels.get(destinationId)
    const isNear = bytes >= (before === undefined ? NEAR : NEAR_NO_MORE) * shareBytes
    const level = bytes >= shareBytes ? 'full' : isNear ? 'near' : undefined
    if (level === before?.level) return
    if (level === undefined) levels.delete(destinationId)
    else levels.set(destinationId, { destinationId, level, sinceMs: clock() })
    const isWorse = level === 'full' || before === undefined
    if (isWorse) log.warn('disk_share.reached', { destinationId, level, bytes, shareBytes })
  }

  return {
    async look(rest) {
      const destinations = new Set(parts.destinations())
      for (const known of levels.keys()) if (!destinations.has(known)) levels.delete(known)
      for (const destinationId of destinations) await lookAt(destinationId, parts.shareBytes(), rest)
    },
    levels: () => [...levels.values()],
  }
}
