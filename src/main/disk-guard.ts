import { join } from 'node:path'
import { openDiskReserve, reserveBytes } from '../lib/disk-reserve.ts'
import { type DiskSpace, isDiskFull, readDiskSpace } from '../lib/disk-space.ts'
import type { Log } from '../lib/log.ts'

/** Watches the room left on the device of the data directory [SEC-61]. */
export interface DiskGuard {
  state(): DiskSpace['state']
  freeBytes(): number
  totalBytes(): number
  /**
   * Something could not be written. When that is because no room is left, the disk is full from this moment on, and what
   * was kept in reserve is given back, so that a repeat may succeed.
   */
  failed(error: unknown): void
  /** Resolves when the reserve is taken, or cannot be; for the end of the start. */
  readonly reserved: Promise<void>
  close(): void
}

export interface DiskGuardOptions {
  /** Replaced in tests. */
  readonly read?: typeof readDiskSpace | undefined
  /** Told when the disk became low, and when it became full. */
  readonly onWorse?: () => void
}

const RESERVE_FILE = 'reserve.bin'

const LOOK_EVERY_MS = 2_000
/** After a write that found no room: a quota, or the blocks kept for root, show in no figure. */
const FULL_MS_MIN = 10_000
/** The reserve is taken again when so many times its size are free. */
const RESERVE_TIMES = 3
const RANK = { ok: 0, low: 1, full: 2 } as const

export async function watchDisk(
  dataDir: string,
  log: Log,
  { read = readDiskSpace, onWorse = () => {} }: DiskGuardOptions = {},
): Promise<DiskGuard> {
  let space = await read(dataDir)
  const reserve = openDiskReserve(join(dataDir, RESERVE_FILE), reserveBytes(space.totalBytes))
  let fullUntilMs = Number.NEGATIVE_INFINITY
  const enter = (next: DiskSpace) => {
    const before = space.state
    space = performance.now() < fullUntilMs ? { ...next, state: 'full' } : next
    if (space.state === before) return
    const fields = { state: space.state, freeBytes: space.freeBytes, totalBytes: space.totalBytes }
    if (space.state === 'ok') log.info('disk.space', fields)
    else log.warn('disk.space', fields)
    if (RANK[space.state] > RANK[before]) onWorse()
  }
  const refill = async () => {
    const isRoom = space.freeBytes >= RESERVE_TIMES * reserve.bytes && performance.now() >= fullUntilMs
    if (isRoom && !reserve.isHeld) await reserve.fill()
  }
  const tryRefill = () => refill().catch((error: unknown) => log.warn('disk.no_reserve', { error }))
  const look = async () => {
    enter(await read(dataDir))
    await tryRefill()
  }
  const timer = setInterval(
    () => void look().catch((error: unknown) => log.error('disk.unreadable', { error })),
    LOOK_EVERY_MS,
  )
  timer.unref()
  return {
    reserved: tryRefill(),
    state: () => space.state,
    freeBytes: () => space.freeBytes,
    totalBytes: () => space.totalBytes,
    failed(error) {
      if (!isDiskFull(error)) return
      fullUntilMs = performance.now() + FULL_MS_MIN
      enter({ ...space, freeBytes: 0, state: 'full' })
      if (reserve.release())
        log.warn('disk.reserve_used', {
          bytes: reserve.bytes,
          means: 'no room was left: opt-outs, erasure and delivery go on in the room kept for them; free some space',
        })
    },
    close: () => clearInterval(timer),
  }
}
