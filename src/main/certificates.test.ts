import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GOOD } from '../../test/hostile/bad-certificates.ts'
import { ConfigError, loadConfig } from '../config.ts'
import { readExtraCa, readTls } from './certificates.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-certificates-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function fileOf(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const extraCa = (path: string) => readExtraCa(loadConfig({ env: { USHER_EXTRA_CA: path } }))

test('further authorities are read as they are; without any there are none [SEC-28~] [OPS-25]', () => {
  const two = `# ours\n${GOOD}\n${GOOD}`
  expect(extraCa(fileOf('ca.pem', two))).toBe(two)
  expect(readExtraCa(loadConfig({ env: {} }))).toBeUndefined()
})

test.each([
  ['text', 'no certificate', 'holds no certificate'],
  ['nothing', '', 'holds no certificate'],
  ['a broken block', `${GOOD}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, 'block 2 of'],
  [
    'a key',
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'block 1 of',
  ],
])('a file of authorities that holds %s stops the start with the name of the setting [SEC-28~]', (_name, text, why) => {
  const path = fileOf('bad.pem', text)
  expect(() => extraCa(path)).toThrow(ConfigError)
  expect(() => extraCa(path)).toThrow('extraCa (USHER_EXTRA_CA)')
  expect(() => extraCa(path)).toThrow(why)
})

test('a file that is missing, or a key of another certificate, stops the start with the names of the settings', () => {
  const missing = join(folder, 'none.pem')
  expect(() => extraCa(missing)).toThrow(`extraCa (USHER_EXTRA_CA): ${missing} cannot be read`)
  const key = fileOf(
    'key.pem',
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  )
  const env = { USHER_TLS_CERT: fileOf('cert.pem', GOOD), USHER_TLS_KEY: key }
  expect(() => readTls(loadConfig({ env }))).toThrow(
    'tls.cert (USHER_TLS_CERT) and tls.key (USHER_TLS_KEY) do not belong together',
  )
  expect(() => readTls(loadConfig({ env: { ...env, USHER_TLS_CERT: missing } }))).toThrow(ConfigError)
})

test('a key that is locked with a passphrase is said to be that, with how to unlock it', () => {
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'secret' }
  const { privateKey } = generateKeyPairSync('ed25519')
  const locked = fileOf('locked.pem', privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }).toString())
  const cert = fileOf('cert.pem', GOOD)
  expect(() => readTls(loadConfig({ env: { USHER_TLS_CERT: cert, USHER_TLS_KEY: locked } }))).toThrow(
    /tls\.key .* is locked with a passphrase.*openssl pkey/,
  )
})
