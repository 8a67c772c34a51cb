import { DEFAULT_EDGE_CONFIG, type EdgeConfig } from '../collect/edge-config.ts'
import { ConfigError, type UsherConfig } from '../config.ts'
import { isSharedSuffix } from '../lib/public-suffix.ts'
import { imsTokenRulesOf } from './ims-token-rules.ts'

/** The collection edge's settings from the configuration; what it does not name keeps its default. @throws ConfigError */
export function edgeConfigOf(config: UsherConfig, tls: EdgeConfig['tls']): EdgeConfig {
  return {
    ...DEFAULT_EDGE_CONFIG,
    ...config.edge,
    host: config.host,
    tls,
    imsTokens: imsTokenRulesOf(config.edge),
    collectionDomain: collectionDomainOf(config),
    systemHosts: [...DEFAULT_EDGE_CONFIG.systemHosts, ...config.edge.systemHosts],
  }
}

function collectionDomainOf({ collectionDomain }: UsherConfig): string | undefined {
  if (collectionDomain === undefined || !isSharedSuffix(collectionDomain)) return collectionDomain
  throw new ConfigError([
    `collectionDomain (USHER_COLLECTION_DOMAIN): ${collectionDomain} is a public suffix, for which browsers keep no cookie. Name a domain below it`,
  ])
}
