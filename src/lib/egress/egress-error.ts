import type { AddressDenial } from './address-policy.ts'
import type { TargetDenial } from './target.ts'

/** What kept a request from being sent, or its answer from being read; stable codes. */
export type EgressErrorCode =
  | 'egress_denied'
  | 'dns'
  | 'connection_refused'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'connection_reset'
  | 'request_invalid'
  | 'response_invalid'
  | 'response_head_too_large'
  | 'closed'

export type EgressDenialReason = AddressDenial | TargetDenial

/** The address rules forbid this target [SEC-23]. */
export class EgressDeniedError extends Error {
  readonly code = 'egress_denied'
  readonly reason: EgressDenialReason

  constructor(reason: EgressDenialReason) {
    super(`egress denied: ${reason}`)
    this.reason = reason
  }
}

/** A name server gave no address, whatever it said instead. */
export class NameUnresolvedError extends Error {
  readonly code = 'name_unresolved'

  constructor(hostname: string, cause: Error | null) {
    super(`no address for ${hostname}`, { cause })
  }
}

/** Sorts an error of the network, of TLS or of the HTTP parser. `detail` names a certificate problem [SEC-28]. */
export function classifyNetworkError(error: Error): {
  readonly error: EgressErrorCode
  readonly detail: string | null
} {
  if (error instanceof EgressDeniedError) return { error: 'egress_denied', detail: error.reason }
  // Connecting to several addresses in turn fails with all their errors; the first one speaks for them.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  const code = 'code' in first && typeof first.code === 'string' ? first.code : ''
  if (tlsCode.test(code)) return { error: 'tls', detail: code }
  // An interim answer or a change of protocol nobody asked for.
  if (code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)$/.test(first.message))
    return { error: 'response_invalid', detail: null }
  return {
    error: codes.get(code) ?? (first.name === 'HTTPParserError' ? 'response_invalid' : 'connection_reset'),
    detail: null,
  }
}

const tlsCode = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO|HOSTNAME_MISMATCH|INVALID_CA|CRL_)/

const codes = new Map<string, EgressErrorCode>([
  ['name_unresolved', 'dns'],
  ['ECONNREFUSED', 'connection_refused'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['EHOSTDOWN', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  // A firewall of this machine, or its bounds on open sockets.
  ['EACCES', 'unreachable'],
  ['EPERM', 'unreachable'],
  ['EMFILE', 'unreachable'],
  ['ENFILE', 'unreachable'],
  ['ENOBUFS', 'unreachable'],
  ['ETIMEDOUT', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_OVERFLOW', 'response_head_too_large'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'response_invalid'],
  ['UND_ERR_INVALID_ARG', 'request_invalid'],
  ['UND_ERR_DESTROYED', 'closed'],
  ['UND_ERR_CLOSED', 'closed'],
])
