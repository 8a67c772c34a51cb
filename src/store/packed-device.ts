import type { DeviceId } from '../model/ids.ts'

/** 38 digits in 16 bytes: three times twelve digits in 5 bytes (10 bits for three digits), and two in the last. */
export const DEVICE_BYTES = 16
const DIGITS = 38

const ascii = Buffer.alloc(DIGITS)

/** Packs the device ID that begins at `from` of `text`. Order is kept: larger numbers are larger bytes. */
export function packDevice(text: string, from: number, into: Buffer, at: number): void {
  for (let block = 0; block < 3; block++) {
    const digit = from + 12 * block
    const a = threeDigits(text, digit)
    const b = threeDigits(text, digit + 3)
    const c = threeDigits(text, digit + 6)
    const d = threeDigits(text, digit + 9)
    const byte = at + 5 * block
    into[byte] = a >>> 2
    into[byte + 1] = ((a & 3) << 6) | (b >>> 4)
    into[byte + 2] = ((b & 15) << 4) | (c >>> 6)
    into[byte + 3] = ((c & 63) << 2) | (d >>> 8)
    into[byte + 4] = d & 255
  }
  into[at + 15] = (text.charCodeAt(from + 36) - 0x30) * 10 + text.charCodeAt(from + 37) - 0x30
}

export function unpackDevice(bytes: Buffer, at: number): DeviceId {
  for (let block = 0; block < 3; block++) {
    const byte = at + 5 * block
    const [a, b, c, d, e] = [bytes[byte], bytes[byte + 1], bytes[byte + 2], bytes[byte + 3], bytes[byte + 4]] as [
      number,
      number,
      number,
      number,
      number,
    ]
    const digit = 12 * block
    writeThree((a << 2) | (b >>> 6), digit)
    writeThree(((b & 63) << 4) | (c >>> 4), digit + 3)
    writeThree(((c & 15) << 6) | (d >>> 2), digit + 6)
    writeThree(((d & 3) << 8) | e, digit + 9)
  }
  const last = bytes[at + 15] as number
  ascii[36] = 0x30 + Math.floor(last / 10)
  ascii[37] = 0x30 + (last % 10)
  return ascii.toString('latin1') as DeviceId
}

function threeDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 100 + text.charCodeAt(at + 1) * 10 + text.charCodeAt(at + 2) - 0x30 * 111
}

function writeThree(value: number, at: number): void {
  const hundreds = Math.floor(value / 100)
  const tens = Math.floor(value / 10) - hundreds * 10
  ascii[at] = 0x30 + hundreds
  ascii[at + 1] = 0x30 + tens
  ascii[at + 2] = 0x30 + value - hundreds * 100 - tens * 10
}
