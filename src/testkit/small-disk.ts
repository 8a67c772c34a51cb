import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A real file system of a few megabytes, which can be filled to the last byte. */
export interface SmallDisk extends Disposable {
  /** An empty folder on it. */
  readonly folder: string
  /** Leaves this much free; 0: nothing, to the last byte. */
  fill(leftBytes?: number): void
  /** Takes away what `fill` put there. */
  free(): void
  freeBytes(): number
}

const MIB = 1024 * 1024
/** Of a shared one that is larger too much would have to be written. */
const SHARED_BYTES_MAX = 512 * MIB

/**
 * Mounts one in memory; where that is not permitted it takes the small one that containers have for shared memory.
 * @throws Error where neither is to be had: the tests that need one must not seem to have passed
 */
export function openSmallDisk(mib: number): SmallDisk {
  const mounted = mount(mib)
  const folder = mounted ?? sharedMemory(mib)
  const path = `${folder}.filler`
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  const remove = () => rmSync(path, { force: true })
  return {
    folder,
    freeBytes,
    fill(leftBytes = 0) {
      writeAll(path, () => freeBytes() - leftBytes, leftBytes === 0)
    },
    free: remove,
    [Symbol.dispose]() {
      remove()
      rmSync(folder, { recursive: true, force: true })
      if (mounted !== undefined) {
        const point = dirname(folder)
        execFileSync('umount', ['--lazy', point])
        rmSync(point, { recursive: true, force: true })
      }
    },
  }
}

/** @returns a folder on a file system of its own; undefined when this user may not mount one */
function mount(mib: number): string | undefined {
  const point = mkdtempSync(join(tmpdir(), 'usher-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=0700`, 'tmpfs', point], { stdio: 'pipe' })
    return mkdtempSync(join(point, 'data-'))
  } catch {
    rmSync(point, { recursive: true, force: true })
    return undefined
  }
}

function sharedMemory(mib: number): string {
  const { blocks, bsize } = statfsSync('/dev/shm')
  if (blocks * bsize > SHARED_BYTES_MAX || blocks * bsize < mib * MIB)
    throw new Error(
      'no small disk: this user may not mount one, and /dev/shm is none. Run it as root, or in a container',
    )
  return mkdtempSync('/dev/shm/usher-disk-')
}

/** Writes until only so much room is left; with none left, until not even a byte goes in. */
function writeAll(path: string, roomBytes: () => number, toTheLast: boolean): void {
  const file = openSync(path, 'a')
  try {
    for (let room = roomBytes(); room > 0; room = roomBytes()) writeSync(file, Buffer.alloc(Math.min(room, MIB), 1))
    while (toTheLast) writeSync(file, '1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}
