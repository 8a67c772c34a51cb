import { randomFillSync } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * A file that does nothing but take room: when the device has none left it is given back, so that what must still be
 * written can be, opt-outs before all [SEC-61]. Enough to open the store again, which may have to rewrite 64 MiB.
 */
export interface DiskReserve {
  readonly isHeld: boolean
  /** How much room it takes. */
  readonly bytes: number
  /** Takes the room, in the background of everything else. @throws what the device says; then it holds nothing */
  fill(): Promise<void>
  /** Gives it back, at once. @returns false when there was none */
  release(): boolean
}

const MIB = 1024 * 1024
const BYTES_MAX = 64 * MIB
/** Of a small device. */
const SHARE = 1 / 8

export function reserveBytes(totalBytes: number): number {
  return Math.floor(Math.min(BYTES_MAX, totalBytes * SHARE))
}

/** @param path of the file; one of an earlier run is taken over @param bytes how much room it takes */
export function openDiskReserve(path: string, bytes: number): DiskReserve {
  let isHeld = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= bytes
  let isFilling = false
  const remove = () => rmSync(path, { force: true })
  return {
    bytes,
    get isHeld() {
      return isHeld
    },
    async fill() {
      if (isHeld || isFilling) return
      isFilling = true
      try {
        await write(path, bytes)
        isHeld = true
      } catch (error) {
        remove()
        throw error
      } finally {
        isFilling = false
      }
    },
    release() {
      const had = isHeld
      isHeld = false
      remove()
      return had
    },
  }
}

/** Random, because a file of zeros takes no room on devices that compress. */
async function write(path: string, bytes: number): Promise<void> {
  const piece = randomFillSync(Buffer.allocUnsafe(Math.min(MIB, Math.max(bytes, 1))))
  await using file = await open(path, 'w', 0o600)
  for (let at = 0; at < bytes; at += piece.length) await file.write(piece, 0, Math.min(piece.length, bytes - at))
}
