import { createSign, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consentString } from '../../src/collect/test-consent.conformance.ts'
import {
  defaultOutcome,
  form,
  NOW_MS,
  startTestEdge,
  type TestEdge,
  type TestSetup,
} from '../../src/collect/test-edge.conformance.ts'
import { loadConfig } from '../../src/config.ts'
import { silentLog } from '../../src/lib/log.ts'
import { edgeConfigOf } from '../../src/main/edge-config.ts'
import { openPlaces } from '../../src/main/places.ts'
import { makeMmdb } from '../../src/testkit/make-mmdb.ts'
import { acts, type Check, pair, shown } from './check.ts'

/** Keys of the edge: each is set by its variable, goes the way of the server into the edge, and a real call shows it. */
type Env = Readonly<Record<string, string>>
type Observe = (edge: TestEdge) => Promise<unknown>

async function withEdge(env: Env, observe: Observe, setup: TestSetup = {}): Promise<unknown> {
  const config = loadConfig({ env })
  const places = await openPlaces(config.edge, silentLog)
  await using edge = await startTestEdge({ ...setup, config: edgeConfigOf(config, undefined, places) })
  // Awaited here: the edge ends with this function.
  return await observe(edge)
}

/** @param name of the variable, behind `USHER_`; `others` hold in both cases */
function see(
  name: string,
  values: readonly [string, string],
  observe: Observe,
  others: Env = {},
  setup?: () => TestSetup,
): Check {
  return acts(() => pair(values, (value) => withEdge({ ...others, [`USHER_${name}`]: value }, observe, setup?.())))
}

const folder = mkdtempSync(join(tmpdir(), 'usher-settings-'))
const file = (name: string, content: string | Buffer) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const imsKey = file('ims.pem', publicKey.export({ type: 'spki', format: 'pem' }) as string)
const cmpList = file('cmps.json', JSON.stringify({ lastUpdated: '2026-11-01T00:00:00Z', cmps: { 2: { id: 2 } } }))
const bonn = file('places.mmdb', makeMmdb({ '203.0.113.0/24': { country: { iso_code: 'DE' } } }))
const PROXY: Env = { USHER_EDGE_TRUSTED_PROXIES: '127.0.0.1' }

function bearer(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { client_id: 'target', created_at: String(NOW_MS - 1_000), expires_in: '86400000' }
  const signed = `${encode({ alg: 'RS256' })}.${encode(claims)}`
  return `Bearer ${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url')}`
}

const codes =
  (target: string, headers: Record<string, string> = {}): Observe =>
  async (edge) =>
    (await edge.call(target, { headers })).codes()
const status =
  (target: string, headers: Record<string, string> = {}): Observe =>
  async (edge) =>
    (await edge.call(target, { headers })).status
const from = (address: string, target = '/event?a=1') => codes(target, { 'x-forwarded-for': address })
const addressSeen =
  (header: string): Observe =>
  async (edge) => {
    await edge.call('/event?a=1', { headers: { [header]: '81.2.69.142' } })
    return edge.calls[0]?.signals.first('h_ip')
  }
const posted: Observe = async (edge) => {
  const reply = await edge.call('/event', form(`c_text=${'x'.repeat(50)}`))
  return [reply.status, reply.codes()]
}
const consent = `/event?gdpr=1&gdpr_consent=${consentString({ cmpId: 31 })}`
const often =
  (target: string): Observe =>
  async (edge) => {
    for (let i = 0; i < 3; i++) await edge.call(target)
    return (await edge.call(target)).codes()
  }
const device = often('/event?d_uuid=12345678901234567890123456789012345678')
const person = often('/event?d_cid=123%01anna')

