import type { UsherConfig } from '../config.ts'
import { isKeptTime, KEPT_MS_MAX, notKept } from '../lib/kept-time.ts'

/**
 * Settings that are right each by itself and not together; a sentence each, with keys, variables and what is allowed.
 * @param nowMs the machine's clock
 */
export function impossibleCombinations(config: UsherConfig, nowMs: number): string[] {
  const issues: string[] = []
  if (config.clockOffsetMs !== 0 && config.production) {
    issues.push('clockOffsetMs (USHER_CLOCK_OFFSET_MS): a test switch, refused with NODE_ENV=production. Allowed: 0')
  } else if (config.clockOffsetMs !== 0 && !isKeptTime(nowMs + config.clockOffsetMs)) {
    issues.push(
      `clockOffsetMs (USHER_CLOCK_OFFSET_MS): ${notKept(nowMs + config.clockOffsetMs)}. Allowed now: ${-nowMs} to ${KEPT_MS_MAX - nowMs}`,
    )
  }
  if ((config.tls.cert === undefined) !== (config.tls.key === undefined)) {
    issues.push(
      'tls.cert (USHER_TLS_CERT) and tls.key (USHER_TLS_KEY): one is set without the other. Allowed: both or none',
    )
  }
  if (config.edge.port !== 0 && config.edge.port === config.admin.port) {
    issues.push(
      'edge.port (USHER_EDGE_PORT) and admin.port (USHER_ADMIN_PORT): both are the same. Allowed: two different ports',
    )
  }
  // Set without what they need, these would be accepted and do nothing.
  const { acceptUnlistedCmp, callers, cmpListFile, forwardedHeader, imsClients, imsKeys, trustedProxies } = config.edge
  if (acceptUnlistedCmp && cmpListFile === undefined) {
    issues.push(
      'edge.acceptUnlistedCmp (USHER_EDGE_ACCEPT_UNLISTED_CMP): has no effect without edge.cmpListFile. Allowed: false, or a list too',
    )
  }
  if (imsClients.length > 0 && imsKeys.length === 0) {
    issues.push(
      'edge.imsClients (USHER_EDGE_IMS_CLIENTS): has no effect without edge.imsKeys. Allowed: none, or the keys too',
    )
  }
  if (config.tls.cert === undefined && callers.some((caller) => caller.includes('sha256:'))) {
    issues.push(
      'edge.callers (USHER_EDGE_CALLERS): a certificate has no effect without tls.cert, because none is asked for. Allowed: addresses and ranges, or tls.cert too',
    )
  }
  if (forwardedHeader !== 'x-forwarded-for' && trustedProxies.length + callers.length === 0) {
    issues.push(
      'edge.forwardedHeader (USHER_EDGE_FORWARDED_HEADER): has no effect without edge.trustedProxies or edge.callers. Allowed: not set, or one of these too',
    )
  }
  const { connectionsMax, connectionsPerAddressMax } = config.edge.limits
  if (connectionsPerAddressMax > connectionsMax) {
    issues.push(
      `edge.limits.connectionsPerAddressMax (USHER_EDGE_LIMITS_CONNECTIONS_PER_ADDRESS_MAX): is above edge.limits.connectionsMax. Allowed: at most ${connectionsMax}`,
    )
  }
  return issues
}
