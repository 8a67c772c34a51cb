import { PARTITIONS } from '../model/partition.ts'
import { afterPrefix, keyAfter, partitionOfKey, startKey } from './keys.ts'
import type { RecordStore, StoredRecord } from './record-store.ts'

export interface ScanOptions {
  /** Partitions from `from` up to, but not including, `to`; all of them by default. */
  readonly from?: number
  readonly to?: number
  /** Only keys that go on like this behind their kind; of an ordered kind. */
  readonly prefix?: Buffer
  /** Records of a page, at most. */
  readonly pageSize?: number
  /** Records of a partition, at most; all of them by default. */
  readonly limitEach?: number
}

/** Some records of one partition; never empty. */
export interface ScanPage {
  readonly partition: number
  readonly records: readonly StoredRecord[]
}

/** An engine that keeps every kind in the order of its keys. */
interface OrderedEngine {
  /** The first record of a kind in each partition that has one, ascending. */
  heads(kind: number): Promise<readonly StoredRecord[]>
  /** As of the store, of any kind. */
  range: RecordStore['range']
}

const PAGE_SIZE = 500
const NOTHING = Buffer.alloc(0)

/** `RecordStore.scan` for such an engine: jumps from one partition that has records of the kind to the next. */
export async function* scanInOrder(
  engine: OrderedEngine,
  kind: number,
  { from = 0, to = PARTITIONS, prefix = NOTHING, pageSize = PAGE_SIZE, limitEach = Infinity }: ScanOptions = {},
): AsyncGenerator<ScanPage> {
  const heads = to - from === 1 ? undefined : await engine.heads(kind)
  const partitions = heads?.map(({ key }) => partitionOfKey(key)) ?? [from]
  for (const [at, partition] of partitions.entries()) {
    if (partition < from || partition >= to) continue
    if (heads !== undefined && limitEach === 1 && prefix.length === 0) {
      yield { partition, records: heads.slice(at, at + 1) }
      continue
    }
    const start = Buffer.concat([startKey(partition, kind, 0), prefix])
    const end = afterPrefix(start)
    let next: Buffer = start
    for (let left = limitEach; left > 0; ) {
      const limit = Math.min(pageSize, left)
      const records = await engine.range(next, end, { limit })
      if (records.length > 0) yield { partition, records }
      if (records.length < limit) break
      left -= records.length
      next = keyAfter((records.at(-1) as StoredRecord).key)
    }
  }
}
