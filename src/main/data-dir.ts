import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { ConfigError, type UsherConfig } from '../config.ts'

/** Makes the data directory where it is missing. @throws ConfigError when this user may not write there */
export function openDataDir({ dataDir }: Pick<UsherConfig, 'dataDir'>): void {
  try {
    if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() !== true)
      mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new ConfigError([
      `dataDir (USHER_DATA_DIR, --data-dir): ${(error as Error).message}. Allowed: a folder that this user may write to`,
    ])
  }
}
