import { randomFillSync } from 'node:crypto'
import type { DeviceId, EventId } from '../model/ids.ts'

const pool = Buffer.allocUnsafe(4096)
let used = pool.length

/** The `tid` of a call: 8 random bytes in Base64, 12 characters [COL-104]. */
export function newEventId(): EventId {
  const at = take(8)
  return pool.toString('base64', at, at + 8) as EventId
}

/** An opaque blob in the form that page libraries store: 16 random bytes in URL-safe Base64. */
export function newBlob(): string {
  const at = take(16)
  return pool.toString('base64url', at, at + 16)
}

/** 38 random decimal digits [COL-56]. */
export function randomDigits(): DeviceId {
  let digits = ''
  while (digits.length < 38) {
    // 250 is the largest multiple of 10 in a byte: more would favour small digits.
    const byte = pool[take(1)] as number
    if (byte < 250) digits += byte % 10
  }
  return digits as DeviceId
}

/** Random bytes are drawn 4 KiB at a time: one call of the generator costs more than the bytes. */
function take(count: number): number {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const at = used
  used += count
  return at
}
