/** A `Content-Type` taken apart. */
export interface MediaType {
  /** Type and subtype in lower case; the empty string where the header has none. */
  readonly essence: string
  /** Names in lower case, values without quotes; the first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Source: WHATWG "MIME Sniffing", 4.4, as far as anybody sends it. */
export function parseMediaType(header: string): MediaType {
  const end = header.indexOf(';')
  const parameters = new Map<string, string>()
  if (end >= 0) {
    for (const [, name = '', quoted, plain] of header.slice(end).matchAll(PARAMETER)) {
      const value = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
      if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value)
    }
  }
  return { essence: (end < 0 ? header : header.slice(0, end)).trim().toLowerCase(), parameters }
}

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g
