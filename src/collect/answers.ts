import type { ServerResponse } from 'node:http'
import type { CallError } from '../model/collected-call.ts'
import type { Edge } from './edge.ts'
import { type EdgeRequest, wantsJson } from './edge-request.ts'

/** What is sent back, before it is put on the wire. Source: spec/collection.md section 6. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string | Buffer
  /** Listed in `X-Error` [COL-114]. */
  readonly errors: readonly CallError[]
  /** `Set-Cookie` values. */
  readonly cookies: readonly string[]
  readonly location?: string
  readonly retryAfterSeconds?: number
}

const JSON_TYPE = 'application/json;charset=utf-8'
const JSONP_TYPE = 'application/javascript;charset=utf-8'

/** A transparent image of one pixel: 43 bytes, GIF89a [COL-98]. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')

export function pixelAnswer(errors: readonly CallError[], cookies: readonly string[]): Answer {
  return { status: 200, contentType: 'image/gif', body: PIXEL, errors, cookies }
}

/** JSON, or JSONP when the call asks for it with a name that is safe to print [COL-108], [SEC-08]. */
export function jsonAnswer(
  edge: Edge,
  request: EdgeRequest,
  body: string,
  errors: readonly CallError[],
  cookies: readonly string[],
): Answer {
  const callback = edge.config.jsonp && wantsJson(request) ? request.parameters.withheld.get('d_cb') : undefined
  if (callback === undefined || !isCallbackName(callback)) {
    return { status: 200, contentType: JSON_TYPE, body, errors, cookies }
  }
  return { status: 200, contentType: JSONP_TYPE, body: `${callback}(${body})`, errors, cookies }
}

export function redirectAnswer(location: string, errors: readonly CallError[], cookies: readonly string[]): Answer {
  return { status: 302, contentType: 'image/gif', body: '', errors, cookies, location }
}

const CALLBACK_CHARACTERS_MAX = 256

/** Identifiers joined by dots and by index brackets of digits only [COL-109]. */
function isCallbackName(name: string): boolean {
  return (
    name.length <= CALLBACK_CHARACTERS_MAX &&
    /^[A-Za-z_$][A-Za-z0-9_$]*(?:\.[A-Za-z_$][A-Za-z0-9_$]*|\[[0-9]+\])*$/.test(name)
  )
}

/** JSON of a value that may hold user text: `<` and the line separators are escaped for script contexts [COL-107]. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Puts an answer on the wire with one call; a `HEAD` answer has the same head and no body. */
export function sendAnswer(edge: Edge, request: EdgeRequest, answer: Answer, response: ServerResponse): void {
  const { body } = answer
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const head = [
    'Content-Type',
    answer.contentType,
    'Content-Length',
    String(bytes),
    'Cache-Control',
    'no-cache, no-store, must-revalidate, max-age=0, private',
    'Pragma',
    'no-cache',
    'Expires',
    'Thu, 01 Jan 2009 00:00:00 GMT',
    'X-Content-Type-Options',
    'nosniff',
    'DCS',
    edge.config.nodeName,
    'X-TID',
    request.eventId,
  ]
  if (answer.errors.length > 0) head.push('X-Error', answer.errors.map((error) => error.code).join(','))
  for (const cookie of answer.cookies) head.push('Set-Cookie', cookie)
  if (answer.location !== undefined) head.push('Location', answer.location)
  if (answer.retryAfterSeconds !== undefined) head.push('Retry-After', String(answer.retryAfterSeconds))
  if (request.secure) head.push('Strict-Transport-Security', 'max-age=31536000')
  addCorsHeaders(edge, request, head)
  response.writeHead(answer.status, head)
  // Text of one byte a character is written as it is; that is nearly every answer.
  if (typeof body === 'string' && bytes === body.length) response.end(body, 'latin1')
  else response.end(body)
}

/** Reflects the caller's origin with credentials; never `*`, never the `null` origin [COL-10], [SEC-20]. */
export function addCorsHeaders(edge: Edge, { headers }: Pick<EdgeRequest, 'headers'>, head: string[]): void {
  const { origin } = headers
  if (origin === undefined) return
  head.push('Vary', 'Origin')
  const { corsOrigins } = edge.config
  const isAllowed = corsOrigins.length === 0 ? isOrigin(origin) : corsOrigins.includes(origin)
  if (!isAllowed || origin === 'null') return
  head.push('Access-Control-Allow-Origin', origin, 'Access-Control-Allow-Credentials', 'true')
  // Beside the body a page may read only what is named; codes that stand nowhere else would be for nobody.
  if (head.includes('X-Error')) head.push('Access-Control-Expose-Headers', 'X-Error')
}

/** Scheme, host and port, as a browser writes them. */
function isOrigin(text: string): boolean {
  return text.length <= 300 && /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]+$/i.test(text)
}
