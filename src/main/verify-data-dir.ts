import { existsSync } from 'node:fs'
import type { UsherConfig } from '../config.ts'
import { createClock } from '../lib/clock.ts'
import { keyCheck, readKey } from '../lib/secret-files.ts'
import { checkCatalog } from '../store/catalog/sqlite/check-catalog.ts'
import type { Damage } from '../store/damage.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { repairFolder } from '../store/embedded/repair-folder.ts'
import { SetAside } from '../store/embedded/set-aside.ts'
import { type VerifyReport, verifyStore } from '../store/verify.ts'
import { findKeyProblems, findSecretProblems } from './checked-keys.ts'
import { openDataDir, optOutListOf } from './data-dir.ts'
import { catalogFileOf } from './layout.ts'
import { storePaths } from './stores.ts'

export type { VerifyReport }

/** What a repair found and did. */
export interface RepairReport {
  /** Damaged files: of this repair, and set aside since the last one. They are kept, and no longer shown. */
  readonly damage: readonly Damage[]
  /** What was wrong with records before. */
  readonly repaired: VerifyReport['findings']
  /** The check afterwards. */
  readonly report: VerifyReport
}

/** There is nothing to check; saying that all is well would be wrong. */
export class NoDataError extends Error {
  readonly code = 'no_data'
  constructor(dataDir: string) {
    super(`${dataDir} holds no data of Usher. Name the folder with --data-dir, or a running server with --url`)
  }
}

type OnProgress = (done: number, total: number) => void

/** Checks a data directory that no server has open [SEC-60]. @throws StoreLockedError when one has, NoDataError */
export async function verifyDataDir(config: UsherConfig, onProgress: OnProgress): Promise<VerifyReport> {
  return withStore(config, (records) =>
    verifyStore(records, {
      onProgress,
      checkFiles: (onFile) => records.checkFiles(onFile),
      ...checksOf(config),
    }),
  )
}

/**
 * Repairs a data directory that no server has open: sets damaged files and records aside, goes on with what is readable, and
 * puts references right [SEC-60]. @throws as `verifyDataDir`
 */
export async function repairDataDir(config: UsherConfig, onProgress: OnProgress): Promise<RepairReport> {
  const { folder, asideFolder } = pathsOf(config)
  const aside = new SetAside(asideFolder, createClock(0).now)
  await repairFolder(folder, aside, onProgress)
  return withStore(config, async (records) => {
    const { findings } = await verifyStore(records, { onProgress, repairs: true })
    const report = await verifyStore(records, { onProgress, ...checksOf(config) })
    await aside.settle()
    return { damage: records.damage(), repaired: findings, report }
  })
}

function checksOf(config: UsherConfig) {
  return {
    checkCatalog: () => checkCatalog(catalogFileOf(config.dataDir)),
    checkKeys: () => findSecretProblems(config),
  }
}

function pathsOf(config: UsherConfig): ReturnType<typeof storePaths> {
  const paths = storePaths(config)
  if (existsSync(paths.folder)) return paths
  throw new NoDataError(config.dataDir)
}

type OpenStore = Awaited<ReturnType<typeof openEmbeddedRecordStore>>

async function withStore<Value>(config: UsherConfig, use: (records: OpenStore) => Promise<Value>): Promise<Value> {
  const paths = pathsOf(config)
  // What the engine writes when it opens is as closed to others as the rest.
  openDataDir(config)
  const nowMs = createClock(0).now
  // Without its key nothing tells whether a list that was put elsewhere is ours.
  const isSound = findKeyProblems(config).length === 0
  const list = isSound
    ? { optOutKeyCheck: keyCheck(readKey(config.dataDir, 'optout.key'), 'optout.key') }
    : { optOutList: optOutListOf({ ...config, optOuts: {} }) }
  const records = await openEmbeddedRecordStore({ ...paths, ...list, durability: 'process', nowMs })
  try {
    return await use(records)
  } finally {
    await records.close()
  }
}
