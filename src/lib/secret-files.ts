import { createHmac, randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { ADMIN_TOKEN, adminTokenIssue } from './admin-token.ts'

/**
 * Keys that live in the data directory, one file each, readable by their owner only. Made on the first start; a data
 * directory that is already in use never gets a new one, because what was written under the old key would be lost.
 * Source: spec/operating.md [OPS-14], [OPS-26], spec/security.md [SEC-62], [SEC-79].
 */
export interface SecretFiles {
  /** 32 bytes; encrypts stored secrets. */
  readonly masterKey: Buffer
  /** Lets the commands of this machine sign in to the running server; 43 characters, unless somebody put another there. */
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

export const KEY_NAMES = ['master.key', 'optout.key', 'ecid.key'] as const
export type KeyName = (typeof KEY_NAMES)[number]

const REMEDIES: Readonly<Record<KeyName, string>> = {
  'master.key':
    'Put back the copy that is kept apart from backups, which never hold it, or set USHER_MASTER_KEY to the key that was used (docs/backup.md)',
  'optout.key':
    'Without it earlier opt-outs cannot be recognised. A backup holds it: restore one into another folder, and take it from there (docs/damage.md)',
  'ecid.key':
    'Without it visitors would get new IDs. A backup holds it: restore one into another folder, and take it from there (docs/damage.md)',
}

/** @throws SecretFileError */
export function openSecretFiles(dataDir: string, options: SecretFileOptions): SecretFiles {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const warnings: string[] = []
  const key = (name: KeyName) => {
    const path = join(dataDir, name)
    if (!existsSync(path) && !options.inUse) makeKey(path, name, warnings)
    return readKey(dataDir, name, warnings)
  }
  const { masterKey } = options
  return {
    masterKey: masterKey === undefined ? key('master.key') : Buffer.from(masterKey, 'base64'),
    optOutKey: key('optout.key'),
    ecidKey: key('ecid.key'),
    // Nothing depends on an old token, so a removed one is simply replaced: that is how it is revoked.
    adminToken: openAdminToken(dataDir, warnings),
    warnings,
  }
}

/** One key of a data directory in use. @throws SecretFileError where it is missing or cannot be one */
export function readKey(dataDir: string, name: KeyName, warnings: string[] = []): Buffer {
  const path = join(dataDir, name)
  if (!existsSync(path))
    throw new SecretFileError(`${path} is missing although the data directory is in use. ${REMEDIES[name]}`)
  const text = readClosed(path, REMEDIES[name], warnings)
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text))
    throw new SecretFileError(`${path} does not hold 32 bytes in Base64. ${REMEDIES[name]}`)
  return Buffer.from(text, 'base64')
}

/** A sound key, and another than the one that the data was written with. */
export function otherKeyError(dataDir: string, name: KeyName, isConfigured = false): SecretFileError {
  return new SecretFileError(
    `${isConfigured ? 'masterKey (USHER_MASTER_KEY)' : join(dataDir, name)} is not the key that this data directory was written with: it was changed, or is of another installation. Nothing was changed. ${REMEDIES[name]}`,
  )
}

/** By which a key is known again; it tells nothing of the key. */
export function keyCheck(key: Buffer, name: KeyName): string {
  return createHmac('sha256', key).update(`usher ${name}`).digest().subarray(0, 16).toString('base64url')
}

/** A random secret of the demo or a tool, kept in one file of the data directory: 43 URL-safe characters. */
export function openSecretFile(path: string): string {
  return openToken(path, [])
}

/** The token that a command of this machine signs in with; undefined where there is none. @throws SecretFileError */
export function readAdminToken(dataDir: string): string | undefined {
  const path = join(dataDir, ADMIN_TOKEN_FILE)
  const text = existsSync(path) ? readText(path, TOKEN_REMEDY) : ''
  return text === '' ? undefined : mustBeToken(text, path)
}

/** Whoever holds it may do everything, so it is held to the rule of the configured one [OPS-22]. */
function openAdminToken(dataDir: string, warnings: string[]): string {
  const path = join(dataDir, ADMIN_TOKEN_FILE)
  return mustBeToken(openToken(path, warnings), path)
}

function mustBeToken(text: string, path: string): string {
  const issue = adminTokenIssue(text)
  if (issue === undefined) return text
  throw new SecretFileError(`${path} ${issue}. Allowed: ${ADMIN_TOKEN.allowed}. ${TOKEN_REMEDY}`)
}

const TOKEN_REMEDY = 'Remove it: the next start of the server puts a new one there'

function openToken(path: string, warnings: string[]): string {
  if (!existsSync(path)) writeNew(path, newToken())
  const text = readClosed(path, TOKEN_REMEDY, warnings)
  if (text !== '') return text
  const token = newToken()
  rmSync(`${path}.new`, { force: true })
  writeNew(`${path}.new`, token)
  renameSync(`${path}.new`, path)
  warnings.push(`${path} was empty; there is a new token in it.`)
  return token
}

function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function makeKey(path: string, name: KeyName, warnings: string[]): void {
  writeNew(path, randomBytes(32).toString('base64'))
  if (name === 'master.key')
    warnings.push(
      `Stored secrets are encrypted with a key made just now in ${path}. Keep a copy apart from backups, or set USHER_MASTER_KEY.`,
    )
}

/** Closes the file to others, if it was open to them. */
function readClosed(path: string, remedy: string, warnings: string[]): string {
  const text = readText(path, remedy)
  // Windows has no such bits: access there follows the folder.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    warnings.push(
      `${path} could be read by other users of this machine; it is now restricted. Consider its secret known.`,
    )
    chmodSync(path, 0o600)
  }
  return text
}

/** @throws SecretFileError with the path, which Node leaves out for a folder */
function readText(path: string, remedy: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EISDIR' ? 'is a folder' : `cannot be read (${message})`
    throw new SecretFileError(`${path} ${why}. ${remedy}`, { cause: error })
  }
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
