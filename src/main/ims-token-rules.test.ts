import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../config.ts'
import { imsTokenRulesOf } from './ims-token-rules.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-ims-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const rulesFrom = (keys: string) => imsTokenRulesOf(loadConfig({ env: { USHER_EDGE_IMS_KEYS: keys } }).edge)

test('RSA keys are read from their files; without any there are no rules [COL-118~]', () => {
  const path = join(folder, 'rsa.pem')
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(path, publicKey.export({ type: 'spki', format: 'pem' }))
  expect(rulesFrom(`${path},${path}`)?.keys.map((key) => key.asymmetricKeyType)).toEqual(['rsa', 'rsa'])
  expect(rulesFrom('')).toBe(undefined)
})

test('a file that is missing, is no key, or holds a key of another kind stops the start with the name of the setting', () => {
  const text = join(folder, 'text.pem')
  writeFileSync(text, 'no key')
  const curve = join(folder, 'curve.pem')
  writeFileSync(curve, generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }))
  for (const path of [join(folder, 'none.pem'), text, curve]) {
    expect(() => rulesFrom(path)).toThrow(ConfigError)
    expect(() => rulesFrom(path)).toThrow(`edge.imsKeys (USHER_EDGE_IMS_KEYS): ${path} cannot be read as an RSA key`)
  }
})
