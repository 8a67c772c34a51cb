import { DEFAULT_EDGE_CONFIG, type EdgeConfig } from '../collect/edge-config.ts'
import type { UsherConfig } from '../config.ts'

/** The collection edge's settings from the configuration; what it does not name keeps its default. */
export function edgeConfigOf(config: UsherConfig, tls: EdgeConfig['tls']): EdgeConfig {
  return {
    ...DEFAULT_EDGE_CONFIG,
    ...config.edge,
    host: config.host,
    tls,
    collectionDomain: config.collectionDomain,
    systemHosts: [...DEFAULT_EDGE_CONFIG.systemHosts, ...config.edge.systemHosts],
  }
}
