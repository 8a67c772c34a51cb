import { request } from 'undici'
import { FIRST_TRAIT } from './populate.mjs'
import { FIRST_SEGMENT, LARGE_PROFILES } from './populate-large.mjs'

const BACKGROUND_MS = 8_000
const DAY_MS = 86_400_000

/** Every kind of call that returns or handles much, and what it sets off in the background for `restMs`. */
export function callsOf({ api, edgePort }) {
  const get = (path) => ({ name: `GET ${path}`.slice(0, 50), work: () => api('GET', path) })
  const [small, large] = LARGE_PROFILES
  const longRule = FIRST_SEGMENT + 19_850
  const range = { from: new Date(0).toISOString(), to: new Date(Date.now() + DAY_MS).toISOString() }
  const traitOf = (n) => ({
    name: `saved ${n}`,
    traitType: 'RULE_BASED_TRAIT',
    traitRule: `c_saved == "${n}"`,
    dataSourceId: 1002,
    folderId: 0,
  })
  const someTraits = (count, word) => Array.from({ length: count }, (_, n) => `${FIRST_TRAIT + n}T`).join(` ${word} `)
  return [
    get('/openapi.json'),
    get('/docs'),
    get('/metrics'),
    get('/v1/overview?window=1h'),
    get('/v1/overview?window=24h'),
    get('/v1/traits'),
    get('/v1/traits?includeDetails=true'),
    get('/v1/traits?pageSize=1000&includeDetails=true'),
    get('/v1/traits?pageSize=1000&page=98'),
    get('/v1/traits?sortBy=name&descending=true'),
    get('/v1/traits?pageSize=1000&sortBy=name&page=50'),
    get('/v1/traits?search=9'),
    get('/v1/traits?search=zzz'),
    get('/v1/traits?pageSize=1000&search=product'),
    get('/v1/traits?folderId=0&pageSize=10'),
    get('/v1/traits/limits'),
    get('/v1/segments?includeInUseStatus=true'),
    get('/v1/segments'),
    get('/v1/segments?includeTraitDataSourceIds=true'),
    get('/v1/segments?pageSize=1000&page=19'),
    get('/v1/segments?pageSize=1000&page=19&sortBy=name'),
    get('/v1/segments?pageSize=1000&includeTraitDataSourceIds=true&includeInUseStatus=true'),
    get(`/v1/segments?containsTrait=${FIRST_TRAIT}`),
    get('/v1/segments?search=99999'),
    get(`/v1/segments/${longRule}?includeExprTree=true&includeTraitDataSourceIds=true`),
    get('/v1/destinations'),
    get('/v1/destinations?pageSize=1000'),
    get('/v1/destinations/1'),
    get('/v1/destinations/1?includeMappings=true'),
    get('/v1/destinations/1/mappings'),
    get('/v1/destinations/1/mappings?pageSize=1000&sortBy=elementName'),
    get('/v1/destinations/1/health'),
    get('/v1/datasources'),
    get('/v1/datasources?pageSize=1000&sortBy=name'),
    get('/v1/merge-rules'),
    get('/v1/folders/traits'),
    get('/v1/folders/segments'),
    get('/v1/dcs-regions'),
    get('/v1/search?q=9'),
    get('/v1/search?q=trait'),
    get('/v1/search?q=zzzz'),
    get('/v1/search?q=p-17'),
    get('/v1/deny-list?pageSize=1000'),
    get('/v1/deny-list?pageSize=1000&page=99'),
    get('/v1/deliveries?pageSize=1000'),
    get('/v1/deliveries?pageSize=1000&page=4'),
    get('/v1/deliveries?q=p-17'),
    get('/v1/deliveries?status=dead&pageSize=100'),
    get(`/v1/deliveries?segmentId=${FIRST_SEGMENT}&pageSize=100`),
    { name: 'GET /v1/deliveries/… of 20,000 memberships', work: () => showLargest(api) },
    { name: `GET /v1/profiles/… (${small.traits} traits)`, work: () => api('GET', `/v1/profiles/${small.id}`) },
    { name: `GET /v1/profiles/… (${large.traits} traits)`, work: () => api('GET', `/v1/profiles/${large.id}`) },
    {
      name: 'GET /v1/profiles/…/explain',
      work: () => api('GET', `/v1/profiles/${large.id}/explain?segmentId=${FIRST_SEGMENT}`),
    },
    {
      name: 'GET /v1/profiles/…/explain (1,000 traits)',
      work: () => api('GET', `/v1/profiles/${large.id}/explain?segmentId=${longRule}`),
    },
    { name: 'an event of the large profile', work: () => visit(edgePort, large.id) },
    { name: 'POST /v1/traits/validate', work: () => api('POST', '/v1/traits/validate', { code: 'c_a == "1"' }) },
    {
      name: 'POST /v1/traits/validate (1 MB)',
      work: () =>
        api(
          'POST',
          '/v1/traits/validate',
          { code: Array.from({ length: 40_000 }, (_, n) => `c_a == "${n}"`).join(' OR ') },
          [400],
        ),
    },
    {
      name: 'POST /v1/segments/validate (5,000 traits)',
      work: () => api('POST', '/v1/segments/validate', { code: someTraits(5_000, 'AND') }, [400]),
    },
    {
      name: 'POST /v1/segments/validate (1 MB)',
      work: () => api('POST', '/v1/segments/validate', { code: someTraits(80_000, 'OR') }, [400]),
    },
    {
      name: 'POST /v1/traits, new rulebook',
      work: (n) => api('POST', '/v1/traits', traitOf(n)),
      restMs: 3_000,
    },
    {
      name: 'PATCH /v1/segments/…, new rulebook, refile',
      work: (n) => api('PATCH', `/v1/segments/${FIRST_SEGMENT}`, { status: n % 2 ? 'ACTIVE' : 'INACTIVE' }),
      restMs: BACKGROUND_MS,
      repeats: 2,
    },
    {
      name: 'PATCH /v1/destinations/1, new rulebook',
      work: (n) => api('PATCH', '/v1/destinations/1', { description: String(n) }),
      restMs: 3_000,
    },
    { name: 'POST …/bulk-create of 1,000 mappings', work: () => mapMany(api), repeats: 1, restMs: 3_000 },
    { name: 'POST …/bulk-create refused (16 MB)', work: () => refuseMany(api), repeats: 2 },
    {
      name: 'POST /v1/segments/bulk-delete refused',
      work: () =>
        api(
          'POST',
          '/v1/segments/bulk-delete',
          Array.from({ length: 1_000 }, (_, n) => FIRST_SEGMENT + n),
          [409],
        ),
    },
    {
      name: 'POST /v1/deliveries/replay, dry run',
      work: () => api('POST', '/v1/deliveries/replay', { ...range, dryRun: true }),
    },
    {
      name: 'POST /v1/deliveries/replay by range',
      work: () => api('POST', '/v1/deliveries/replay', range, [429]),
      restMs: BACKGROUND_MS,
      repeats: 1,
    },
    get('/v1/deliveries/replays'),
    { name: 'GET /v1/deliveries/replays/…, 1,000 messages', work: () => showReplay(api) },
    { name: 'POST /v1/backups', work: () => api('POST', '/v1/backups'), repeats: 2 },
    {
      name: 'sweep after a day',
      work: () => api('POST', '/v1/test/clock', { advanceMs: DAY_MS }),
      restMs: BACKGROUND_MS,
      repeats: 1,
    },
    {
      name: 'sweep after 130 days',
      work: () => api('POST', '/v1/test/clock', { advanceMs: 130 * DAY_MS }),
      restMs: BACKGROUND_MS,
      repeats: 1,
    },
  ]
}

