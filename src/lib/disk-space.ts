import { statfs } from 'node:fs/promises'

/**
 * How much room is left on the device. Source: spec/security.md [SEC-61].
 * `low`: warn, let retention run early. `full`: refuse new events, go on with opt-outs, erasure and delivery.
 */
export interface DiskSpace {
  readonly freeBytes: number
  readonly totalBytes: number
  readonly state: 'ok' | 'low' | 'full'
}

const MIB = 1024 * 1024

export async function readDiskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path)
  const [freeBytes, totalBytes] = [bavail * bsize, blocks * bsize]
  return { freeBytes, totalBytes, state: classifyDiskSpace(freeBytes, totalBytes) }
}

/** Below 5 % or 512 MiB: full; below 10 % or 1 GiB: low. */
export function classifyDiskSpace(freeBytes: number, totalBytes: number): DiskSpace['state'] {
  if (freeBytes < totalBytes * 0.05 || freeBytes < 512 * MIB) return 'full'
  if (freeBytes < totalBytes * 0.1 || freeBytes < 1024 * MIB) return 'low'
  return 'ok'
}

/** Something could not be written because there is no room left on the device, or none for this user. */
export class DiskFullError extends Error {
  readonly code = 'disk_full'
  readonly retryable = true
}

/** A chain of causes is not longer. */
const CAUSES_MAX = 8
const NO_ROOM = /ENOSPC|EDQUOT|SQLITE_FULL|no space left on device|disk quota exceeded|database or disk is full/i

/** Does an error of any of our stores, or of the system, mean that there is no room left? */
export function isDiskFull(error: unknown): boolean {
  let cause = error
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    const { code } = cause as { readonly code?: unknown }
    if (cause instanceof DiskFullError || NO_ROOM.test(`${String(code)} ${cause.message}`)) return true
    cause = cause.cause
  }
  return false
}
