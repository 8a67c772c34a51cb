import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import fc from '../../testkit/properties.ts'
import { createWrappedKey, openVault, SecretUnreadableError } from './secrets.ts'

const masterKey = randomBytes(32)

test('what is sealed opens again, and never reads the same twice [SEC-62~]', () => {
  const vault = openVault(masterKey, createWrappedKey(masterKey))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const sealed = vault.seal(text, 'destination:1:config')
      expect(vault.open(sealed, 'destination:1:config')).toBe(text)
      expect(vault.seal(text, 'destination:1:config')).not.toBe(sealed)
    }),
  )
})

test('a sealed text moved to another object or field does not open [SEC-62~]', () => {
  const vault = openVault(masterKey, createWrappedKey(masterKey))
  const sealed = vault.seal('secret', 'destination:1:config')
  for (const place of ['destination:2:config', 'destination:1:other'])
    expect(() => vault.open(sealed, place)).toThrow(SecretUnreadableError)
})

test('a changed bit anywhere is found [SEC-62~]', () => {
  const vault = openVault(masterKey, createWrappedKey(masterKey))
  const sealed = Buffer.from(vault.seal('secret', 'p'), 'base64')
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => vault.open(changed.toString('base64'), 'p')).toThrow(SecretUnreadableError)
  }
  expect(() => vault.open('', 'p')).toThrow(SecretUnreadableError)
})

test('another master key does not open the vault [SEC-62~]', () => {
  expect(() => openVault(randomBytes(32), createWrappedKey(masterKey))).toThrow(SecretUnreadableError)
})
