import type { UsherConfig } from '../config.ts'
import {
  KEY_NAMES,
  type KeyName,
  keyCheck,
  openSecretFiles,
  otherKeyError,
  readAdminToken,
  readKey,
  SecretFileError,
  type SecretFiles,
} from '../lib/secret-files.ts'
import type { StoredKeyChecks } from '../store/catalog/key-checks.ts'
import { readKeyChecks } from '../store/catalog/sqlite/read-key-checks.ts'
import { catalogFileOf, isEmptyFile, isInUse } from './layout.ts'

type KeyConfig = Pick<UsherConfig, 'dataDir' | 'masterKey'>

/**
 * The keys of a data directory, each of them the one that the data was written with [SEC-62], [SEC-79]: under another,
 * opted-out people would be followed without a word.
 * @throws SecretFileError
 */
export function openCheckedKeys(config: KeyConfig): SecretFiles {
  const secrets = openSecretFiles(config.dataDir, { masterKey: config.masterKey, inUse: isInUse(config.dataDir) })
  const stored = storedChecks(config.dataDir)
  const keys = { 'master.key': secrets.masterKey, 'optout.key': secrets.optOutKey, 'ecid.key': secrets.ecidKey }
  for (const name of KEY_NAMES) mustBeTheSame(keys[name], name, config, stored)
  return secrets
}

/** What is wrong with the keys and the token, so that no start is possible, a sentence each; makes and changes none. */
export function findSecretProblems(config: KeyConfig): string[] {
  return [...findKeyProblems(config), ...problemOf(() => void readAdminToken(config.dataDir))]
}

/** What is wrong with the keys, a sentence each; makes and changes none. */
export function findKeyProblems(config: KeyConfig): string[] {
  const stored = storedChecks(config.dataDir)
  return KEY_NAMES.flatMap((name) =>
    problemOf(() => {
      const configured = name === 'master.key' ? config.masterKey : undefined
      const key = configured === undefined ? readKey(config.dataDir, name) : Buffer.from(configured, 'base64')
      mustBeTheSame(key, name, config, stored)
    }),
  )
}

function problemOf(read: () => void): string[] {
  try {
    read()
    return []
  } catch (error) {
    if (error instanceof SecretFileError) return [error.message]
    throw error
  }
}

/** For the catalogue and the list of opt-outs to keep. */
export function keyChecksOf({ optOutKey, ecidKey }: Pick<SecretFiles, 'optOutKey' | 'ecidKey'>) {
  return { 'optout.key': keyCheck(optOutKey, 'optout.key'), 'ecid.key': keyCheck(ecidKey, 'ecid.key') }
}

function storedChecks(dataDir: string): StoredKeyChecks {
  const file = catalogFileOf(dataDir)
  try {
    return isEmptyFile(file) ? { checks: new Map() } : readKeyChecks(file)
  } catch {
    // A damaged catalogue is told by those who open it.
    return { checks: new Map() }
  }
}

function mustBeTheSame(key: Buffer, name: KeyName, config: KeyConfig, stored: StoredKeyChecks): void {
  if (name === 'master.key') {
    try {
      stored.openWith?.(key)
    } catch {
      throw otherKeyError(config.dataDir, name, config.masterKey !== undefined)
    }
    return
  }
  const check = stored.checks.get(name)
  if (check !== undefined && check !== keyCheck(key, name)) throw otherKeyError(config.dataDir, name)
}
