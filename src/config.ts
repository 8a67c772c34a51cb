import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { engine } from './config/engine.ts'
import { impossibleCombinations } from './config/impossible-combinations.ts'
import { ADMIN_TOKEN } from './lib/admin-token.ts'
import { createClock } from './lib/clock.ts'
import { ConfigError, readYaml } from './lib/config-file.ts'
import { KEPT_TIMES } from './lib/kept-time.ts'
import * as entries from './lib/list-entries.ts'
import {
  explainIssues,
  listSettings,
  overlayEnvironment,
  renderSettings,
  type Setting,
  textIssues,
  unknownVariables,
} from './lib/settings.ts'

/**
 * The configuration: one schema that validates, types, documents, and names the environment variables. A YAML file
 * (`--config`, or `USHER_CONFIG`) lies under the environment, the environment under the command line.
 * Source: spec/operating.md section 3.
 */
const ROLES = ['edge', 'admin', 'delivery', 'batch'] as const

const port = (value: number, description: string) => z.int().min(0).max(65535).default(value).meta({ description })
const list = (entry: z.ZodType<string>, description: string, allowed: string) =>
  z.array(entry).default([]).meta({ description, allowed })
const flag = (value: boolean, description: string) => z.boolean().default(value).meta({ description })
const count = (value: number, max: number, description: string) =>
  z.int().min(1).max(max).default(value).meta({ description })
const file = (description: string) => z.string().min(1).optional().meta({ description, allowed: 'path of a PEM file' })

const Limits = z.strictObject({
  urlBytesMax: count(8_192, 65_536, 'Bytes of a request line; beyond it 414'),
  headerBytesMax: count(16_384, 262_144, 'Bytes of all headers; beyond it 431'),
  headersMax: count(100, 1_000, 'Headers of a request'),
  cookieBytesMax: count(8_192, 65_536, 'Bytes of cookies'),
  formBytesMax: count(
    32_768,
    1_048_576,
    'Bytes of a POST body as it is sent, percent-escapes included and gzip undone; beyond it error 900',
  ),
  bodyBytesMax: count(1_048_576, 16_777_216, 'Decoded bytes of a body; beyond it 413 and the connection is closed'),
  parametersMax: count(1_000, 10_000, 'Parameters of a call; the surplus is dropped'),
  valueCharactersMax: count(4_096, 65_536, 'Characters of one value'),
  connectionsMax: count(20_000, 1_000_000, 'Open connections at once'),
  connectionsPerAddressMax: count(200, 1_000_000, 'Open connections from one address'),
  headersTimeoutMs: count(10_000, 600_000, 'Time for the headers to arrive, in milliseconds'),
  requestTimeoutMs: count(30_000, 600_000, 'Time for the whole request to arrive, in milliseconds'),
  keepAliveTimeoutMs: count(5_000, 600_000, 'Time an idle connection is kept, in milliseconds'),
  inFlightMax: count(10_000, 1_000_000, 'Calls worked on at once, beyond which the least important are turned away'),
  requestsPerSecondMax: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .meta({ description: 'Calls a second from one address; 0 sets no limit' }),
})

const DenyList = z.strictObject({
  enabled: flag(true, 'Refuses IDs that are seen too often for a while (codes 303, 304, 306, 307)'),
  deviceCallsPerMinute: count(120, 1_000_000, 'Calls a minute of one device ID before it is refused'),
  deviceCallsPerDay: count(5_000, 100_000_000, 'Calls a day of one device ID'),
  personCallsPerMinute: count(300, 1_000_000, 'Calls a minute of one declared ID; a person has several devices'),
  personCallsPerDay: count(10_000, 100_000_000, 'Calls a day of one declared ID'),
  dataSourceIds: z.array(entries.dataSourceId).default([]).meta({
    description: 'Data sources whose IDs are always refused',
    allowed: 'a list of data source ids',
  }),
  mayClear: flag(
    false,
    'Lets `DELETE /v1/deny-list/{entryId}` take an ID off the list; the service this replaces has no such way',
  ),
})

const countries = (codes: string[], description: string) =>
  z
    .array(entries.countryCode)
    .default(codes)
    .meta({ description, allowed: 'a list of two-letter country codes in upper case' })

