/**
 * Partners' ids in half the bytes: most are digits, hexadecimal or a UUID, and each stands in several keys. The form is
 * kept apart from the bytes; every text has exactly one form, so equal ids are equal bytes. Stored: never change a form.
 */
export const IdForm = { text: 1, digits: 2, lowerHex: 3, upperHex: 4, lowerUuid: 5, upperUuid: 6 } as const
export type IdForm = (typeof IdForm)[keyof typeof IdForm]

const UUID_LENGTH = 36
const UUID_DASHES = [8, 13, 18, 23]
/** Fills the last half byte of an odd number of digits. */
const PAD = 0xf

export interface PackedId {
  readonly form: IdForm
  readonly bytes: Buffer
}

export function packId(id: string): PackedId {
  const form = formOf(id)
  if (form === IdForm.text) return { form, bytes: Buffer.from(id, 'utf8') }
  if (form === IdForm.digits) return { form, bytes: packDigitText(id) }
  return { form, bytes: Buffer.from(form >= IdForm.lowerUuid ? id.replaceAll('-', '') : id, 'hex') }
}

export function unpackId(form: number, bytes: Buffer): string {
  if (form === IdForm.text) return bytes.toString('utf8')
  const hex = bytes.toString('hex')
  if (form === IdForm.digits) return hex.endsWith('f') ? hex.slice(0, -1) : hex
  if (form === IdForm.lowerHex) return hex
  if (form === IdForm.upperHex) return hex.toUpperCase()
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  return form === IdForm.lowerUuid ? uuid : uuid.toUpperCase()
}

function formOf(id: string): IdForm {
  const isUuid = id.length === UUID_LENGTH
  let letters: 'none' | 'lower' | 'upper' = 'none'
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    if (unit >= 0x30 && unit <= 0x39 && !(isUuid && UUID_DASHES.includes(i))) continue
    if (unit === 0x2d && isUuid && UUID_DASHES.includes(i)) continue
    const found = unit >= 0x61 && unit <= 0x66 ? 'lower' : unit >= 0x41 && unit <= 0x46 ? 'upper' : undefined
    if (found === undefined || (letters !== 'none' && letters !== found) || (isUuid && UUID_DASHES.includes(i)))
      return IdForm.text
    letters = found
  }
  if (isUuid) return letters === 'upper' ? IdForm.upperUuid : IdForm.lowerUuid
  if (letters === 'none') return IdForm.digits
  if (id.length % 2 === 1) return IdForm.text
  return letters === 'lower' ? IdForm.lowerHex : IdForm.upperHex
}

function packDigitText(id: string): Buffer {
  const bytes = Buffer.allocUnsafe((id.length + 1) >>> 1)
  for (let i = 0; i < bytes.length; i++) {
    const low = 2 * i + 1 < id.length ? id.charCodeAt(2 * i + 1) - 0x30 : PAD
    bytes[i] = ((id.charCodeAt(2 * i) - 0x30) << 4) | low
  }
  return bytes
}
