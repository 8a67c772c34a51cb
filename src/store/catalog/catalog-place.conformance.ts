import { test } from 'vitest'
import { type Catalog, type CatalogOptions, openCatalog } from './catalog.ts'
import type { DataSourceDraft } from './data-sources.ts'
import type { DestinationDraft } from './destinations.ts'
import type { CatalogEngine } from './engine.ts'
import type { Listing } from './listing.ts'
import { DEFAULT_OPTIONS } from './seed.ts'
import type { SegmentDraft } from './segment-rows.ts'
import type { TraitDraft } from './trait-rows.ts'

/** An empty database of its own. */
export interface CatalogPlace extends AsyncDisposable {
  /** A further engine over it, as a process of its own would have. */
  engine(): CatalogEngine
}

export type MakePlace = () => Promise<CatalogPlace>

export const NOW_MS = Date.UTC(2026, 10, 22)
export const MASTER_KEY = Buffer.alloc(32, 1)

export interface OpenedCatalogs {
  readonly place: CatalogPlace
  /** A catalogue over the place; closed at the end of the test if it is open then. */
  open(options?: Partial<CatalogOptions>): Promise<Catalog>
}

/** A test of what every engine holds, in a place of its own. */
export function factsOf(name: string, makePlace: MakePlace) {
  return (title: string, check: (opened: OpenedCatalogs) => Promise<void>): void =>
    test(`${name}: ${title}`, async () => {
      await using place = await makePlace()
      const opened: Catalog[] = []
      const open = async (options: Partial<CatalogOptions> = {}) => {
        const common = { masterKey: MASTER_KEY, clock: () => NOW_MS }
        const catalog = await openCatalog({ engine: place.engine(), ...common, ...options })
        opened.push(catalog)
        return catalog
      }
      try {
        await check({ place, open })
      } finally {
        for (const catalog of opened) await catalog.close()
      }
    })
}

export async function all<Item>(listing: Listing<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const some of listing.portions()) items.push(...some)
  return items
}

export function traitDraft(over: Partial<TraitDraft> = {}): TraitDraft {
  return {
    traitId: undefined,
    name: 'Shoes',
    description: undefined,
    comments: undefined,
    integrationCode: undefined,
    dataSourceId: 1_000,
    folderId: 0,
    traitType: 'RULE_BASED_TRAIT',
    traitRule: 'product == 17',
    ttlDays: 120,
    status: 'ACTIVE',
    eventTypeId: undefined,
    categoryId: undefined,
    ...over,
  }
}

export function dataSourceDraft(over: Partial<DataSourceDraft> = {}): DataSourceDraft {
  return {
    dataSourceId: undefined,
    name: 'Shop',
    description: undefined,
    integrationCode: undefined,
    idType: 'COOKIE',
    status: 'ACTIVE',
    options: DEFAULT_OPTIONS,
    ...over,
  }
}

export function segmentDraft(traitId: number, over: Partial<SegmentDraft> = {}): SegmentDraft {
  return {
    segmentId: undefined,
    name: 'Intenders',
    description: undefined,
    integrationCode: undefined,
    segmentRule: `${traitId}T`,
    traitIds: [traitId],
    dataSourceId: 1_000,
    mergeRuleId: undefined,
    folderId: 0,
    status: 'ACTIVE',
    ...over,
  }
}

export function destinationDraft(over: Partial<DestinationDraft> = {}): DestinationDraft {
  return {
    destinationId: undefined,
    name: 'Partner',
    description: undefined,
    destinationType: 'S2S',
    status: 'ACTIVE',
    vendorId: 12,
    dataSourceIds: [],
    config: { auth: { key: 'secret' } },
    ...over,
  }
}

/** Both are asked at once. @returns what each of them made, and what each was refused with */
export async function together<Made>(left: () => Promise<Made>, right: () => Promise<Made>) {
  const outcomes = await Promise.allSettled([left(), right()])
  return {
    made: outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    refused: outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
  }
}

export function mergeRuleDraft(name: string) {
  return {
    mergeRuleId: undefined,
    name,
    description: undefined,
    crossDeviceOption: 'NONE',
    deviceOption: 'DEVICE',
    crossDeviceDataSourceIds: [],
    isDefault: false,
  } as const
}
