/** Reads LevelDB's little-endian numbers one after another. Beyond the end, or in a form that none has, `isBad` is set. */
export class NumberReader {
  readonly bytes: Buffer
  at: number
  isBad = false

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  /** Up to 2^53; larger ones are bad. */
  varint(): number {
    const first = this.bytes[this.at] ?? 0x80
    if (first < 0x80) {
      this.at += 1
      return first
    }
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    this.isBad = true
    return 0
  }

  slice(length: number): Buffer {
    const end = this.at + length
    if (this.isBad || end > this.bytes.length) {
      this.isBad = true
      return this.bytes.subarray(0, 0)
    }
    const part = this.bytes.subarray(this.at, end)
    this.at = end
    return part
  }

  prefixed(): Buffer {
    return this.slice(this.varint())
  }
}

export function varintBytes(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
