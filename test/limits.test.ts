import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { parseS2sConfig } from '../src/testkit/s2s-settings.ts'

/**
 * Every limit and default that the specification fixes, as the literal it has there. A test that takes the limit from the
 * code holds whatever the code says; this one does not.
 */

type Row = readonly [id: string, what: string, constant: string, value: number]

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const KIB = 1024

/** Constants of the source: `file NAME`. */
const CONSTANTS: readonly Row[] = [
  // The edge.
  ['COL-86', 'declared IDs of one call', 'collect/declared-ids.ts DECLARED_IDS_MAX', 10],
  ['COL-87', 'declared IDs of one call and data source', 'collect/declared-ids.ts IDS_PER_DATA_SOURCE_MAX', 3],
  ['SEC-05', 'how many times larger a body may become', 'collect/read-body.ts RATIO_MAX', 200],
  ['SEC-05', 'decoded bytes before the ratio counts', 'collect/read-body.ts RATIO_FREE_BYTES', 64 * KIB],
  ['SEC-08', 'characters of a JSONP callback', 'collect/answers.ts CALLBACK_CHARACTERS_MAX', 256],
  ['SEC-14', 'bytes of a redirect target', 'collect/redirect.ts TARGET_BYTES_MAX', 4 * KIB],
  ['SEC-16', 'hops of one chain of syncs', 'collect/redirect-of-call.ts HOPS_MAX', 8],
  ['SEC-18', 'seconds that the visitor cookie lives', 'collect/cookies.ts VISITOR_SECONDS', (180 * DAY) / SECOND],
  ['COL-226', 'seconds that the opt-out lives', 'collect/cookies.ts OPT_OUT_SECONDS', (3650 * DAY) / SECOND],
  ['SEC-03', 'ms between two checks for slow clients', 'collect/edge-server.ts TIMEOUT_CHECK_MS', 1 * SECOND],
  ['COL-173', 'seconds until a client syncs again', 'collect/json-bodies.ts ID_SYNC_TTL_SECONDS', (7 * DAY) / SECOND],
  ['COL-173', 'seconds until a client asks for opt-outs', 'collect/json-bodies.ts OPT_OUT_TTL_SECONDS', 7200],

  // Rules.
  ['SEC-70', 'nodes of a rule', 'audience/rules/expression.ts RULE_NODES_MAX', 20_000],
  ['SEC-70', 'depth of a rule', 'audience/rules/expression.ts RULE_DEPTH_MAX', 100],
  ['SEC-70', 'bytes of a pattern', 'audience/rules/java-pattern.ts PATTERN_BYTES_MAX', 1 * KIB],
  ['SEC-70', 'bytes that a pattern is tried on', 'audience/rules/java-pattern.ts PATTERN_INPUT_BYTES_MAX', 4 * KIB],
  ['AUD-124', 'traits of a segment', 'audience/rules/segment-rule.ts SEGMENT_TRAITS_MAX', 5_000],
  ['AUD-60', 'traits of a profile', 'audience/realize-traits.ts PROFILE_TRAITS_MAX', 150_000],
  ['AUD-305', 'traits of a segment that the visual builder shows', 'api/segments.ts VISUAL_TRAITS_MAX', 50],

  // Delivery.
  ['SEC-47', 'failures in a row that open the breaker', 'activation/breaker.ts FAILURES_IN_ROW_MAX', 20],
  ['SEC-47', 'requests before a share of failures counts', 'activation/breaker.ts SAMPLE_MIN', 100],
  ['SEC-47', 'ms that the share is taken over', 'activation/breaker.ts SAMPLE_MS', 1 * MINUTE],
  ['SEC-47', 'ms until the first probe', 'activation/breaker.ts PROBE_WAIT_MS_MIN', 5 * SECOND],
  ['SEC-47', 'ms between the last probes', 'activation/breaker.ts PROBE_WAIT_MS_MAX', 5 * MINUTE],
  ['SEC-47', 'ms of only failures until the pause', 'activation/gate.ts FAILING_MS_MAX', 5 * DAY],
  ['SEC-45', 'attempts in compat', 'activation/policy.ts COMPAT_ATTEMPTS_MAX', 2],
  ['SEC-46', 'attempts where the body is at fault', 'activation/policy.ts BODY_ATTEMPTS_MAX', 3],
  ['SEC-46', 'jitter of the waits', 'activation/policy.ts JITTER', 0.2],
  ['SEC-46', 'ms that Retry-After may ask for', 'lib/retry-after.ts RETRY_AFTER_MS_MAX', 24 * HOUR],
  ['OUT-81', 'ms before its end that a token is renewed', 'activation/oauth.ts RENEW_BEFORE_MS', 1 * MINUTE],
  ['SEC-27', 'bytes read of an answer', 'lib/egress/exchange.ts RESPONSE_BODY_BYTES_MAX', 64 * KIB],
  ['SEC-27', 'bytes of status line and headers', 'lib/egress/egress.ts RESPONSE_HEAD_BYTES_MAX', 16 * KIB],
  ['SEC-27', 'bytes kept of an answer', 'activation/sender.ts EXCERPT_BYTES_MAX', 1 * KIB],
  ['SEC-29', 'bytes of a header of a destination', 'lib/header-rules.ts VALUE_BYTES_MAX', 4 * KIB],
  ['SEC-44', 'share of the disk share that warns', 'main/disk-share.ts NEAR', 0.8],

  // API and sessions.
  ['SEC-66', 'ms a session may rest', 'api/session-keeper.ts IDLE_MS', 30 * MINUTE],
  ['SEC-66', 'ms a session may last', 'api/session-keeper.ts SESSION_MS', 12 * HOUR],
  ['SEC-66', 'bytes of a session secret', 'api/session-keeper.ts SECRET_BYTES', 32],
  ['API-35', 'requests a second of one token', 'api/gatekeeper.ts REQUESTS_PER_SECOND', 100],
  ['API-16', 'rows of a page', 'contract/list.ts PAGE_SIZE_DEFAULT', 10],
  ['API-16', 'rows of the largest page', 'contract/list.ts PAGE_SIZE_MAX', 1_000],

  // Store and time.
  ['SEC-57', 'ms that durability process may lose', 'store/embedded/embedded-record-store.ts SYNC_INTERVAL_MS', 100],
  ['AUD-164', 'seconds of data retention', 'store/catalog/seed.ts RETENTION_SECONDS', (720 * DAY) / SECOND],
  ['AUD-4', 'ms of a day', 'model/time.ts DAY_MS', DAY],
]