async function showLargest(api) {
  // The newest are the largest.
  const { list } = await api('GET', '/v1/deliveries?pageSize=1')
  await api('GET', `/v1/deliveries/${list[0].deliveryId}`)
}

async function showReplay(api) {
  const { list } = await api('GET', '/v1/deliveries/replays')
  await api('GET', `/v1/deliveries/replays/${list[0].replayId}?pageSize=1000`)
}

async function visit(edgePort, id) {
  const { body } = await request(`http://127.0.0.1:${edgePort}/event?d_uuid=${id}&c_k1=v1`)
  await body.dump()
}

async function mapMany(api) {
  const sids = Array.from({ length: 19_900 }, (_, n) => n).filter((n) => n % 40 !== 0)
  await api(
    'POST',
    '/v1/destinations/2/bulk-create',
    sids.slice(0, 1_000).map((n) => ({ sid: FIRST_SEGMENT + n, traitAlias: `alias-${n}`, startDate: '2026-01-01' })),
  )
}

const refuseMany = (api) =>
  api(
    'POST',
    '/v1/destinations/1/bulk-create',
    Array.from({ length: 20_000 }, (_, n) => ({
      sid: FIRST_SEGMENT + n,
      traitAlias: `alias-${n} `.repeat(20),
      startDate: '2026-01-01',
    })),
    [400, 404, 409],
  )
