/**
 * Writes the compact forms that records are made of into one growing buffer. Reused from record to record, so a body is
 * valid only until the next `start`. A varint holds 7 bits a byte, lowest first, and any integer from 0 to 2^53 - 1.
 */
export class ByteWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(4 * 1024)
  at = 0

  start(): void {
    this.at = 0
  }

  /** What was written since `start`; overwritten by the next record. */
  written(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  /** Makes room for `count` more bytes; call it before any writing. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + count))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }

  varint(value: number): void {
    const bytes = this.bytes
    let at = this.at
    if (value < 0x80) {
      bytes[at++] = value
    } else if (value < 0x4000) {
      bytes[at++] = (value & 0x7f) | 0x80
      bytes[at++] = value >>> 7
    } else {
      let rest = value
      while (rest > 0x7fff_ffff) {
        bytes[at++] = (rest % 0x80) | 0x80
        rest = Math.floor(rest / 0x80)
      }
      while (rest >= 0x80) {
        bytes[at++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      }
      bytes[at++] = rest
    }
    this.at = at
  }

  /** A difference of two unsigned 32-bit numbers, small for small differences either way. */
  difference(to: number, from: number): void {
    const delta = (to - from) | 0
    this.varint(((delta << 1) ^ (delta >> 31)) >>> 0)
  }

  /** Length and bytes; reserves for itself. The lowest bit of the length tells UTF-8 from ASCII. */
  text(value: string): void {
    this.reserve(value.length * 3 + 8)
    const start = this.at
    this.varint(value.length * 2)
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 0x80) {
        this.at = start
        this.#utf8(value)
        return
      }
      this.bytes[this.at++] = unit
    }
  }

  #utf8(value: string): void {
    this.varint(Buffer.byteLength(value, 'utf8') * 2 + 1)
    this.at += this.bytes.write(value, this.at, 'utf8')
  }
}