/** Same names as the settings of the edge itself (`collect/edge-config.ts`), so that `main.ts` hands them over as they are. */
const Edge = z.strictObject({
  port: port(8080, 'Port of the collection edge; 0 picks a free one'),
  nodeName: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,64}$/)
    .default('usher-edge')
    .meta({
      description: 'Name of this node in the `DCS` header',
      allowed: 'letters, digits, dots, dashes; a test environment has `sandbox` in it',
    }),
  region: z
    .int()
    .min(1)
    .max(99)
    .default(7)
    .meta({ description: 'Region that answers name (`dcs_region`) and that devices are seen in' }),
  aliases: list(
    entries.hostLabel,
    'Left-most host labels that name the organisation; none listed: any host is served',
    'a list of host labels',
  ),
  organizations: list(
    entries.organization,
    'Organizations that `d_orgid` may name; none listed: every well-formed one',
    'a list such as 0123456789ABCDEF01234567@AdobeOrg',
  ),
  systemHosts: list(
    entries.hostLabel,
    'Further left-most labels that are no alias: regional hosts, a renamed `dpm`',
    'a list of host labels',
  ),
  trustedProxies: list(
    entries.network,
    'Proxies whose forwarded client address is believed',
    'a list of addresses or ranges such as 10.0.0.0/8',
  ),
  callers: list(
    entries.caller,
    'Server-to-server callers. They may hand over the address of the visitor as the last entry of the forwarding header; without one a call has no country. Certificates need tls.cert, and every client is then asked for one',
    'a list of addresses, ranges, or sha256:FINGERPRINT of a client certificate, with alias= in front where one counts for that alias alone',
  ),
  forwardedHeader: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .default('x-forwarded-for')
    .meta({
      description: 'The one header in which a trusted proxy or a caller hands over the client address',
      allowed: 'a header name in lower case',
    }),
  obfuscation: z.enum(['all', 'none']).default('all').meta({
    description:
      'Whether the last octet (IPv4) or the last 80 bits (IPv6) of client addresses are dropped before anything else uses them',
  }),
  corsOrigins: list(
    entries.origin,
    'Origins that may read answers; none listed: any',
    'a list of origins such as https://www.example.com',
  ),
  refererHosts: list(entries.hostName, 'Hosts of pages that may call; none listed: all', 'a list of host names'),
  redirectHosts: list(
    entries.redirectHost,
    'Hosts any redirect may go to, beside those of the data source',
    'a list of host, *.domain or http://host:port',
  ),
  redirectAnyHost: flag(
    false,
    'Lets ID syncs and clicks redirect to any host, as the service this replaces does; a risk: an open redirect',
  ),
  jsonp: flag(true, 'Answers JSONP where a call names a callback'),
  strict: flag(false, 'Answers 4xx with the same codes where compatible answers are 200'),
  cookieCheck: flag(false, 'Detects blocked third-party cookies by one redirect (code 172)'),
  optOutTools: list(
    entries.optOutTool,
    'Opt-out tools of the industry (NAI, DAA) that `/demoptout/token` sends a browser back to, with a token; until the opt-out arrives, at most 5 minutes, its calls give 173. None listed: off',
    'a list of https addresses with %token%, and %key% of any parameter of the call, behind the host',
  ),
  imsKeys: list(
    entries.filePath,
    'Public keys or certificates that sign the tokens of the Target integration; a call with a bearer token that is malformed, expired or of somebody else gives 111. None listed: tokens are not looked at',
    'a list of PEM files with RSA keys',
  ),
  imsClients: list(
    entries.clientId,
    'Clients (`client_id`) whose tokens are accepted; none listed: all',
    'a list of client ids',
  ),
  partitionedCookies: flag(false, 'Adds `Partitioned` to every visitor cookie; matching across sites stops'),
  mayUseCts: flag(true, 'Lets `d_cts` ask for the traits and segments of the visitor'),
  gvlVendorId: z
    .int()
    .min(1)
    .max(100_000)
    .default(565)
    .meta({ description: "This installation's vendor id in the TCF list; consent must name it" }),
  cmpListFile: z.string().min(1).optional().meta({
    description:
      'List of consent management platforms (`cmp-list.json` of IAB Europe). Consent strings of others give 313, of deleted ones 314. Not set: CMPs are not judged',
    allowed: 'path of a JSON file, read at the start',
  }),
  acceptUnlistedCmp: flag(
    false,
    'Goes on after codes 313 and 314, instead of treating consent as missing; needs `edge.cmpListFile`',
  ),
  usEnforcement: flag(
    false,
    'GPP strings (`gpp`) that cannot be decoded count as opt-out of sale and sharing, as a `us_privacy` that cannot be read always does',
  ),
  forbiddenCountries: countries(
    ['CU', 'IR', 'KP', 'SD', 'SY'],
    'Countries refused by law (code 199). An address of unknown country passes',
  ),
  blockedCountries: countries([], 'Countries refused by the organisation (code 198)'),
  onlyCountries: countries(
    [],
    'When not empty, all other countries are refused (code 198). An address of unknown country passes',
  ),
  geoFile: z.string().min(1).optional().meta({
    description:
      'Table that says where an address is: for the lists of countries, and for the geo keys of rules (`d_country`, `d_city`, ...). Not set: the bundled table of countries',
    allowed: 'path of a country or city table in the MaxMind DB format (.mmdb), read at the start',
  }),
  limits: Limits.prefault({}),
  denyList: DenyList.prefault({}),
})

