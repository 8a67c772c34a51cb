import { DEFAULT_EDGE_CONFIG, type EdgeConfig } from '../collect/edge-config.ts'
import { ConfigError, type UsherConfig } from '../config.ts'
import { isoCountry } from '../lib/country-codes.ts'
import { isSharedSuffix } from '../lib/public-suffix.ts'
import { readCmpList } from './cmp-list.ts'
import { imsTokenRulesOf } from './ims-token-rules.ts'
import type { Places } from './places.ts'

/** The collection edge's settings from the configuration; what it does not name keeps its default. @throws ConfigError */
export function edgeConfigOf(config: UsherConfig, tls: EdgeConfig['tls'], places: Places | undefined): EdgeConfig {
  const { forbiddenCountries, blockedCountries, onlyCountries } = config.edge
  return {
    ...DEFAULT_EDGE_CONFIG,
    ...config.edge,
    host: config.host,
    tls,
    tlsEndedInFront: config.tls.endedInFront,
    cmpList: readCmpList(config.edge),
    imsTokens: imsTokenRulesOf(config.edge),
    forbiddenCountries: forbiddenCountries.map(isoCountry),
    blockedCountries: blockedCountries.map(isoCountry),
    onlyCountries: onlyCountries.map(isoCountry),
    countryOf: (address) => places?.of(address)?.country,
    geoSignalsOf: (address) => places?.of(address)?.signals ?? [],
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