test.each(CONSTANTS)('[%s] %s: %s is %d', (_id, _what, constant, value) => {
  const [file, name] = constant.split(' ') as [string, string]
  expect(constantOf(file, name)).toBe(value)
})

describe('defaults of the configuration', () => {
  const config = loadConfig({ env: {} })
  test.each<readonly [id: string, key: string, value: unknown]>([
    ['OPS-11', 'host', '127.0.0.1'],
    ['OPS-11', 'edge.port', 8080],
    ['OPS-11', 'admin.port', 8081],
    ['OPS-21', 'dataDir', './data'],
    ['OPS-10', 'roles', ['edge', 'admin', 'delivery', 'batch']],
    ['OPS-23', 'store', 'embedded'],
    ['OPS-23', 'catalog', 'sqlite'],
    ['OPS-24', 'durability', 'process'],
    ['OPS-25', 'allowPrivateDestinations', false],
    ['OPS-27', 'clockOffsetMs', 0],
    ['SEC-01', 'edge.limits.urlBytesMax', 8 * KIB],
    ['SEC-01', 'edge.limits.headerBytesMax', 16 * KIB],
    ['SEC-01', 'edge.limits.headersMax', 100],
    ['SEC-01', 'edge.limits.cookieBytesMax', 8 * KIB],
    ['SEC-01', 'edge.limits.formBytesMax', 32 * KIB],
    ['SEC-01', 'edge.limits.bodyBytesMax', 1024 * KIB],
    ['SEC-01', 'edge.limits.parametersMax', 1_000],
    ['SEC-01', 'edge.limits.valueCharactersMax', 4 * KIB],
    ['SEC-03', 'edge.limits.headersTimeoutMs', 10 * SECOND],
    ['SEC-03', 'edge.limits.requestTimeoutMs', 30 * SECOND],
    ['SEC-03', 'edge.limits.keepAliveTimeoutMs', 5 * SECOND],
    ['SEC-03', 'edge.limits.connectionsPerAddressMax', 200],
    ['COL-113', 'edge.limits.requestsPerSecondMax', 0],
    ['COL-239', 'edge.gvlVendorId', 565],
    ['COL-141', 'edge.forwardedHeader', 'x-forwarded-for'],
    ['COL-141', 'edge.trustedProxies', []],
    ['SEC-83', 'edge.obfuscation', 'all'],
    ['SEC-08', 'edge.jsonp', true],
    ['SEC-13', 'edge.redirectAnyHost', false],
    ['SEC-13', 'edge.redirectHosts', []],
    ['SEC-18', 'edge.partitionedCookies', false],
    ['SEC-76', 'edge.acceptUnlistedCmp', false],
    ['SEC-78', 'edge.usEnforcement', false],
    ['SEC-02', 'edge.strict', false],
    ['COL-121', 'edge.forbiddenCountries', ['CU', 'IR', 'KP', 'SD', 'SY']],
    ['COL-122', 'edge.blockedCountries', []],
    ['COL-146', 'edge.denyList.enabled', true],
    ['SEC-48', 'delivery.historyDays', 30],
  ])('[%s] %s', (_id, key, value) => {
    const found = key
      .split('.')
      .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], config)
    expect(found).toEqual(value)
  })
})

