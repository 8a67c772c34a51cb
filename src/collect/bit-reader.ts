/**
 * Reads big-endian bit fields of a consent string segment. Reading past its end throws: the string is broken. Each
 * character carries six bits; TCF strings end on whole bytes, sections of GPP strings need not.
 */
export class BitReader {
  private readonly bytes: Buffer
  private readonly end: number
  private at = 0

  /** @throws BrokenBitsError when the text is not URL-safe Base64 */
  constructor(base64url: string) {
    if (!isBase64Url(base64url)) throw new BrokenBitsError()
    // Decoders drop the bits of an unfinished byte; filled up, all that was written is there.
    this.bytes = Buffer.from(base64url.padEnd(Math.ceil(base64url.length / 4) * 4, 'A'), 'base64url')
    this.end = base64url.length * 6
  }

  /** @param bits 1 to 48 */
  uint(bits: number): number {
    if (this.at + bits > this.end) throw new BrokenBitsError()
    let value = 0
    for (let left = bits; left > 0; ) {
      const offset = this.at & 7
      const take = Math.min(8 - offset, left)
      const byte = this.bytes[this.at >>> 3] as number
      value = value * 2 ** take + ((byte >>> (8 - offset - take)) & ((1 << take) - 1))
      this.at += take
      left -= take
    }
    return value
  }

  flag(): boolean {
    return this.uint(1) === 1
  }

  skip(bits: number): void {
    if (this.at + bits > this.end) throw new BrokenBitsError()
    this.at += bits
  }
}

export class BrokenBitsError extends Error {
  readonly code = 'consent_string_broken'
}

function isBase64Url(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const isLetter = (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a
    if (!isLetter && !(unit >= 0x30 && unit <= 0x39) && unit !== 0x2d && unit !== 0x5f) return false
  }
  return text.length > 0
}
