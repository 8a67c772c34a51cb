import { type DiskSpace, readDiskSpace } from '../lib/disk-space.ts'
import type { Log } from '../lib/log.ts'

/** Watches the room left on the device of the data directory [SEC-61]. */
export interface DiskGuard {
  state(): DiskSpace['state']
  freeBytes(): number
  totalBytes(): number
  close(): void
}

const LOOK_EVERY_MS = 2_000
const RANK = { ok: 0, low: 1, full: 2 } as const

/** @param options `read` is replaced in tests; `onWorse` is told when the disk became low, and when it became full */
export async function watchDisk(
  dataDir: string,
  log: Log,
  {
    read = readDiskSpace,
    onWorse = () => {},
  }: { readonly read?: typeof readDiskSpace | undefined; readonly onWorse?: () => void } = {},
): Promise<DiskGuard> {
  let space = await read(dataDir)
  const look = async () => {
    const before = space.state
    space = await read(dataDir)
    if (space.state === before) return
    const fields = { state: space.state, freeBytes: space.freeBytes, totalBytes: space.totalBytes }
    if (space.state === 'ok') log.info('disk.space', fields)
    else log.warn('disk.space', fields)
    if (RANK[space.state] > RANK[before]) onWorse()
  }
  const timer = setInterval(
    () => void look().catch((error: unknown) => log.error('disk.unreadable', { error })),
    LOOK_EVERY_MS,
  )
  timer.unref()
  return {
    state: () => space.state,
    freeBytes: () => space.freeBytes,
    totalBytes: () => space.totalBytes,
    close: () => clearInterval(timer),
  }
}
