import type { BodyPairs } from './flat-json.ts'

/** Reads the fields of `multipart/form-data`, as `FormData` sends them; files are nothing we take. Source: RFC 7578. */
export function multipartFields(text: string, boundary: string | undefined): BodyPairs {
  if (boundary === undefined || boundary === '') return { ok: false, problem: 'the multipart type has no boundary' }
  // What stands before the first boundary and behind the last is no field.
  const [, ...parts] = `\r\n${text}`.split(`\r\n--${boundary}`)
  if (parts.pop()?.startsWith('--') !== true) return { ok: false, problem: 'the multipart body is cut off' }
  const pairs: [string, string][] = []
  for (const part of parts) {
    const end = part.indexOf('\r\n\r\n')
    const head = part.slice(0, Math.max(end, 0))
    const disposition = /^content-disposition:[ \t]*form-data[ \t]*;([^\r\n]*)/im.exec(head)
    const name = /(?:^|;)[ \t]*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition?.[1] ?? '')
    if (disposition === null || name === null) return { ok: false, problem: 'a multipart field has no name' }
    if (/(?:^|;)[ \t]*filename\*?=/i.test(disposition[1] ?? ''))
      return { ok: false, problem: 'a multipart field is a file' }
    if (/^content-transfer-encoding:(?![ \t]*(?:7bit|8bit|binary))/im.test(head)) {
      return { ok: false, problem: 'a multipart field is encoded' }
    }
    pairs.push([unescaped(name[1] ?? name[2] ?? ''), part.slice(end + 4)])
  }
  return { ok: true, pairs }
}

/** Browsers write quotes and line ends in a name this way, and nothing else (HTML, 4.10.21.8). */
function unescaped(name: string): string {
  return name.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n')
}
