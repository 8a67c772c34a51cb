import { isUtf8 } from 'node:buffer'

/**
 * Decodes percent escapes to text; an escape is exactly two hex digits [COL-40].
 * @param raw one character for each byte
 * @param hasHighBytes whether bytes from 0x80 on stand in it unescaped
 * @returns undefined when an escape is broken or the bytes are not UTF-8 [COL-37], [COL-38]
 */
export function decodeText(raw: string, hasHighBytes: boolean): string | undefined {
  let text = raw
  if (hasHighBytes) {
    const bytes = Buffer.from(raw, 'latin1')
    if (!isUtf8(bytes)) return undefined
    text = bytes.toString('utf8')
  }
  try {
    // The engine's own decoder refuses exactly what must be refused: bad escapes, overlong forms, surrogates.
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Decodes the valid escapes and leaves everything else as it stands, such as the `%` of a macro [COL-185]. */
export function decodeTolerantly(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => decodeText(escapes, false) ?? escapes)
}