export const DEFAULT_DATA_DIR = './data'

const Config = z.strictObject({
  dataDir: z.string().min(1).default(DEFAULT_DATA_DIR).meta({
    description:
      'Folder of the embedded stores, keys and the token file; the only place written to. It is closed to other users of this machine at each start',
    allowed: 'a path',
  }),
  host: z.string().min(1).default('127.0.0.1').meta({
    description: 'Address both listeners bind to; production sets 0.0.0.0',
    allowed: 'an IP address or host name',
  }),
  roles: z
    .array(z.enum(ROLES))
    .min(1)
    .default([...ROLES])
    .meta({
      description:
        'What this process does: `edge` collects, `admin` serves the API, `delivery` sends, `batch` sweeps and exports',
      allowed: `a list of ${ROLES.join(', ')}`,
    }),
  store: engine('embedded', 'redis://', 'Engine of profiles, links, opt-outs and the outbox'),
  catalog: engine('sqlite', 'postgres://', 'Engine of definitions, accounts and the audit log'),
  durability: z.enum(['disk', 'process', 'memory']).default('process').meta({
    description:
      'When an event counts as accepted: after the flush to the device, when handed to the operating system (survives the death of the process), or once taken. Opt-outs and configuration are always `disk`',
    allowed: 'disk, process, memory (replicated needs a cluster store)',
  }),
  collectionDomain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i)
    .optional()
    .meta({
      description:
        'Domain of the edge: cookies are set for it, and redirects to it are our own. Not set: taken from the Host of each call',
      allowed: 'a host name such as collect.example.com',
    }),
  masterKey: z
    .string()
    .refine((text) => /^[A-Za-z0-9+/]{43}=$/.test(text), 'is not 32 bytes in Base64')
    .optional()
    .meta({
      description: 'Encrypts stored secrets. Not set: generated into the data directory',
      allowed: '32 bytes in Base64 (openssl rand -base64 32)',
      secret: true,
    }),
  allowPrivateDestinations: flag(
    false,
    'Development switch: destinations may use loopback and private addresses, any port and http:',
  ),
  extraCa: file('Additional certificate authorities for outgoing TLS'),
  clockOffsetMs: z
    .int()
    .default(0)
    .meta({
      description:
        "Test switch that shifts the product's clock; refused with `NODE_ENV=production`, which a server for real sets: without it `POST /v1/test/clock` moves the clock, too",
      allowed: `a whole number of milliseconds that leads to a time ${KEPT_TIMES}`,
    }),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .meta({ description: 'Least important log lines to print' }),
  admin: z
    .strictObject({
      port: port(8081, 'Port of the REST API, the UI and the metrics; 0 picks a free one'),
      token: z
        .string()
        .min(ADMIN_TOKEN.charactersMin, ADMIN_TOKEN.tooShort)
        .regex(ADMIN_TOKEN.characters, ADMIN_TOKEN.notSendable)
        .optional()
        .meta({
          description:
            'Bearer token with full rights, for scripts and first set-up. The one in `admin.token` of the data directory holds beside it: commands of this machine sign in with it',
          allowed: ADMIN_TOKEN.allowed,
          secret: true,
        }),
    })
    .prefault({}),
  edge: Edge.prefault({}),
  optOuts: z
    .strictObject({
      listFile: z.string().min(1).optional().meta({
        description:
          'The list of opt-outs that is kept beside the store, as keyed hashes. A restore needs it: put it on another disk than the data directory. Not set: `opt-outs.list` in the data directory',
        allowed: 'path of a file in a folder that exists; it is made when it is missing',
      }),
    })
    .prefault({}),
  delivery: z
    .strictObject({
      historyDays: count(
        30,
        90,
        'Days that messages are kept after they were made, dead letters among them: to be looked at and sent again',
      ),
      diskShare: z.number().min(0.001).max(1).default(0.1).meta({
        description:
          'Share of the disk that the messages kept of one destination may take. At 80 % of it there is a warning. Beyond it the oldest messages that are not dead letters are removed early; a destination that fills it with dead letters alone is paused with the reason `quota`, and what it is owed waits',
      }),
    })
    .prefault({}),
  tls: z
    .strictObject({
      cert: file('Certificate (chain) of both listeners; needs tls.key'),
      key: file('Private key of the certificate; needs tls.cert'),
      endedInFront: flag(
        false,
        'TLS is ended by a proxy in front of this process; silences the warning about plain HTTP off loopback',
      ),
    })
    .prefault({}),
  partner: z.strictObject({ port: port(8082, 'Port of the partner sandbox that `usher demo` starts') }).prefault({}),
  shop: z.strictObject({ port: port(8083, 'Port of the sample shop that `usher demo` starts') }).prefault({}),
})

