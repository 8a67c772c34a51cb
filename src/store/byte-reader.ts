/** Reads what `ByteWriter` wrote. Reused from record to record; the record's checksum was verified before. */
export class ByteReader {
  bytes: Buffer = Buffer.alloc(0)
  at = 0

  start(bytes: Buffer): void {
    this.bytes = bytes
    this.at = 0
  }

  varint(): number {
    const bytes = this.bytes
    const first = bytes[this.at++] as number
    if (first < 0x80) return first
    const second = bytes[this.at++] as number
    if (second < 0x80) return (first & 0x7f) | (second << 7)
    return this.#long((first & 0x7f) | ((second & 0x7f) << 7))
  }

  #long(low: number): number {
    let value = low
    for (let scale = 0x4000; ; scale *= 0x80) {
      const byte = this.bytes[this.at++] as number
      value += (byte & 0x7f) * scale
      if (!(byte >= 0x80)) return value
    }
  }

  /** @returns the unsigned 32-bit number that differs from `from` as written */
  difference(from: number): number {
    const zigzag = this.varint() >>> 0
    return (from + ((zigzag >>> 1) ^ -(zigzag & 1))) >>> 0
  }

  text(): string {
    const head = this.varint()
    const start = this.at
    this.at += head >>> 1
    return this.bytes.toString((head & 1) === 0 ? 'latin1' : 'utf8', start, this.at)
  }
}
