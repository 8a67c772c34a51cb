import { BitReader, BrokenBitsError } from './bit-reader.ts'

/** What a US section of a GPP string says of a visitor, as far as it decides for us [SEC-78]. */
export interface UsChoice {
  /** Opted out of sale, sharing or targeted advertising. */
  readonly isSaleDenied: boolean
  /** Some kind of sensitive data may not be processed. */
  readonly isSensitiveDenied: boolean
  /** The visitor is known to be a child, and some consent for it is missing. */
  readonly isChildDenied: boolean
}

/**
 * Where the fields of a core segment lie. Every section begins with a version of 6 bits; all that follows are fields of
 * 2 bits, in the order notices, opt-outs, sensitive data, known children, and others that do not matter here.
 */
interface Layout {
  readonly version: number
  readonly notices: number
  readonly optOuts: number
  readonly sensitive: number
  readonly children: number
}

const layout = (notices: number, optOuts: number, sensitive: number, children: number, version = 1): Layout => ({
  version,
  notices,
  optOuts,
  sensitive,
  children,
})

/** By section id. Source: IAB Global Privacy Platform, `Sections/US-National` and `Sections/US-States`. */
const layouts: ReadonlyMap<number, readonly Layout[]> = new Map([
  [7, [layout(6, 3, 12, 2, 1), layout(6, 3, 16, 3, 2)]], // national
  [8, [layout(3, 2, 9, 2)]], // California
  [9, [layout(3, 2, 8, 1)]], // Virginia
  [10, [layout(3, 2, 7, 1)]], // Colorado
  [11, [layout(4, 2, 8, 1)]], // Utah
  [12, [layout(3, 2, 8, 3)]], // Connecticut
  [13, [layout(3, 2, 8, 3)]], // Florida
  [14, [layout(3, 2, 8, 3)]], // Montana
  [15, [layout(3, 2, 11, 3)]], // Oregon
  [16, [layout(3, 2, 8, 1)]], // Texas
  [17, [layout(3, 2, 9, 5)]], // Delaware
  [18, [layout(4, 2, 8, 1)]], // Iowa
  [19, [layout(3, 2, 8, 1)]], // Nebraska
  [20, [layout(3, 2, 8, 3)]], // New Hampshire
  [21, [layout(3, 2, 10, 5)]], // New Jersey
  [22, [layout(3, 2, 8, 1)]], // Tennessee
  [23, [layout(3, 2, 8, 1)]], // Minnesota
  // These four begin with two fields of the agreement between the parties.
  [24, [layout(5, 2, 0, 0)]], // Maryland
  [25, [layout(5, 2, 0, 1)]], // Indiana
  [26, [layout(5, 2, 0, 1)]], // Kentucky
  [27, [layout(5, 2, 0, 1)]], // Rhode Island
])

/** Indiana, Kentucky, Rhode Island: the second segment is the list of sensitive data, without a type in front. */
const hasSensitiveSegment: ReadonlySet<number> = new Set([25, 26, 27])
const SENSITIVE_SEGMENT_FIELDS = 8

/** A US privacy string of its own, not encoded in bits. */
export const US_PRIVACY_SECTION = 6

const GPC_SEGMENT = 1
const SEGMENTS_MAX = 3

/** Values of a field: 0 does not apply; 1 opted out, or no consent; 2 not opted out, or consent; 3 is none. */
const DENIED = 1
const VALUE_MAX = 2

export function isUsSection(id: number): boolean {
  return id === US_PRIVACY_SECTION || layouts.has(id)
}

/** @returns undefined when the section cannot be decoded, or has a version that is not known */
export function readUsSection(id: number, text: string): UsChoice | undefined {
  if (id === US_PRIVACY_SECTION) return readUsPrivacy(text)
  const segments = text.split('.')
  if (segments.length > SEGMENTS_MAX) return undefined
  try {
    return readSegments(id, segments)
  } catch (error) {
    if (error instanceof BrokenBitsError) return undefined
    throw error
  }
}

/** `1YYN`: version, notice given, opted out of sale, covered by the agreement; the last is not looked at. */
export function readUsPrivacy(text: string): UsChoice | undefined {
  const optOut = /^1[YN-]([YN-])/i.exec(text)?.[1]
  if (optOut === undefined) return undefined
  return { isSaleDenied: optOut.toUpperCase() === 'Y', isSensitiveDenied: false, isChildDenied: false }
}

function readSegments(id: number, segments: readonly string[]): UsChoice | undefined {
  const core = new BitReader(segments[0] as string)
  const version = core.uint(6)
  const found = layouts.get(id)?.find((one) => one.version === version)
  if (found === undefined) return undefined
  core.skip(2 * found.notices)
  const optOuts = readFields(core, found.optOuts)
  const sensitive = readFields(core, found.sensitive)
  const children = readFields(core, found.children)

  let isGlobalControl = false
  for (const segment of segments.slice(1)) {
    const reader = new BitReader(segment)
    if (hasSensitiveSegment.has(id)) sensitive.push(...readFields(reader, SENSITIVE_SEGMENT_FIELDS))
    else if (reader.uint(2) === GPC_SEGMENT) isGlobalControl = reader.flag()
  }
  return {
    isSaleDenied: isGlobalControl || optOuts.includes(DENIED),
    isSensitiveDenied: sensitive.includes(DENIED),
    isChildDenied: children.includes(DENIED),
  }
}

function readFields(reader: BitReader, count: number): number[] {
  const fields: number[] = []
  for (let i = 0; i < count; i++) {
    const value = reader.uint(2)
    if (value > VALUE_MAX) throw new BrokenBitsError()
    fields.push(value)
  }
  return fields
}
