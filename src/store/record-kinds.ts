/** What an engine must keep for the records of one kind. */
export interface RecordKind {
  /** Stands in the keys; stored, never change one. */
  readonly byte: number
  /** Ranges are read of it: within a partition its records lie in the order of their keys. Others are found by key, or by a scan. */
  readonly isOrdered: boolean
  /** Its records have revisions from 1 on, and a guard may name one; 0 is that there is none. Others are guarded by their bytes. */
  readonly isVersioned: boolean
}

/** Found by its key or a scan only: what a cluster keeps cheapest. */
const plain = (byte: number): RecordKind => ({ byte, isOrdered: false, isVersioned: false })
const versioned = (byte: number): RecordKind => ({ byte, isOrdered: false, isVersioned: true })
const ordered = (byte: number): RecordKind => ({ byte, isOrdered: true, isVersioned: false })

/** Every kind of record there is. */
export const RECORD_KINDS = {
  profile: versioned(0x50), // P
  /** When time alone changes a profile next. */
  due: ordered(0x54), // T
  followUp: plain(0x46), // F
  /** A destination is owed a profile. */
  outbox: ordered(0x4f), // O
  /** What a destination was last told of a profile. */
  told: ordered(0x53), // S
  optOut: versioned(0x58), // X
  openDelivery: ordered(0x4d), // M
  endedDelivery: ordered(0x48), // H
  deliveryOfProfile: ordered(0x44), // D
  quarantine: plain(0x51), // Q
  job: plain(0x4a), // J
  /** An ID that is called too often. */
  denied: plain(0x42), // B
  /** How delivery to a destination stood. */
  destinationState: plain(0x47), // G
} as const satisfies Record<string, RecordKind>

export type RecordKindName = keyof typeof RECORD_KINDS

/** The byte of each kind. */
export const Kind = Object.fromEntries(
  Object.entries(RECORD_KINDS).map(([name, { byte }]) => [name, byte]),
) as Readonly<Record<RecordKindName, number>>

const byByte = new Map<number, RecordKind>(Object.values(RECORD_KINDS).map((kind) => [kind.byte, kind]))

/** @throws RangeError for a byte that is no kind */
export function recordKind(byte: number): RecordKind {
  const kind = byByte.get(byte)
  if (kind === undefined) throw new RangeError(`0x${byte.toString(16)} is no kind of record`)
  return kind
}
