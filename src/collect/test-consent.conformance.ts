import {
  GVL,
  PurposeRestriction,
  type RestrictionType,
  Segment,
  TCModel,
  TCString,
  type VendorList,
} from '@iabtechlabtcf/core'

/** What a test wants in a consent string; by default everything we need is granted and disclosed. */
export interface ConsentParts {
  readonly purposes?: readonly number[]
  readonly vendors?: readonly number[]
  /** Vendors of the disclosed segment; `undefined` given expressly leaves the segment out. */
  readonly disclosed?: readonly number[] | undefined
  readonly restrictions?: readonly { readonly purposeId: number; readonly type: number; readonly vendorId: number }[]
  readonly createdAtMs?: number
  readonly cmpId?: number
}

/** A consent string made by the reference library of the IAB, so that ours is not tested against itself. */
export function consentString(parts: ConsentParts): string {
  const model = new TCModel(gvl)
  model.cmpId = parts.cmpId ?? 31
  model.cmpVersion = 1
  model.consentLanguage = 'EN'
  model.vendorListVersion = 100
  model.policyVersion = 5
  model.isServiceSpecific = true
  const createdAt = new Date(parts.createdAtMs ?? Date.UTC(2026, 9, 1))
  model.created = createdAt
  model.lastUpdated = createdAt
  model.purposeConsents.set([...(parts.purposes ?? [1, 2, 10])])
  model.vendorConsents.set([...(parts.vendors ?? [565])])
  const disclosed = 'disclosed' in parts ? parts.disclosed : [565, ...(parts.vendors ?? [])]
  if (disclosed !== undefined) model.vendorsDisclosed.set([...disclosed])
  for (const { purposeId, type, vendorId } of parts.restrictions ?? []) {
    model.publisherRestrictions.add(vendorId, new PurposeRestriction(purposeId, type as RestrictionType))
  }
  const segments = disclosed === undefined ? [Segment.CORE] : [Segment.CORE, Segment.VENDORS_DISCLOSED]
  return TCString.encode(model, { version: 2, segments })
}

const VENDORS = 1300
const purposeIds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

/** A vendor list in which everybody declares every purpose, so that the library strips nothing a test asked for. */
const gvl = new GVL({
  gvlSpecificationVersion: 3,
  vendorListVersion: 100,
  tcfPolicyVersion: 5,
  lastUpdated: '2026-10-01T00:00:00Z',
  purposes: Object.fromEntries(
    purposeIds.map((id) => [id, { id, name: `purpose ${id}`, description: '', illustrations: [] }]),
  ),
  specialPurposes: {},
  features: {},
  specialFeatures: {},
  stacks: {},
  dataCategories: {},
  vendors: Object.fromEntries(
    Array.from({ length: VENDORS }, (_, i) => [
      i + 1,
      {
        id: i + 1,
        name: `vendor ${i + 1}`,
        purposes: purposeIds,
        legIntPurposes: [],
        flexiblePurposes: purposeIds,
        specialPurposes: [],
        features: [],
        specialFeatures: [],
      },
    ]),
  ),
} as unknown as VendorList)
