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
