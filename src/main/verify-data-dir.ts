import { join } from 'node:path'
import type { UsherConfig } from '../config.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import type { RecordStore } from '../store/record-store.ts'

export interface VerifyReport {
  readonly checked: number
  readonly problems: readonly { readonly kind: string; readonly key: string; readonly problem: string }[]
}

/** Checks a data directory that no server has open. @throws StoreLockedError when one has */
export async function verifyDataDir(
  config: UsherConfig,
  onProgress: (checked: number, total: number) => void,
): Promise<VerifyReport> {
  const records = await openEmbeddedRecordStore({ folder: join(config.dataDir, 'profiles'), durability: 'process' })
  try {
    return await verifyRecords(records, onProgress)
  } finally {
    await records.close()
  }
}

export async function verifyRecords(
  _records: RecordStore,
  _onProgress: (checked: number, total: number) => void,
): Promise<VerifyReport> {
  throw new Error('verify')
}