test('defaults of a server-to-server destination [OPS-42~] [SEC-46] [OUT-21] [OUT-208]', () => {
  const input = { url: 'https://partner.example/in', userDpid: 77052, delivery: 'realtime' }
  const parsed = parseS2sConfig(input, { allowPrivate: false })
  expect(parsed).toMatchObject({
    ok: true,
    config: {
      protocol: 'https',
      format: 'aam-json',
      mode: 'durable',
      method: 'POST',
      usersPerMessage: 10,
      successStatuses: [200],
      auth: { type: 'none' },
      numbersAs: 'string',
      includeRegions: true,
      sendWithoutPartnerId: false,
      supportsUnsegment: true,
      onlyWhileSeen: false,
    },
  })
})

test('the waits between the ten attempts of a durable message [SEC-46]', async () => {
  const { DURABLE_WAITS_MS } = await import('../src/activation/policy.ts')
  const { BODY_STATUSES } = await import('../src/activation/destinations/reading.ts')
  expect(DURABLE_WAITS_MS).toEqual([
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
  ])
  expect(BODY_STATUSES).toEqual([400, 413, 422])
})

test('times of attempt, both modes [SEC-45] [SEC-46] [OUT-22]', async () => {
  const { DISPATCHER_LIMITS } = await import('../src/activation/dispatcher.ts')
  expect(DISPATCHER_LIMITS).toMatchObject({ compatTimeoutMs: 3 * SECOND, durableTimeoutMs: 15 * SECOND })
})

test('how many of each object may exist [AUD-300] [AUD-301] [AUD-302] [AUD-304] [AUD-305] [AUD-307~] [OUT-05~]', async () => {
  const { DEFAULT_LIMITS } = await import('../src/store/catalog/limits.ts')
  expect(DEFAULT_LIMITS).toEqual({
    traits: 100_000,
    ruleBasedTraits: 100_000,
    onboardedTraits: 100_000,
    algorithmicTraits: 50,
    traitFolders: 2_000,
    folderDepth: 5,
    segments: 20_000,
    traitsPerSegment: 5_000,
    destinations: 1_000,
    serverToServerDestinations: 100,
    dataSources: 10_000,
    segmentFolders: 2_000,
    mergeRules: 1_000,
  })
})

test('links between IDs [COL-75] [AUD-169] [OUT-17]', async () => {
  const { LINK_LIMITS } = await import('../src/identity/links.ts')
  expect(LINK_LIMITS).toEqual({ devicesPerCrossDeviceId: 100, crossDeviceIdsPerDataSource: 10, cookieIds: 1000 })
})

test('days without a visit until a profile goes [SEC-82~] [AUD-164]', async () => {
  const { DEVICE_RETENTION_DAYS, PERSON_RETENTION_DAYS } = await import('../src/model/retention.ts')
  expect([DEVICE_RETENTION_DAYS, PERSON_RETENTION_DAYS]).toEqual([120, 720])
})

/** What a constant of a source file says, in numbers; also of one that the file keeps to itself. */
function constantOf(file: string, name: string): number {
  const text = readFileSync(join(import.meta.dirname, '..', 'src', file), 'utf8')
  const constant = (wanted: string): number => {
    const said = new RegExp(`^(?:export )?const ${wanted}(?:: number)? = ([^\\n]+?)(?: //.*)?$`, 'm').exec(text)?.[1]
    if (said === undefined && wanted === 'DAY_MS') return constantOf('model/time.ts', 'DAY_MS')
    if (said === undefined) throw new Error(`src/${file} has no constant ${wanted}`)
    const inNumbers = said.replace(/[A-Z_]{2,}/g, (other) => String(constant(other))).replaceAll('_', '')
    if (!/^[\d\s.*+()/-]+$/.test(inNumbers)) throw new Error(`src/${file}: ${wanted} is no plain sum: ${said}`)
    return sumOf(inNumbers)
  }
  return constant(name)
}

/** Products and sums of plain numbers, in brackets or not. */
function sumOf(text: string): number {
  const tokens = text.match(/\d+(?:\.\d+)?|[-+*/()]/g) ?? []
  let at = 0
  const factor = (): number => {
    if (tokens[at] !== '(') return Number(tokens[at++])
    at++
    const inside = sum()
    at++
    return inside
  }
  const product = (): number => {
    let value = factor()
    while (tokens[at] === '*' || tokens[at] === '/') value = tokens[at++] === '*' ? value * factor() : value / factor()
    return value
  }
  const sum = (): number => {
    let value = product()
    while (tokens[at] === '+' || tokens[at] === '-')
      value = tokens[at++] === '+' ? value + product() : value - product()
    return value
  }
  return sum()
}
