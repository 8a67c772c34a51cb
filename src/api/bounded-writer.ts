import type { Writable } from 'node:stream'

/** Waiting for one reader, at most: a slow one misses texts, and the server's memory does not grow. */
export const WAITING_BYTES_MAX = 64 * 1024
/** A reader that took nothing for so long is gone. */
const STUCK_MS_MAX = 60_000

/**
 * Writes whole texts while the reader keeps up, and drops those that it has no room for.
 * @param nowMs monotonic
 */
export function createBoundedWriter(stream: Writable, nowMs: () => number = () => performance.now()) {
  let tookMs = nowMs()
  return (text: string): void => {
    if (stream.writableLength === 0) tookMs = nowMs()
    if (stream.writableLength + Buffer.byteLength(text) <= WAITING_BYTES_MAX) stream.write(text)
    else if (nowMs() - tookMs > STUCK_MS_MAX) stream.destroy()
  }
}
