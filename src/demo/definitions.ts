import { setTimeout as sleep } from 'node:timers/promises'
import { ApiRefusalError, type RestClient } from '../lib/rest-client.ts'
import type { NamesById } from './shop/shop.ts'

/**
 * The first definitions of the demo workspace: a shop's traits and segments, the data source of the partner's IDs, and
 * one real-time destination. Made through the REST API like anybody's, and found again on the next start by their codes and
 * ids: what was changed stays changed, what is missing is made again.
 */
export interface DemoDefinitions {
  /** By id, with a word on each for people. */
  readonly traits: NamesById
  readonly segments: NamesById
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
/** By this it is found again, whatever it is called by then; out of the way of ids that are given in sequence. */
const DESTINATION_ID = PARTNER_DATA_SOURCE

const TRAITS = {
  shoes: { name: 'Looked at shoes', traitRule: 'c_category == "shoes"' },
  tents: { name: 'Looked at tents', traitRule: 'c_category == "tents"' },
  look: { name: 'Looked at a product', traitRule: 'c_page == "product"' },
  basket: { name: 'Filled the basket', traitRule: 'c_event == "basket"' },
  order: { name: 'Placed an order', traitRule: 'c_event == "order"' },
} as const
type TraitName = keyof typeof TRAITS

/** `{shoes}` stands for the id of that trait. */
const SEGMENTS = {
  demo_shoe_lovers: {
    name: 'Shoe Lovers',
    segmentRule: 'FREQUENCY([{shoes}T]<=7D)>=2',
    why: 'two looks at shoes within 7 days',
  },
  demo_campers: { name: 'Campers', segmentRule: '{tents}T', why: 'a look at tents' },
  demo_basket: {
    name: 'Basket Leavers',
    segmentRule: '{basket}T AND NOT {order}T',
    why: 'a filled basket and no order',
  },
  demo_customers: { name: 'Customers', segmentRule: '{order}T', why: 'an order' },
  // Nobody needs to come back for this one to end: time alone does it.
  demo_today: {
    name: 'Here Today',
    segmentRule: 'FREQUENCY([{look}T]<=1D)>=1',
    why: 'a look at any product, today or yesterday; time ends it without a visit',
  },
  demo_prospects: {
    name: 'Hot Prospects',
    segmentRule: 'FREQUENCY([{look}T]<=7D)>=3 AND NOT {order}T',
    why: 'three looks at products within 7 days and no order',
  },
  demo_regulars: {
    name: 'Regular Customers',
    segmentRule: 'FREQUENCY([{order}T]<=30D)>=2',
    why: 'two orders within 30 days',
  },
} as const

export async function ensureDefinitions(
  api: RestClient,
  partner: { readonly url: string; readonly syncUrl: string; readonly key: string },
): Promise<DemoDefinitions> {
  const shop = await ensureDataSource(api, SHOP)
  await ensureDataSource(api, { ...PARTNER, idSync: { url: partner.syncUrl, tag: 'img', syncOnPage: true } })
  const traitIds = new Map<TraitName, number>()
  const traits: Record<string, NamesById[string]> = {}
  for (const [name, trait] of Object.entries(TRAITS) as [TraitName, (typeof TRAITS)[TraitName]][]) {
    const draft = {
      ...trait,
      traitType: 'RULE_BASED_TRAIT',
      dataSourceId: shop,
      folderId: 0,
      integrationCode: `demo_${name}`,
    }
    const sid = await ensureByCode(api, '/v1/traits', draft)
    traitIds.set(name, sid)
    traits[sid] = { name: trait.name, why: trait.traitRule }
  }
  const segments: Record<string, NamesById[string]> = {}
  for (const [integrationCode, { name, segmentRule: rule, why }] of Object.entries(SEGMENTS)) {
    const segmentRule = rule.replace(/\{(\w+)\}/g, (_, trait: TraitName) => String(traitIds.get(trait)))
    const draft = { name, segmentRule, description: why, dataSourceId: shop, folderId: 0, integrationCode }
    segments[await ensureByCode(api, '/v1/segments', draft)] = { name, why }
  }
  const destinationId = await ensureDestination(api, partner)
  await ensureMappings(api, destinationId, Object.keys(segments).map(Number))
  return { traits, segments, destinationId }
}

/** An ID sync that another port gave it is brought up to date, and nothing else of it. */
async function ensureDataSource(
  api: RestClient,
  draft: {
    readonly integrationCode: string
    readonly idSync?: { readonly url: string; readonly tag: string; readonly syncOnPage: boolean }
  },
): Promise<number> {
  const all = asRecords(await api.get('/v1/datasources/'))
  const found = all.find((one) => one['integrationCode'] === draft.integrationCode)
  const id = numberOf(found ?? (await createDataSource(api, draft)), 'dataSourceId')
  const known = (found?.['idSync'] as { url?: string } | null | undefined)?.url
  if (found !== undefined && draft.idSync !== undefined && known !== draft.idSync.url)
    await api.put(`/v1/datasources/${id}`, { ...found, idSync: draft.idSync })
  return id
}

/** Somebody may just have deleted it: its id is free again once profiles hold nothing of it. */
const LEAVING_TRIES_MAX = 120
const LEAVING_PAUSE_MS = 250

async function createDataSource(api: RestClient, draft: object): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    try {
      return await api.post('/v1/datasources/', draft)
    } catch (error) {
      const isLeaving = error instanceof ApiRefusalError && error.code === 'id_leaving'
      if (!isLeaving || tries === LEAVING_TRIES_MAX) throw error
      await sleep(LEAVING_PAUSE_MS)
    }
  }
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
  const found = all.find((one) => one['destinationId'] === DESTINATION_ID)
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
      await api.post('/v1/destinations', {
        destinationId: DESTINATION_ID,
        name: 'Demo partner',
        destinationType: 'S2S',
        s2s,
      }),
      'destinationId',
    )
  }
  // The sandbox may have moved to another port since.
  const stored = (await api.get(`/v1/destinations/${DESTINATION_ID}`)) as { s2s?: { url?: string } }
  if (stored.s2s?.url !== url)
    await api.put(`/v1/destinations/${DESTINATION_ID}`, { ...stored, s2s: { ...stored.s2s, url, auth } })
  return DESTINATION_ID
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
