import { type DiskSpace, readDiskSpace } from '../lib/disk-space.ts'
import type { Log } from '../lib/log.ts'

/** Watches the room left on the device of the data directory [SEC-61]. */
export interface DiskGuard {
  state(): DiskSpace['state']
  freeBytes(): number
  close(): void
}

const LOOK_EVERY_MS = 2_000

/** @param read replaced in tests */
export async function watchDisk(dataDir: string, log: Log, read = readDiskSpace): Promise<DiskGuard> {
  let space = await read(dataDir)
  const look = async () => {
    const before = space.state
    space = await read(dataDir)
    if (space.state === before) return
    const fields = { state: space.state, freeBytes: space.freeBytes, totalBytes: space.totalBytes }
    if (space.state === 'ok') log.info('disk.space', fields)
    else log.warn('disk.space', fields)
  }
  const timer = setInterval(
    () => void look().catch((error: unknown) => log.error('disk.unreadable', { error })),
    LOOK_EVERY_MS,
  )
  timer.unref()
  return { state: () => space.state, freeBytes: () => space.freeBytes, close: () => clearInterval(timer) }
}