/** Is another connection taken while one is open? */
const connected: Observe = async (edge) => {
  const held = edge.raw('GET', 1_000)
  const answer = await edge.raw('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 10_000)
  await held
  return answer.slice(0, 12)
}

/** What comes back to a client that stops in the middle; one that is left alone is given up soon. */
const stopsAfter = (bytes: string, env: Env, values: readonly [string, string], name: string): Check =>
  acts(() =>
    pair(values, (value) =>
      withEdge({ ...env, [`USHER_${name}`]: value }, async (edge) =>
        (await edge.raw(bytes, value === values[0] ? 20_000 : 200)).slice(0, 12),
      ),
    ),
  )

/** The first call does not end; is a second one worked on? */
const secondCall: Observe = async (edge) => {
  const first = edge.call('/event?d_rtbd=json')
  while (edge.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  const second = await edge.call('/event?d_rtbd=json')
  release()
  await first
  return second.status
}
let release: () => void = () => undefined
const hanging = (): TestSetup => {
  let count = 0
  return {
    process: (call) =>
      count++ > 0
        ? defaultOutcome(call)
        : new Promise((resolve) => {
            release = () => resolve(defaultOutcome(call))
          }),
  }
}

export const edgeChecks: Readonly<Record<string, Check>> = {
  collectionDomain: see(
    'COLLECTION_DOMAIN',
    ['example.com', 'b.example.com'],
    async (edge) => (await edge.call('/event?a=1', { headers: { host: 'a.b.example.com' } })).cookies,
  ),
  'edge.nodeName': see('EDGE_NODE_NAME', ['a', 'b'], async (edge) => (await edge.call('/event?a=1')).headers['dcs']),
  'edge.region': see(
    'EDGE_REGION',
    ['6', '7'],
    async (edge) => (await edge.call('/event?d_rtbd=json')).json()['dcs_region'],
  ),
  'edge.aliases': see('EDGE_ALIASES', ['', 'other'], codes('/event?a=1')),
  'edge.organizations': see('EDGE_ORGANIZATIONS', ['', 'A@AdobeOrg'], codes('/event?d_orgid=B@AdobeOrg')),
  'edge.systemHosts': see('EDGE_SYSTEM_HOSTS', ['', 'yourcompany'], codes('/event?d_orgid=B@AdobeOrg'), {
    USHER_EDGE_ALIASES: 'other',
  }),
  'edge.trustedProxies': see('EDGE_TRUSTED_PROXIES', ['', '127.0.0.1'], addressSeen('x-forwarded-for')),
  'edge.callers': see('EDGE_CALLERS', ['', '127.0.0.1'], addressSeen('x-forwarded-for')),
  'edge.forwardedHeader': see(
    'EDGE_FORWARDED_HEADER',
    ['x-forwarded-for', 'x-real-ip'],
    addressSeen('x-real-ip'),
    PROXY,
  ),
  'edge.obfuscation': see('EDGE_OBFUSCATION', ['all', 'none'], addressSeen('x-forwarded-for'), PROXY),
  'edge.corsOrigins': see('EDGE_CORS_ORIGINS', ['', 'https://a.example'], async (edge) => {
    const { headers } = await edge.call('/event?d_rtbd=json', { headers: { origin: 'https://b.example' } })
    return headers['access-control-allow-origin']
  }),
  'edge.refererHosts': see(
    'EDGE_REFERER_HOSTS',
    ['', 'a.example'],
    codes('/event?a=1', { referer: 'https://b.example/' }),
  ),
  'edge.redirectHosts': see(
    'EDGE_REDIRECT_HOSTS',
    ['', 'a.example'],
    status('/ibs:dpid=1&dpuuid=x&redir=https%3A%2F%2Fa.example%2F'),
  ),
  'edge.redirectAnyHost': see(
    'EDGE_REDIRECT_ANY_HOST',
    ['0', '1'],
    status('/ibs:dpid=1&dpuuid=x&redir=https%3A%2F%2Fa.example%2F'),
  ),
  'edge.jsonp': see('EDGE_JSONP', ['0', '1'], async (edge) =>
    (await edge.call('/event?d_rtbd=json&d_cb=f')).text.startsWith('f('),
  ),
  'edge.strict': see('EDGE_STRICT', ['0', '1'], status('/event?a=%zz')),
  'edge.cookieCheck': see('EDGE_COOKIE_CHECK', ['0', '1'], status('/event?a=1')),
  'edge.optOutTools': see('EDGE_OPT_OUT_TOOLS', ['', 'https://t.example/%token%'], status('/demoptout/token')),
  'edge.imsKeys': see('EDGE_IMS_KEYS', ['', imsKey], codes('/event?a=1', { authorization: 'Bearer x' })),
  'edge.imsClients': see(
    'EDGE_IMS_CLIENTS',
    ['', 'other'],
    (edge) => codes('/event?a=1', { authorization: bearer() })(edge),
    {
      USHER_EDGE_IMS_KEYS: imsKey,
    },
  ),
  'edge.partitionedCookies': see(
    'EDGE_PARTITIONED_COOKIES',
    ['0', '1'],
    async (edge) =>
      (await edge.call('/event?a=1', { headers: { 'x-forwarded-proto': 'https' } })).cookies
        .join()
        .includes('Partitioned'),
    PROXY,
  ),
  'edge.mayUseCts': see('EDGE_MAY_USE_CTS', ['0', '1'], async (edge) => {
    await edge.call('/event?d_rtbd=json&d_cts=1')
    return edge.calls[0]?.wantsMemberships
  }),
  'edge.gvlVendorId': see('EDGE_GVL_VENDOR_ID', ['565', '2'], codes(consent)),
  'edge.cmpListFile': acts(() =>
    pair([{}, { USHER_EDGE_CMP_LIST_FILE: cmpList }], (env) => withEdge(env as Env, codes(consent))),
  ),
  'edge.acceptUnlistedCmp': see('EDGE_ACCEPT_UNLISTED_CMP', ['0', '1'], codes(consent), {
    USHER_EDGE_CMP_LIST_FILE: cmpList,
  }),
  'edge.usEnforcement': see('EDGE_US_ENFORCEMENT', ['0', '1'], async (edge) => {
    await edge.call('/event?gpp=broken&gpp_sid=7')
    return edge.calls[0]?.consent.syncDenied
  }),
  'edge.forbiddenCountries': see('EDGE_FORBIDDEN_COUNTRIES', ['KP', 'DE'], from('175.45.176.1'), PROXY),
  'edge.blockedCountries': see('EDGE_BLOCKED_COUNTRIES', ['', 'UK'], from('81.2.69.142'), PROXY),
  'edge.onlyCountries': see('EDGE_ONLY_COUNTRIES', ['', 'US'], from('81.2.69.142'), PROXY),
  'edge.geoFile': acts(() =>
    pair([PROXY, { ...PROXY, USHER_EDGE_GEO_FILE: bonn }], (env) =>
      withEdge(env, async (edge) => {
        await edge.call('/event?a=1', { headers: { 'x-forwarded-for': '203.0.113.9' } })
        return edge.calls[0]?.signals.all('d_country')
      }),
    ),
  ),
  'edge.limits.urlBytesMax': see('EDGE_LIMITS_URL_BYTES_MAX', ['100', '8192'], status(`/event?a=${'x'.repeat(200)}`)),
  'edge.limits.headerBytesMax': see(
    'EDGE_LIMITS_HEADER_BYTES_MAX',
    ['200', '16384'],
    status('/event?a=1', { 'x-long': 'x'.repeat(300) }),
  ),
  'edge.limits.headersMax': see(
    'EDGE_LIMITS_HEADERS_MAX',
    ['3', '100'],
    status('/event?a=1', { 'x-a': '1', 'x-b': '1', 'x-c': '1' }),
  ),
  'edge.limits.cookieBytesMax': see(
    'EDGE_LIMITS_COOKIE_BYTES_MAX',
    ['10', '8192'],
    status('/event?a=1', { cookie: `a=${'x'.repeat(50)}` }),
  ),
  'edge.limits.formBytesMax': see('EDGE_LIMITS_FORM_BYTES_MAX', ['10', '32768'], posted),
  'edge.limits.bodyBytesMax': see('EDGE_LIMITS_BODY_BYTES_MAX', ['20', '1048576'], posted),
  'edge.limits.parametersMax': see('EDGE_LIMITS_PARAMETERS_MAX', ['1', '1000'], async (edge) => {
    await edge.call('/event?c_a=1&c_b=2')
    return edge.calls[0]?.signals.has('c_b')
  }),
  'edge.limits.valueCharactersMax': see('EDGE_LIMITS_VALUE_CHARACTERS_MAX', ['3', '4096'], async (edge) => {
    await edge.call('/event?c_a=12345')
    return edge.calls[0]?.signals.first('c_a')
  }),
  'edge.limits.connectionsMax': see('EDGE_LIMITS_CONNECTIONS_MAX', ['1', '20000'], connected, {
    ...PROXY,
    USHER_EDGE_LIMITS_CONNECTIONS_PER_ADDRESS_MAX: '1',
  }),
  'edge.limits.connectionsPerAddressMax': see('EDGE_LIMITS_CONNECTIONS_PER_ADDRESS_MAX', ['1', '200'], connected),
  'edge.limits.headersTimeoutMs': stopsAfter(
    'GET / HTTP/1.1\r\n',
    {},
    ['1', '30000'],
    'EDGE_LIMITS_HEADERS_TIMEOUT_MS',
  ),
  'edge.limits.requestTimeoutMs': stopsAfter(
    'POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n',
    { USHER_EDGE_LIMITS_HEADERS_TIMEOUT_MS: '1000' },
    ['1000', '600000'],
    'EDGE_LIMITS_REQUEST_TIMEOUT_MS',
  ),
  'edge.limits.keepAliveTimeoutMs': see(
    'EDGE_LIMITS_KEEP_ALIVE_TIMEOUT_MS',
    ['7000', '9000'],
    async (edge) => /keep-alive: (.*)/i.exec(await edge.raw('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 300))?.[1],
  ),
  'edge.limits.inFlightMax': see('EDGE_LIMITS_IN_FLIGHT_MAX', ['1', '10000'], secondCall, {}, hanging),
  'edge.limits.requestsPerSecondMax': see('EDGE_LIMITS_REQUESTS_PER_SECOND_MAX', ['1', '0'], async (edge) => {
    await edge.call('/event?a=1')
    return (await edge.call('/event?a=1')).status
  }),
  'edge.denyList.enabled': see('EDGE_DENY_LIST_ENABLED', ['0', '1'], device, {
    USHER_EDGE_DENY_LIST_DEVICE_CALLS_PER_MINUTE: '1',
  }),
  'edge.denyList.deviceCallsPerMinute': see('EDGE_DENY_LIST_DEVICE_CALLS_PER_MINUTE', ['1', '120'], device),
  'edge.denyList.deviceCallsPerDay': see('EDGE_DENY_LIST_DEVICE_CALLS_PER_DAY', ['1', '5000'], device),
  'edge.denyList.personCallsPerMinute': see('EDGE_DENY_LIST_PERSON_CALLS_PER_MINUTE', ['1', '300'], person),
  'edge.denyList.personCallsPerDay': see('EDGE_DENY_LIST_PERSON_CALLS_PER_DAY', ['1', '10000'], person),
  'edge.denyList.dataSourceIds': see('EDGE_DENY_LIST_DATA_SOURCE_IDS', ['', '123'], codes('/event?d_cid=123%01anna')),
  'edge.denyList.mayClear': shown('src/main.test.ts', 'and let through again where that is allowed'),
}
