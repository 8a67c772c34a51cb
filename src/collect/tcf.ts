import { BitReader, BrokenBitsError } from './bit-reader.ts'

/**
 * The part of a TCF v2 consent string that decides for us. Source: IAB "Transparency and Consent String", version 2.2
 * and 2.3 (the disclosed vendors became mandatory).
 */
export interface ConsentString {
  readonly createdAtMs: number
  readonly cmpId: number
  /** Consent for a purpose, 1 to 24. */
  purpose(id: number): boolean
  /** Consent for a vendor of the global list. */
  vendor(id: number): boolean
  /** Whether the publisher forbids the vendor this purpose, or demands a legal basis other than consent. */
  restricts(purposeId: number, vendorId: number): boolean
  /** Undefined: the string has no such segment. */
  readonly disclosed: ((vendorId: number) => boolean) | undefined
}

/** Segments a string can have, and entries of one list; above it is broken or hostile. */
const SEGMENTS_MAX = 4
const RANGES_MAX = 4095

const DISCLOSED_VENDORS = 1
const REQUIRE_CONSENT = 1

/** @returns undefined when the string cannot be decoded, or is not of version 2 [COL-241] */
export function parseConsentString(text: string): ConsentString | undefined {
  const segments = text.split('.')
  if (segments.length > SEGMENTS_MAX) return undefined
  try {
    return readSegments(segments)
  } catch (error) {
    if (error instanceof BrokenBitsError) return undefined
    throw error
  }
}

function readSegments(segments: readonly string[]): ConsentString | undefined {
  const core = new BitReader(segments[0] as string)
  if (core.uint(6) !== 2) return undefined
  const createdAtMs = core.uint(36) * 100
  core.skip(36) // last updated
  const cmpId = core.uint(12)
  // CMP version, screen, language, vendor list version, policy version, two flags, special features
  core.skip(12 + 6 + 12 + 12 + 6 + 1 + 1 + 12)
  const purposes = core.uint(24)
  core.skip(24 + 1 + 12) // legitimate interests, purpose one treatment, publisher's country
  const vendors = readVendors(core)
  readVendors(core) // legitimate interests
  const restrictions = readRestrictions(core)

  let disclosed: VendorSet | undefined
  for (const segment of segments.slice(1)) {
    const reader = new BitReader(segment)
    if (reader.uint(3) === DISCLOSED_VENDORS) disclosed = readVendors(reader)
  }
  return {
    createdAtMs,
    cmpId,
    purpose: (id) => ((purposes >>> (24 - id)) & 1) === 1,
    vendor: (id) => contains(vendors, id),
    restricts: (purposeId, vendorId) =>
      restrictions.some(
        (restriction) => restriction.purposeId === purposeId && contains(restriction.vendors, vendorId),
      ),
    disclosed: disclosed === undefined ? undefined : (id) => contains(disclosed as VendorSet, id),
  }
}

/** Ranges of vendor ids, first and last, in pairs. */
type VendorSet = readonly number[]

function contains(ranges: VendorSet, id: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (id >= (ranges[i] as number) && id <= (ranges[i + 1] as number)) return true
  }
  return false
}

function readVendors(reader: BitReader): VendorSet {
  const maxId = reader.uint(16)
  if (reader.flag()) return readRanges(reader)
  const ranges: number[] = []
  for (let id = 1; id <= maxId; id++) {
    if (!reader.flag()) continue
    // Neighbours make one range.
    if (ranges.length > 0 && ranges.at(-1) === id - 1) ranges[ranges.length - 1] = id
    else ranges.push(id, id)
  }
  return ranges
}

function readRanges(reader: BitReader): VendorSet {
  const count = reader.uint(12)
  if (count > RANGES_MAX) throw new BrokenBitsError()
  const ranges: number[] = []
  for (let i = 0; i < count; i++) {
    const isRange = reader.flag()
    const first = reader.uint(16)
    ranges.push(first, isRange ? reader.uint(16) : first)
  }
  return ranges
}

interface Restriction {
  readonly purposeId: number
  readonly vendors: VendorSet
}

/** Those that take the purpose from a vendor that rests on consent. */
function readRestrictions(reader: BitReader): readonly Restriction[] {
  const restrictions: Restriction[] = []
  const count = reader.uint(12)
  for (let i = 0; i < count; i++) {
    const purposeId = reader.uint(6)
    const type = reader.uint(2)
    const vendors = readRanges(reader)
    if (type !== REQUIRE_CONSENT) restrictions.push({ purposeId, vendors })
  }
  return restrictions
}
