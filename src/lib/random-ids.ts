import { randomFillSync } from 'node:crypto'

/**
 * Random identifiers from the system's cryptographic generator, drawn 8 KiB at a time because one call for each ID
 * costs more than the ID. Source: spec/collection.md [COL-104], spec/security.md [SEC-18], [SEC-41].
 */
const pool = Buffer.allocUnsafe(8_192)
let used = pool.length

/** Start of `count` fresh bytes of the pool. */
function take(count: number): number {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += count
  return used - count
}

/** 8 random bytes in Base64, 12 characters: the `tid` of a collection answer. */
export function randomEventId(): string {
  const at = take(8)
  return pool.toString('base64', at, at + 8)
}

/** `dl_` and 22 URL-safe characters (16 bytes); holds no `.` and no personal data. */
export function randomDeliveryId(): string {
  const at = take(16)
  return `dl_${pool.toString('base64url', at, at + 16)}`
}

/** 38 decimal digits, every one of the 10^38 equally likely. */
export function randomDeviceId(): string {
  return `${nineDigits()}${nineDigits()}${nineDigits()}${nineDigits()}${twoDigits()}`
}

/** 32 random bytes in URL-safe Base64, 43 characters: a bearer token. */
export function randomToken(): string {
  const at = take(32)
  return pool.toString('base64url', at, at + 32)
}

// A remainder of all 2^32 values would favour low digits; values above the last full thousand million are drawn again.
function nineDigits(): string {
  for (;;) {
    const value = pool.readUInt32LE(take(4))
    if (value < 4_000_000_000) return String(value % 1_000_000_000).padStart(9, '0')
  }
}

function twoDigits(): string {
  for (;;) {
    const value = pool[take(1)] as number
    if (value < 200) return String(value % 100).padStart(2, '0')
  }
}
