import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/**
 * Keys that live in the data directory, one file each, readable by their owner only. Made on the first start; a data
 * directory that is already in use never gets a new one, because what was written under the old key would be lost.
 * Source: spec/operating.md [OPS-14], [OPS-26], spec/security.md [SEC-62], [SEC-79].
 */
export interface SecretFiles {
  /** 32 bytes; encrypts stored secrets. */
  readonly masterKey: Buffer
  /** Lets the commands of this machine sign in to the running server; 43 characters. */
  readonly adminToken: string
  /** 32 bytes; hashes the IDs of opt-outs. */
  readonly optOutKey: Buffer
  /** 32 bytes; maps devices to the IDs an organization sees. */
  readonly ecidKey: Buffer
  /** For the log, a sentence each. */
  readonly warnings: readonly string[]
}

export const ADMIN_TOKEN_FILE = 'admin.token'

/** A key that earlier data depends on is missing or damaged. Retrying cannot help; the message says what can. */
export class SecretFileError extends Error {
  readonly code = 'secret_file'
}

export interface SecretFileOptions {
  /** Of the configuration, Base64; then no file is made or read for it. */
  readonly masterKey?: string | undefined
  /** The stores already exist: a missing key file stops the start. */
  readonly inUse: boolean
}

/** @throws SecretFileError */
export function openSecretFiles(dataDir: string, options: SecretFileOptions): SecretFiles {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const warnings: string[] = []
  const key = (name: string, remedy: string) =>
    decodeKey(openFile(join(dataDir, name), remedy, options.inUse, warnings), name)
  const masterKey =
    options.masterKey === undefined
      ? masterKeyFile(dataDir, options.inUse, warnings)
      : Buffer.from(options.masterKey, 'base64')
  return {
    masterKey,
    optOutKey: key('optout.key', 'Restore it from a backup: without it earlier opt-outs cannot be recognised.'),
    ecidKey: key('ecid.key', 'Restore it from a backup: without it visitors would get new IDs.'),
    // Nothing depends on an old token, so a removed one is simply replaced: that is how it is revoked.
    adminToken: openFile(join(dataDir, ADMIN_TOKEN_FILE), '', false, warnings, 'base64url'),
    warnings,
  }
}

/** A random secret of the demo or a tool, kept in one file of the data directory: 43 URL-safe characters. */
export function openSecretFile(path: string): string {
  return openFile(path, '', false, [], 'base64url')
}

function masterKeyFile(dataDir: string, inUse: boolean, warnings: string[]): Buffer {
  const path = join(dataDir, 'master.key')
  if (!existsSync(path) && !inUse) {
    warnings.push(
      `Stored secrets are encrypted with a key made just now in ${path}. Keep a copy apart from backups, or set USHER_MASTER_KEY.`,
    )
  }
  return decodeKey(
    openFile(path, 'Restore it, or set USHER_MASTER_KEY to the key that was used.', inUse, warnings),
    'master.key',
  )
}

function openFile(
  path: string,
  remedy: string,
  inUse: boolean,
  warnings: string[],
  encoding: 'base64' | 'base64url' = 'base64',
): string {
  if (!existsSync(path)) {
    if (inUse) throw new SecretFileError(`${path} is missing although the data directory is in use. ${remedy}`)
    writeNew(path, randomBytes(32).toString(encoding))
  }
  // Windows has no such bits: access there follows the folder.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    warnings.push(
      `${path} could be read by other users of this machine; it is now restricted. Consider its secret known.`,
    )
    chmodSync(path, 0o600)
  }
  return readFileSync(path, 'utf8').trim()
}

/**
 * On the device before it is used: a key that is lost in a crash would take the data written under it along. Whole or not
 * at all: half a key, where there was no room for the rest, would stop every later start.
 */
function writeNew(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(file, `${text}\n`)
    fsyncSync(file)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

function decodeKey(text: string, name: string): Buffer {
  const key = Buffer.from(text, 'base64')
  if (key.length !== 32)
    throw new SecretFileError(`${name} does not hold 32 bytes in Base64. Restore it from a backup.`)
  return key
}
