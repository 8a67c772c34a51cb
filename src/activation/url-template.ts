/**
 * Path and query of a GET destination: text with macros of the template language, e.g.
 * `/from-aam-s2s?uuid=<DP_UUID>&sids=<SEGMENT_LIST;separator=",">`. Only scalars and plain lists; every inserted value is
 * percent-encoded, a separator is written as it stands. Source: outbound.md OUT-209, section 6.3.
 */
export interface UrlTemplate {
  readonly parts: readonly Part[]
}

export interface UrlValues {
  readonly DP_UUID: string
  readonly UUID: string
  readonly ORDER_ID: string
  readonly DPID: string
  readonly SEGMENT_LIST: readonly string[]
  readonly REMOVED_SEGMENT_LIST: readonly string[]
}

type Part = string | { readonly macro: keyof UrlValues; readonly separator: string }

export type ParsedUrlTemplate =
  | { readonly ok: true; readonly template: UrlTemplate }
  /** With the column, counted from 1. */
  | { readonly ok: false; readonly message: string }

const scalars = ['DP_UUID', 'UUID', 'ORDER_ID', 'DPID'] as const
const lists = ['SEGMENT_LIST', 'REMOVED_SEGMENT_LIST'] as const

export function parseUrlTemplate(text: string): ParsedUrlTemplate {
  if (!text.startsWith('/')) return refused(0, 'a URL template begins with /')
  const parts: Part[] = []
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('<', at)
    const literal = text.slice(at, open < 0 ? text.length : open)
    // Visible ASCII that stands in a request line as it is: no space, quote, bracket, backslash or fragment.
    const bad = literal.search(/[^!$-;=?-[\]_a-z|~]/)
    if (bad >= 0) return refused(at + bad, 'this character must be percent-encoded')
    if (literal !== '') parts.push(literal)
    if (open < 0) break
    const tag = /^<\s*([A-Z_]+)\s*(?:;\s*separator\s*=\s*"([^"\\]*)"\s*)?>/.exec(text.slice(open))
    if (tag === null) return refused(open, 'a macro is <NAME> or <NAME;separator=",">')
    const part = parseMacro(tag[1] ?? '', tag[2])
    if (typeof part === 'string') return refused(open, part)
    parts.push(part)
    at = open + tag[0].length
  }
  return { ok: true, template: { parts } }
}

/** @returns path and query, for the request line and the signature */
export function renderUrlTemplate({ parts }: UrlTemplate, values: UrlValues): string {
  let url = ''
  for (const part of parts) {
    if (typeof part === 'string') {
      url += part
      continue
    }
    const value = values[part.macro]
    url += typeof value === 'string' ? encodeURIComponent(value) : value.map(encodeURIComponent).join(part.separator)
  }
  return url
}

function parseMacro(name: string, separator: string | undefined): Part | string {
  const list = lists.find((known) => known === name)
  if (list !== undefined) {
    if (/[^!$-;=?-[\]_a-z|~]/.test(separator ?? '')) return 'the separator must be percent-encoded'
    return { macro: list, separator: separator ?? '' }
  }
  const scalar = scalars.find((known) => known === name)
  if (scalar === undefined) return `<${name}> is not known here; known are ${[...scalars, ...lists].join(', ')}`
  return separator === undefined ? { macro: scalar, separator: '' } : `<${name}> is not a list and takes no separator`
}

function refused(at: number, message: string): ParsedUrlTemplate {
  return { ok: false, message: `column ${at + 1}: ${message}` }
}