export type UsherConfig = z.output<typeof Config> & {
  /** `NODE_ENV=production`: test switches are refused. */
  readonly production: boolean
}
/** The collection edge's own section. */
export type EdgeSettings = UsherConfig['edge']
export type Role = (typeof ROLES)[number]

/** Every setting with its key, variable, default and allowed values. */
export const settings: readonly Setting[] = listSettings(Config, 'USHER_')

/** Variables that belong to scripts and to the finding of the file, not to the file itself. */
const OTHER_VARIABLES = ['USHER_CONFIG', 'USHER_CLIENTS_DIR', 'USHER_CHROMIUM']

export { ConfigError }

export interface ConfigSources {
  /** Of the command line; they win. */
  readonly options?: {
    readonly config?: string | undefined
    readonly dataDir?: string | undefined
    readonly roles?: string | undefined
  }
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly readFile?: (path: string) => string
}

/** @throws ConfigError with every issue at once; nothing has been started or written then */
export function loadConfig(sources: ConfigSources = {}): UsherConfig {
  const { options = {}, env = process.env, readFile = (path: string) => readFileSync(path, 'utf8') } = sources
  const variables = Object.keys(env).filter((name) => name.startsWith('USHER_'))
  const issues = unknownVariables(variables, [...settings.map((setting) => setting.variable), ...OTHER_VARIABLES])
  const path = options.config ?? env['USHER_CONFIG']
  const file = path === undefined ? {} : readYaml(path, readFile)
  const wins = { ...env, ...definedOptions(options) }
  const input = overlayEnvironment(file, settings, wins)
  issues.push(...textIssues(input))
  const parsed = Config.safeParse(input)
  if (!parsed.success) throw new ConfigError([...issues, ...explainIssues(parsed.error, settings, input)])
  const config = { ...parsed.data, production: /^\s*production\s*$/i.test(env['NODE_ENV'] ?? '') }
  issues.push(...impossibleCombinations(config, createClock().now()))
  if (issues.length > 0) throw new ConfigError(issues)
  return config
}

/** The published JSON Schema of the file, for editors and checks. */
export function configJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any' }), title: 'Usher configuration' }
}

/** The documentation page, `docs/configuration.md`. */
export function renderConfigPage(): string {
  return `# Configuration

<!-- Written by scripts/docs.mjs from src/config.ts. Change it there. -->

One YAML file (\`usher serve --config FILE\`, or \`USHER_CONFIG\`), and an environment variable for every key; the
environment wins over the file, the command line over both. An unknown key or variable, a wrong type or an impossible
combination stops the start and is named with what is allowed. In the environment a list is written as \`a, b\` or as a
JSON array, a map as \`key=value, key=value\` or as a JSON object, a list of maps as JSON. Examples: [minimal.yaml](../config/minimal.yaml),
[full.yaml](../config/full.yaml). JSON Schema: [usher.schema.json](../config/usher.schema.json).

A server for real sets \`NODE_ENV=production\` beside these: it refuses the test switches, \`USHER_CLOCK_OFFSET_MS\` and \`POST /v1/test/clock\`,
which end memberships by a time that is not. Without it the start warns.

${renderSettings(settings)}`
}

function definedOptions({ dataDir, roles }: NonNullable<ConfigSources['options']>): Record<string, string> {
  return {
    ...(dataDir === undefined ? {} : { USHER_DATA_DIR: dataDir }),
    ...(roles === undefined ? {} : { USHER_ROLES: roles }),
  }
}
