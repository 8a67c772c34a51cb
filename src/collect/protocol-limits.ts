import type { IncomingMessage } from 'node:http'
import type { EdgeLimits } from './edge-config.ts'

/** Why a request is refused before anything in it is read; the connection is closed [SEC-01], [SEC-04]. */
export interface ProtocolRefusal {
  readonly status: 400 | 414 | 431
  readonly reason: 'method' | 'url_too_long' | 'headers_too_large' | 'cookies_too_large' | 'target'
}

/** @returns undefined when the head keeps within the limits */
export function refuseProtocol(limits: EdgeLimits, message: IncomingMessage): ProtocolRefusal | undefined {
  const { method, url = '', rawHeaders } = message
  if (method !== 'GET' && method !== 'POST' && method !== 'HEAD' && method !== 'OPTIONS') return METHOD
  if (url.length > limits.urlBytesMax) return URL_TOO_LONG
  // `*` and the authority form are for servers of another kind.
  if (url.charCodeAt(0) !== 0x2f && !/^https?:\/\//i.test(url)) return TARGET
  if (rawHeaders.length > 2 * limits.headersMax) return HEADERS_TOO_LARGE
  let bytes = 0
  // Name, colon, blank, value and line end of each header.
  for (let i = 0; i < rawHeaders.length; i++) bytes += (rawHeaders[i] as string).length + 2
  if (bytes > limits.headerBytesMax) return HEADERS_TOO_LARGE
  const { cookie } = message.headers
  return cookie !== undefined && cookie.length > limits.cookieBytesMax ? COOKIES_TOO_LARGE : undefined
}

const METHOD: ProtocolRefusal = { status: 400, reason: 'method' }
const TARGET: ProtocolRefusal = { status: 400, reason: 'target' }
const URL_TOO_LONG: ProtocolRefusal = { status: 414, reason: 'url_too_long' }
const HEADERS_TOO_LARGE: ProtocolRefusal = { status: 431, reason: 'headers_too_large' }
const COOKIES_TOO_LARGE: ProtocolRefusal = { status: 431, reason: 'cookies_too_large' }
