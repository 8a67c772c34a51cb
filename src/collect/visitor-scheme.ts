import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { EdgeConfig } from './edge-config.ts'
import { splitElements, unquoted, valueIn } from './forwarded.ts'

/**
 * Whether the connection of the visitor is encrypted, as far as is known here. What a trusted proxy says of it goes before
 * all else, because our own socket ends at the proxy; its left-most entry speaks of the visitor, and who forges it harms
 * only the own cookies. Without a word: our socket, or TLS that is known to end in front. Source: security.md SEC-99.
 * @param isProxied the peer is a trusted proxy
 */
export function isVisitorEncrypted(message: IncomingMessage, isProxied: boolean, config: EdgeConfig): boolean {
  const scheme = isProxied ? forwardedScheme(message.headers, config.forwardedHeader) : undefined
  if (scheme !== undefined) return scheme === 'https'
  return config.tlsEndedInFront || (message.socket as Partial<TLSSocket>).encrypted === true
}

/** @returns lower case, perhaps empty; undefined where no header speaks of it */
function forwardedScheme(headers: IncomingHttpHeaders, forwardedHeader: string): string | undefined {
  const named =
    forwardedHeader === 'forwarded' && headers.forwarded !== undefined
      ? splitElements(headers.forwarded)
          .map((element) => valueIn(element, 'proto'))
          .find((proto) => proto !== undefined)
      : undefined
  if (named !== undefined) return named.toLowerCase()
  const header = headers['x-forwarded-proto']
  if (header === undefined) return undefined
  const [first = ''] = (typeof header === 'string' ? header : header.join(',')).split(',')
  return unquoted(first).toLowerCase()
}
