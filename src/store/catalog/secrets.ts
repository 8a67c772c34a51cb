import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/**
 * Secrets at rest: AES-256-GCM under one data key, which is itself wrapped by the master key, so that a new master key
 * means one small write. Object and field are bound as associated data: a sealed text moved to another row does not open.
 * Layout, in Base64: version (1 byte), nonce (12), ciphertext, tag (16). Source: [SEC-62].
 */
export interface Vault {
  /** @param place object and field, as `destination:423:config` */
  seal(text: string, place: string): string
  /** @throws SecretUnreadableError when the text was changed, moved, or sealed under another key */
  open(sealed: string, place: string): string
}

/** The stored secrets cannot be read with the key that was given. The start must stop. */
export class SecretUnreadableError extends Error {
  readonly code = 'secret_unreadable'
}

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const DATA_KEY_PLACE = 'settings:data_key'

/** A new data key, wrapped by the master key, for the catalogue to keep. */
export function createWrappedKey(masterKey: Buffer): string {
  return sealBytes(masterKey, randomBytes(KEY_BYTES), DATA_KEY_PLACE)
}

/** @throws SecretUnreadableError when `masterKey` is not the one that wrapped the data key */
export function openVault(masterKey: Buffer, wrappedKey: string): Vault {
  const dataKey = openBytes(masterKey, wrappedKey, DATA_KEY_PLACE)
  return {
    seal: (text, place) => sealBytes(dataKey, Buffer.from(text, 'utf8'), place),
    open: (sealed, place) => openBytes(dataKey, sealed, place).toString('utf8'),
  }
}

function sealBytes(key: Buffer, bytes: Buffer, place: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place, 'utf8'))
  const sealed = Buffer.concat([cipher.update(bytes), cipher.final()])
  return Buffer.concat([Buffer.of(VERSION), nonce, sealed, cipher.getAuthTag()]).toString('base64')
}

function openBytes(key: Buffer, sealed: string, place: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64')
  if (bytes[0] !== VERSION || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) {
    throw new SecretUnreadableError(`the secret at ${place} is not in a known form`)
  }
  const tagStart = bytes.length - TAG_BYTES
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(place, 'utf8'))
    .setAuthTag(bytes.subarray(tagStart))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES, tagStart)), decipher.final()])
  } catch (cause) {
    throw new SecretUnreadableError(`the secret at ${place} does not open with this master key`, { cause })
  }
}
