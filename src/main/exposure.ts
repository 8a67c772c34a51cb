import { BlockList, isIP } from 'node:net'
import type { UsherConfig } from '../config.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * What is to be said of listeners that other machines can reach in clear text; undefined when there is nothing. A host
 * name other than `localhost` counts as reachable, because it may come to mean another address. Source: security.md SEC-92.
 */
export function exposureWarning({ host, tls }: Pick<UsherConfig, 'host' | 'tls'>): string | undefined {
  if (tls.cert !== undefined || tls.endedInFront || isLoopback(host)) return undefined
  return (
    `Other machines can reach ${host}, and what they send, tokens included, is not encrypted. Set tls.cert and tls.key ` +
    '(USHER_TLS_CERT, USHER_TLS_KEY), or tls.endedInFront (USHER_TLS_ENDED_IN_FRONT) when a proxy ends TLS.'
  )
}

function isLoopback(host: string): boolean {
  const family = isIP(host)
  if (family === 0) return host.toLowerCase() === 'localhost'
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
