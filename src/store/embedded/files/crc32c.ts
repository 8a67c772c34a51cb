/**
 * CRC-32C (Castagnoli), with which LevelDB seals each record of a log and each block of a table. Eight tables at a time:
 * 64 MiB take 0.1 to 0.2 s.
 */
const POLYNOMIAL = 0x82f63b78
const TABLES = makeTables()
/** By the highest byte of an entry of the first table: which entry it is. Each occurs once. */
const ENTRY_BY_TOP = new Uint8Array(256)
for (let i = 0; i < 256; i++) ENTRY_BY_TOP[(TABLES[i] as number) >>> 24] = i

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[i] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number
    tables[i] = (tables[before & 0xff] as number) ^ (before >>> 8)
  }
  return tables
}

/** @returns 0 to 2^32 - 1 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const t = TABLES
  const b = bytes as { readonly [index: number]: number }
  let crc = -1
  let i = start
  for (; i + 8 <= end; i += 8) {
    crc ^= at(b, i) | (at(b, i + 1) << 8) | (at(b, i + 2) << 16) | (at(b, i + 3) << 24)
    crc =
      at(t, 1792 + (crc & 0xff)) ^
      at(t, 1536 + ((crc >>> 8) & 0xff)) ^
      at(t, 1280 + ((crc >>> 16) & 0xff)) ^
      at(t, 1024 + (crc >>> 24)) ^
      at(t, 768 + at(b, i + 4)) ^
      at(t, 512 + at(b, i + 5)) ^
      at(t, 256 + at(b, i + 6)) ^
      at(t, at(b, i + 7))
  }
  for (; i < end; i++) crc = at(t, (crc ^ at(b, i)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

function at(numbers: { readonly [index: number]: number }, index: number): number {
  return numbers[index] as number
}

/** As LevelDB stores it, so that the checksum of bytes that hold a checksum does not become trivial. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

export function unmaskCrc(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

/**
 * Where `crc32c(bytes, start, end)` is `crc` for some other end: all of them in one pass.
 * @param isEnd asked only where the checksum fits
 */
export function findEnd(
  bytes: Uint8Array,
  start: number,
  endMax: number,
  crc: number,
  isEnd: (end: number) => boolean,
): number | undefined {
  const wanted = ~crc
  let state = -1
  for (let i = start; i < endMax; i++) {
    state = (TABLES[(state ^ (bytes[i] as number)) & 0xff] as number) ^ (state >>> 8)
    if (state === wanted && isEnd(i + 1)) return i + 1
  }
  return undefined
}

/** One byte to be changed: `bytes[at] ^= xor`. */
export interface ByteFix {
  readonly at: number
  readonly xor: number
}

/**
 * The one byte whose change gives `bytes` the checksum `crc`. A checksum is linear, so the difference of two says what one
 * wrong byte it stems from: it is walked back byte by byte until it is an entry of the table. A single flipped bit is found
 * for certain; of other bytes there may be two that fit, and then none is named.
 *
 * @returns undefined when more than one byte is wrong; wrong damage fits by chance about once in 500 times for 32 KiB (once
 * in 16,000 for one bit), so whoever uses it looks at what comes out
 */
export function findWrongByte(bytes: Uint8Array, start: number, end: number, crc: number): ByteFix | undefined {
  let difference = crc32c(bytes, start, end) ^ crc
  let found: ByteFix | undefined
  let isUnique = true
  for (let i = end - 1; i >= start; i--) {
    const entry = ENTRY_BY_TOP[difference >>> 24] as number
    if (entry !== 0 && TABLES[entry] === (difference | 0)) {
      if ((entry & (entry - 1)) === 0) return { at: i, xor: entry }
      isUnique = found === undefined
      found = { at: i, xor: entry }
    }
    difference = ((difference ^ (TABLES[entry] as number)) << 8) | entry
  }
  return isUnique ? found : undefined
}

/**
 * The end of a block of a table that begins at `start` and whose size is not known: where what was read so far, the last
 * byte saying how it is packed (0 or 1), is followed by its own checksum.
 * @returns the place behind the checksum
 */
export function findSealedEnd(bytes: Buffer, start: number, endMax: number): number | undefined {
  const last = Math.min(endMax, bytes.length) - 4
  let state = -1
  for (let i = start; i < last; i++) {
    const byte = bytes[i] as number
    state = (TABLES[(state ^ byte) & 0xff] as number) ^ (state >>> 8)
    if (byte <= 1 && maskCrc(~state >>> 0) === bytes.readUInt32LE(i + 1)) return i + 5
  }
  return undefined
}
