import { isUtf8 } from 'node:buffer'

/**
 * The text of a header. Node hands over one character for each byte; whoever sends more than ASCII nearly always means
 * UTF-8, and what is none is Latin-1, as the old rule had it (RFC 9110, 5.5).
 */
export function headerText(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : value
}
