import { Kind } from './record-kinds.ts'

/** Damage of a file of the store, found now or set aside earlier [SEC-60]. */
export interface Damage {
  /** Name of the file. */
  readonly file: string
  /** `log`: what was written last; `table`: what was written before; `list`: which tables there are; `optOuts`: every opt-out a second time. */
  readonly kind: 'log' | 'table' | 'list' | 'optOuts'
  /** Damaged places in it, and their bytes. */
  readonly places: number
  readonly bytes: number
  /** False: what it was could be worked out again, and nothing is lost. */
  readonly isLost: boolean
  /** How many writes of single records are lost; absent when that cannot be told. */
  readonly writes?: number
  /** What may be lost of a table; of a log it may be anything. */
  readonly ranges: readonly DamagedRange[]
  /** Where the damaged file is kept; absent while it is in use. */
  readonly setAside?: string
  /** When it was found; absent when it was found just now. */
  readonly atMs?: number
}

/** Neighbouring keys. */
export interface DamagedRange {
  readonly firstPartition: number
  readonly lastPartition: number
  /** Kinds of records, by the names of `Kind`. */
  readonly kinds: readonly string[]
}

/**
 * What lies behind `after` up to `upTo`, as keys of the store; they may be shortened.
 * @param after undefined: everything before it
 */
export function damagedRange(after: Buffer | undefined, upTo: Buffer): DamagedRange {
  const from = readPlace(after ?? Buffer.alloc(0))
  const to = readPlace(upTo)
  const isOne = from.partition === to.partition
  const kinds = Object.entries(Kind).filter(([, kind]) => !isOne || (kind >= from.kind && kind <= to.kind))
  return { firstPartition: from.partition, lastPartition: to.partition, kinds: kinds.map(([name]) => name) }
}

function readPlace(key: Buffer): { readonly partition: number; readonly kind: number } {
  return { partition: ((key[0] ?? 0) << 8) | (key[1] ?? 0), kind: key[2] ?? 0 }
}

/** Whether opt-outs may be among what is lost. */
export function mayHoldOptOuts({ kind, isLost, ranges }: Damage): boolean {
  return isLost && (kind !== 'table' || ranges.some(({ kinds }) => kinds.includes('optOut')))
}

/** Whether records of a kind in a partition may be lost by themselves: a log loses commits as a whole. */
export function mayLack({ kind, isLost, ranges }: Damage, name: string, partition: number): boolean {
  const isWithin = ({ firstPartition, lastPartition, kinds }: DamagedRange) =>
    partition >= firstPartition && partition <= lastPartition && kinds.includes(name)
  return kind === 'table' && isLost && ranges.some(isWithin)
}
