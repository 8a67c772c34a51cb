import type { ImsTokenRules } from './ims-token.ts'
import { SYSTEM_HOSTS } from './regions.ts'

/** Settings of the collection edge. A plain object; `src/config.ts` fills it. */
export interface EdgeConfig {
  readonly host: string
  readonly port: number
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** Name of this node in the `DCS` header; a test environment has `sandbox` in it [COL-12]. */
  readonly nodeName: string
  /** Base domain of the edge [OPS-28]; undefined: derived from the `Host` of each request. */
  readonly collectionDomain: string | undefined
  /** Left-most host labels that name the organisation; empty: any host is served [COL-03]. */
  readonly aliases: readonly string[]
  /** Organization IDs that are known; empty: every well-formed one is accepted [COL-06]. */
  readonly organizations: readonly string[]
  /** Left-most host labels that are never looked up as an alias [COL-07]. */
  readonly systemHosts: readonly string[]
  /** `dcs_region` of every answer [COL-132]. */
  readonly region: number
  readonly limits: EdgeLimits
  /** Networks (CIDR) whose forwarding header is believed [COL-141]. */
  readonly trustedProxies: readonly string[]
  /** TLS ends before this process: visitors are on `https` unless a trusted proxy says otherwise [SEC-99]. */
  readonly tlsEndedInFront: boolean
  /** Server-to-server callers: networks, `sha256:` fingerprints of certificates, `alias=` in front [COL-264]. */
  readonly callers: readonly string[]
  /** The one header read from trusted proxies and callers, lower case. */
  readonly forwardedHeader: string
  /** Whether the end of every client address is dropped on receipt [SEC-83]. */
  readonly obfuscation: 'all' | 'none'
  /** Origins that may read answers; empty: any [SEC-20]. */
  readonly corsOrigins: readonly string[]
  /** JSONP answers [SEC-08]. */
  readonly jsonp: boolean
  /** Our vendor id in consent strings [COL-239]. */
  readonly gvlVendorId: number
  /** Known CMPs and when each was deleted (ms epoch, null: not deleted); undefined skips 313 and 314 [COL-248]. */
  readonly cmpList: ReadonlyMap<number, number | null> | undefined
  /** After 313 and 314 go on as AAM does, instead of treating consent as missing [SEC-76]. */
  readonly acceptUnlistedCmp: boolean
  /** US privacy strings that cannot be decoded count as opt-out [SEC-78]. */
  readonly usEnforcement: boolean
  /** Whether `d_cts` is enabled [COL-46]. */
  readonly mayUseCts: boolean
  /** Hosts any redirect may go to, beside those of the data source: `host`, `*.domain`, `http://host:port` [SEC-13]. */
  readonly redirectHosts: readonly string[]
  /** Redirect anywhere, as AAM documents: an open redirect, so a switch [SEC-13]. */
  readonly redirectAnyHost: boolean
  /** Answers 4xx with the same codes where AAM answers 200 [SEC-02]. */
  readonly strict: boolean
  /** Two-letter country codes that are refused: by law (199), and by the organisation (198) [COL-121], [COL-122]. */
  readonly forbiddenCountries: readonly string[]
  readonly blockedCountries: readonly string[]
  /** When not empty, all other countries are refused with 198 [COL-122]. */
  readonly onlyCountries: readonly string[]
  /** Country of an (obfuscated) address, in upper case. Without it no country is refused. */
  readonly countryOf: ((address: string) => string | undefined) | undefined
  /** Geo keys and values of an (obfuscated) address, added to the signals of every event [COL-203]. */
  readonly geoSignalsOf: ((address: string) => readonly (readonly [key: string, value: string])[]) | undefined
  /** Hosts of pages that may call; empty: all (109) [COL-123]. */
  readonly refererHosts: readonly string[]
  /** Addresses of opt-out tools that await a token: `%token%` and `%key%` of the call are filled in [COL-235]. */
  readonly optOutTools: readonly string[]
  /** Whose tokens are valid (111); undefined: tokens are not looked at. */
  readonly imsTokens: ImsTokenRules | undefined
  /** Detects blocked third-party cookies by one redirect (172) [COL-128]. */
  readonly cookieCheck: boolean
  /** Adds `Partitioned` to every visitor cookie [SEC-18]. */
  readonly partitionedCookies: boolean
  readonly denyList: DenyListConfig
}

/** [SEC-01], [SEC-03], [COL-113] */
export interface EdgeLimits {
  readonly urlBytesMax: number
  readonly headerBytesMax: number
  readonly headersMax: number
  readonly cookieBytesMax: number
  /** Decoded bytes of a form that are processed; beyond: error 900 [COL-15]. */
  readonly formBytesMax: number
  /** Decoded bytes at which the connection is closed with 413. */
  readonly bodyBytesMax: number
  readonly parametersMax: number
  readonly valueCharactersMax: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  /** Calls being processed at which the least important are shed first [SEC-11]. */
  readonly inFlightMax: number
  /** Requests a second from one address before 429; 0: no limit [COL-113]. */
  readonly requestsPerSecondMax: number
}

/** [COL-146] */
export interface DenyListConfig {
  readonly enabled: boolean
  /** For device IDs, ECIDs and declared device IDs. */
  readonly deviceCallsPerMinute: number
  readonly deviceCallsPerDay: number
  /** For other declared IDs: a person has several devices. */
  readonly personCallsPerMinute: number
  readonly personCallsPerDay: number
  /** Data sources an operator has put on the list (304) [COL-147]. */
  readonly dataSourceIds: readonly number[]
}

export const DEFAULT_EDGE_CONFIG: EdgeConfig = {
  host: '127.0.0.1',
  port: 8080,
  tls: undefined,
  nodeName: 'usher-edge',
  collectionDomain: undefined,
  aliases: [],
  organizations: [],
  systemHosts: SYSTEM_HOSTS,
  region: 7,
  limits: {
    urlBytesMax: 8192,
    headerBytesMax: 16_384,
    headersMax: 100,
    cookieBytesMax: 8192,
    formBytesMax: 32_768,
    bodyBytesMax: 1_048_576,
    parametersMax: 1000,
    valueCharactersMax: 4096,
    connectionsMax: 20_000,
    connectionsPerAddressMax: 200,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    keepAliveTimeoutMs: 5000,
    inFlightMax: 10_000,
    requestsPerSecondMax: 0,
  },
  trustedProxies: [],
  tlsEndedInFront: false,
  callers: [],
  forwardedHeader: 'x-forwarded-for',
  obfuscation: 'all',
  corsOrigins: [],
  jsonp: true,
  gvlVendorId: 565,
  cmpList: undefined,
  acceptUnlistedCmp: false,
  usEnforcement: false,
  mayUseCts: true,
  redirectHosts: [],
  redirectAnyHost: false,
  strict: false,
  forbiddenCountries: ['CU', 'IR', 'KP', 'SD', 'SY'],
  blockedCountries: [],
  onlyCountries: [],
  countryOf: undefined,
  geoSignalsOf: undefined,
  refererHosts: [],
  optOutTools: [],
  imsTokens: undefined,
  cookieCheck: false,
  partitionedCookies: false,
  denyList: {
    enabled: true,
    deviceCallsPerMinute: 120,
    deviceCallsPerDay: 5000,
    personCallsPerMinute: 300,
    personCallsPerDay: 10_000,
    dataSourceIds: [],
  },
}
