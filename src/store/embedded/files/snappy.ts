/** Raw Snappy, the way LevelDB compresses its blocks. @returns undefined when the bytes are not a whole text of that form */
export function unpackSnappy(packed: Buffer, bytesMax: number): Buffer | undefined {
  let at = 0
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = packed[at++]
    if (byte === undefined || shift > 28) return undefined
    length += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (length > bytesMax) return undefined
  const text = Buffer.alloc(length)
  let written = 0
  while (at < packed.length) {
    const tag = packed[at++] as number
    const form = tag & 3
    if (form === 0) {
      let count = (tag >>> 2) + 1
      if (count > 60) {
        const width = count - 60
        if (at + width > packed.length) return undefined
        count = packed.readUIntLE(at, width) + 1
        at += width
      }
      if (at + count > packed.length || written + count > length) return undefined
      packed.copy(text, written, at, at + count)
      at += count
      written += count
      continue
    }
    const width = form === 3 ? 4 : form
    if (at + width > packed.length) return undefined
    const count = form === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const distance = packed.readUIntLE(at, width) + (form === 1 ? (tag >>> 5) * 256 : 0)
    at += width
    if (distance === 0 || distance > written || written + count > length) return undefined
    if (distance >= count) {
      text.copyWithin(written, written - distance, written - distance + count)
      written += count
      continue
    }
    // Byte by byte: what is copied overlaps what it makes.
    for (let i = 0; i < count; i++, written++) text[written] = text[written - distance] as number
  }
  return written === length ? text : undefined
}
