import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSecretFile, openSecretFiles, readAdminToken, SecretFileError } from './secret-files.ts'

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-secrets-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const fresh = { inUse: false }

test('the first start makes every key with mode 0600 and warns of the master key [OPS-26] [OPS-14~]', () => {
  const secrets = openSecretFiles(dataDir, fresh)
  expect(readdirSync(dataDir).sort()).toEqual(['admin.token', 'ecid.key', 'master.key', 'optout.key'])
  for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600)
  expect(secrets.warnings).toHaveLength(1)
  expect(secrets.warnings[0]).toContain('USHER_MASTER_KEY')
  expect(secrets.masterKey).toHaveLength(32)
  expect(secrets.adminToken).toMatch(/^[A-Za-z0-9_-]{43}$/)
})

test('the next start finds the same keys and is silent', () => {
  const { warnings: _, ...first } = openSecretFiles(dataDir, fresh)
  const { warnings, ...second } = openSecretFiles(dataDir, { inUse: true })
  expect(second).toEqual(first)
  expect(warnings).toEqual([])
})

test('a configured master key is used and no file is made for it [OPS-26]', () => {
  const masterKey = Buffer.alloc(32, 7)
  const secrets = openSecretFiles(dataDir, { inUse: false, masterKey: masterKey.toString('base64') })
  expect(secrets.masterKey).toEqual(masterKey)
  expect(secrets.warnings).toEqual([])
  expect(readdirSync(dataDir)).not.toContain('master.key')
})

test.each(['master.key', 'optout.key', 'ecid.key'])(
  'a data directory in use without its %s is refused, not re-keyed [SEC-62~]',
  (name) => {
    openSecretFiles(dataDir, fresh)
    rmSync(join(dataDir, name))
    expect(() => openSecretFiles(dataDir, { inUse: true })).toThrow(SecretFileError)
    expect(readdirSync(dataDir)).not.toContain(name)
  },
)

test('a removed token is replaced: that revokes it', () => {
  const { adminToken } = openSecretFiles(dataDir, fresh)
  rmSync(join(dataDir, 'admin.token'))
  expect(openSecretFiles(dataDir, { inUse: true }).adminToken).not.toBe(adminToken)
})

test('an empty token is replaced, and said', () => {
  openSecretFiles(dataDir, fresh)
  writeFileSync(join(dataDir, 'admin.token'), '')
  const { adminToken, warnings } = openSecretFiles(dataDir, { inUse: true })
  expect(adminToken).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(readFileSync(join(dataDir, 'admin.token'), 'utf8')).toBe(`${adminToken}\n`)
  expect(warnings).toEqual([expect.stringContaining('admin.token was empty')])
  expect(statSync(join(dataDir, 'admin.token')).mode & 0o077).toBe(0)
})

test.each([
  ['ecid.key', 'A backup holds it'],
  ['optout.key', 'A backup holds it'],
  ['master.key', 'backups, which never hold it'],
])('a damaged %s is refused by name, with where another is', (name, way) => {
  openSecretFiles(dataDir, fresh)
  for (const content of ['short', '', `${Buffer.alloc(32).toString('base64')}more`]) {
    writeFileSync(join(dataDir, name), content)
    expect(() => openSecretFiles(dataDir, { inUse: true })).toThrow(name)
    expect(() => openSecretFiles(dataDir, { inUse: true })).toThrow(way)
  }
})

test.each([
  ['x', 'has fewer than 24 characters'],
  ['a-token-of-23-character', 'has fewer than 24 characters'],
  ['a-token-of-24-characters', undefined],
  ['\u00fc b', 'holds what no header can carry'],
  ['a token with blanks that is long', 'holds what no header can carry'],
  ['ein-schl\u00fcssel-mit-umlauten-drin', 'holds what no header can carry'],
])('an admin.token of %j is held to the rule of the configured one [OPS-22] [OPS-14~]', (token, issue) => {
  openSecretFiles(dataDir, fresh)
  const path = join(dataDir, 'admin.token')
  writeFileSync(path, `${token}\n`)
  const open = () => openSecretFiles(dataDir, { inUse: true }).adminToken
  const read = () => readAdminToken(dataDir)
  for (const use of [open, read]) {
    if (issue === undefined) {
      expect(use()).toBe(token)
      continue
    }
    expect(use).toThrow(SecretFileError)
    const way = 'Remove it: the next start of the server puts a new one there'
    expect(use).toThrow(`${path} ${issue}. Allowed: at least 24 characters, visible ASCII without blanks. ${way}`)
    if (token !== 'x') expect(use).not.toThrow(token)
  }
  expect(readFileSync(path, 'utf8')).toBe(`${token}\n`)
})

test.each([
  ['admin.token', 'Remove it'],
  ['ecid.key', 'A backup holds it'],
  ['optout.key', 'A backup holds it'],
  ['master.key', 'backups, which never hold it'],
  ['demo-partner.key', 'Remove it'],
])('a folder in the place of %s is named, with what to do, and left as it is [OPS-14~]', (name, way) => {
  openSecretFiles(dataDir, fresh)
  const path = join(dataDir, name)
  rmSync(path, { force: true })
  mkdirSync(path)
  chmodSync(path, 0o755)
  const open = () => void (name.startsWith('demo') ? openSecretFile(path) : openSecretFiles(dataDir, { inUse: true }))
  expect(open).toThrow(SecretFileError)
  expect(open).toThrow(`${path} is a folder. `)
  expect(open).toThrow(way)
  if (name === 'admin.token') expect(() => readAdminToken(dataDir)).toThrow(`${path} is a folder. Remove it`)
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o755)
})

test.skipIf(process.platform === 'win32')('a file that others could read is restricted, with a warning', () => {
  openSecretFiles(dataDir, fresh)
  chmodSync(join(dataDir, 'admin.token'), 0o644)
  const { warnings } = openSecretFiles(dataDir, { inUse: true })
  expect(warnings[0]).toContain('admin.token')
  expect(statSync(join(dataDir, 'admin.token')).mode & 0o777).toBe(0o600)
})
