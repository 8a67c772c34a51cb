/**
 * Values that integrations send by mistake instead of an ID: each would join a crowd of strangers into one profile
 * [COL-151]. The empty value is refused as malformed before (300).
 */
const words = new Set(['null', 'undefined', 'nan', '[object object]', '0'])

export function isMistakenId(id: string): boolean {
  return (id.length <= 15 && words.has(id.toLowerCase())) || isUnreplacedMacro(id) || isAllZero(id)
}

/** `%...%`, `${...}`, `{{...}}` */
function isUnreplacedMacro(id: string): boolean {
  if (id.length < 3) return false
  if (id.startsWith('%') && id.endsWith('%')) return true
  return (id.startsWith('${') && id.endsWith('}')) || (id.startsWith('{{') && id.endsWith('}}'))
}

/** A UUID, or an ID of 38 digits, that is all zeros. */
function isAllZero(id: string): boolean {
  if (id.length !== 36 && id.length !== 32 && id.length !== 38) return false
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    if (unit !== 0x30 && unit !== 0x2d) return false
  }
  return true
}
