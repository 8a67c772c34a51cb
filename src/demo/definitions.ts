import type { RestClient } from '../lib/rest-client.ts'

/**
 * The first definitions of the demo workspace: a shop's traits and segments, the data source of the partner's IDs, and
 * one real-time destination. Made through the REST API like anybody's, and found again on the next start.
 */
export interface DemoDefinitions {
  /** Segment names by id, for reading messages aloud. */
  readonly segmentNames: ReadonlyMap<string, string>
  readonly destinationId: number
}

/** Data source of the partner's visitor IDs; the number that ID-sync calls name. */
export const PARTNER_DATA_SOURCE = 77052

const SHOP = { integrationCode: 'demo_shop', name: 'Demo shop' }
const PARTNER = {
  dataSourceId: PARTNER_DATA_SOURCE,
  integrationCode: 'demo_partner',
  name: 'Demo partner IDs',
  idType: 'COOKIE',
}
const DESTINATION = 'Demo partner'

const TRAITS = {
  shoes: { name: 'Looked at shoes', traitRule: 'c_category == "shoes"' },
  tents: { name: 'Looked at tents', traitRule: 'c_category == "tents"' },
  basket: { name: 'Filled the basket', traitRule: 'c_event == "basket"' },
  order: { name: 'Placed an order', traitRule: 'c_event == "order"' },
} as const
type TraitName = keyof typeof TRAITS

/** `{shoes}` stands for the id of that trait. */
const SEGMENTS = {
  demo_shoe_lovers: { name: 'Shoe Lovers', segmentRule: 'FREQUENCY([{shoes}T]<=7D)>=2' },
  demo_campers: { name: 'Campers', segmentRule: '{tents}T' },
  demo_basket: { name: 'Basket Leavers', segmentRule: '{basket}T AND NOT {order}T' },
  demo_customers: { name: 'Customers', segmentRule: '{order}T' },
} as const

export async function ensureDefinitions(
  api: RestClient,
  partner: { readonly url: string; readonly key: string },
): Promise<DemoDefinitions> {
  const shop = await ensureDataSource(api, SHOP)
  await ensureDataSource(api, PARTNER)
  const traitIds = new Map<TraitName, number>()
  for (const [name, trait] of Object.entries(TRAITS) as [TraitName, (typeof TRAITS)[TraitName]][]) {
    const draft = {
      ...trait,
      traitType: 'RULE_BASED_TRAIT',
      dataSourceId: shop,
      folderId: 0,
      integrationCode: `demo_${name}`,
    }
    traitIds.set(name, await ensureByCode(api, '/v1/traits', draft))
  }
  const segmentNames = new Map<string, string>()
  for (const [integrationCode, segment] of Object.entries(SEGMENTS)) {
    const segmentRule = segment.segmentRule.replace(/\{(\w+)\}/g, (_, name: TraitName) => String(traitIds.get(name)))
    const draft = { name: segment.name, segmentRule, dataSourceId: shop, folderId: 0, integrationCode }
    segmentNames.set(String(await ensureByCode(api, '/v1/segments', draft)), segment.name)
  }
  const destinationId = await ensureDestination(api, partner)
  await ensureMappings(api, destinationId, [...segmentNames.keys()].map(Number))
  return { segmentNames, destinationId }
}

async function ensureDataSource(api: RestClient, draft: { readonly integrationCode: string }): Promise<number> {
  const all = asRecords(await api.get('/v1/datasources/'))
  const found = all.find((one) => one['integrationCode'] === draft.integrationCode)
  return numberOf(found ?? (await api.post('/v1/datasources/', draft)), 'dataSourceId')
}

async function ensureByCode(
  api: RestClient,
  path: string,
  draft: { readonly integrationCode: string },
): Promise<number> {
  const all = asRecords(await api.get(`${path}/?includeDetails=true`))
  const found = all.find((one) => one['integrationCode'] === draft.integrationCode)
  return numberOf(found ?? (await api.post(`${path}/`, draft)), 'sid')
}

async function ensureDestination(
  api: RestClient,
  { url, key }: { readonly url: string; readonly key: string },
): Promise<number> {
  const all = asRecords(await api.get('/v1/destinations'))
  const found = all.find((one) => one['name'] === DESTINATION)
  const auth = { type: 'hmac', header: 'X-Signature', algorithm: 'sha256', keys: [{ key }] }
  const s2s = {
    protocol: 'https',
    delivery: 'realtime',
    format: 'aam-json',
    mode: 'durable',
    url,
    userDpid: PARTNER_DATA_SOURCE,
    clientId: 'demo',
    auth,
  }
  if (found === undefined) {
    return numberOf(
      await api.post('/v1/destinations', { name: DESTINATION, destinationType: 'S2S', s2s }),
      'destinationId',
    )
  }
  const destinationId = numberOf(found, 'destinationId')
  // The sandbox may have moved to another port since.
  const stored = (await api.get(`/v1/destinations/${destinationId}`)) as { s2s?: { url?: string } }
  if (stored.s2s?.url !== url) await api.put(`/v1/destinations/${destinationId}`, { ...stored, s2s })
  return destinationId
}

async function ensureMappings(api: RestClient, destinationId: number, sids: readonly number[]): Promise<void> {
  const mapped = new Set(
    asRecords(await api.get(`/v1/destinations/${destinationId}/mappings`)).map((one) => one['sid']),
  )
  for (const sid of sids.filter((one) => !mapped.has(one))) {
    await api.post(`/v1/destinations/${destinationId}/mappings/`, {
      sid,
      traitType: 'SEGMENT',
      traitAlias: String(sid),
    })
  }
}

function asRecords(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : []
}

function numberOf(value: unknown, member: string): number {
  const found = (value as Record<string, unknown>)[member]
  if (typeof found !== 'number') throw new TypeError(`the API answered without ${member}`)
  return found
}
