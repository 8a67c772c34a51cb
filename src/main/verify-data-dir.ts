import { join } from 'node:path'
import type { UsherConfig } from '../config.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { type VerifyReport, verifyStore } from '../store/verify.ts'

export type { VerifyReport }

/** Checks a data directory that no server has open [SEC-60]. @throws StoreLockedError when one has */
export async function verifyDataDir(
  config: UsherConfig,
  onProgress: (done: number, total: number) => void,
): Promise<VerifyReport> {
  const records = await openEmbeddedRecordStore({ folder: join(config.dataDir, 'profiles'), durability: 'process' })
  try {
    return await verifyStore(records, { onProgress })
  } finally {
    await records.close()
  }
}
