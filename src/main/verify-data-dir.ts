import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { UsherConfig } from '../config.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { type VerifyReport, verifyStore } from '../store/verify.ts'
import { openDataDir } from './data-dir.ts'

export type { VerifyReport }

/** There is nothing to check; saying that all is well would be wrong. */
class NoDataError extends Error {
  readonly code = 'no_data'
}

/** Checks a data directory that no server has open [SEC-60]. @throws StoreLockedError when one has, NoDataError */
export async function verifyDataDir(
  config: UsherConfig,
  onProgress: (done: number, total: number) => void,
): Promise<VerifyReport> {
  const folder = join(config.dataDir, 'profiles')
  if (!existsSync(folder))
    throw new NoDataError(
      `${config.dataDir} holds no data of Usher. Name the folder with --data-dir, or a running server with --url`,
    )
  // What the engine writes when it opens is as closed to others as the rest.
  openDataDir(config)
  const records = await openEmbeddedRecordStore({ folder, durability: 'process' })
  try {
    return await verifyStore(records, { onProgress })
  } finally {
    await records.close()
  }
}
