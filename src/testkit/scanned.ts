import type { RecordStore, StoredRecord } from '../store/record-store.ts'
import type { ScanOptions } from '../store/scan.ts'

/** All records that a scan meets, in its order. */
export async function scanned(
  records: Pick<RecordStore, 'scan'>,
  kind: number,
  options?: ScanOptions,
): Promise<StoredRecord[]> {
  const found: StoredRecord[] = []
  for await (const page of records.scan(kind, options)) found.push(...page.records)
  return found
}
