import { DEFAULT_EDGE_CONFIG, type EdgeConfig } from '../collect/edge-config.ts'
import type { UsherConfig } from '../config.ts'
import { imsTokenRulesOf } from './ims-token-rules.ts'

/** The collection edge's settings from the configuration; what it does not name keeps its default. @throws ConfigError */
export function edgeConfigOf(config: UsherConfig, tls: EdgeConfig['tls']): EdgeConfig {
  return {
    ...DEFAULT_EDGE_CONFIG,
    ...config.edge,
    host: config.host,
    tls,
    tlsEndedInFront: config.tls.endedInFront,
    imsTokens: imsTokenRulesOf(config.edge),
    collectionDomain: config.collectionDomain,
    systemHosts: [...DEFAULT_EDGE_CONFIG.systemHosts, ...config.edge.systemHosts],
  }
}
