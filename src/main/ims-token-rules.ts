import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ImsTokenRules } from '../collect/ims-token.ts'
import { ConfigError, type EdgeSettings } from '../config.ts'

/** @throws ConfigError for a file that cannot be read or holds no RSA key or certificate */
export function imsTokenRulesOf({ imsKeys, imsClients }: EdgeSettings): ImsTokenRules | undefined {
  if (imsKeys.length === 0) return undefined
  return { keys: imsKeys.map(readKey), clientIds: imsClients }
}

function readKey(path: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPublicKey(readFileSync(path))
  } catch {
    // Said below, with the setting's name.
  }
  if (key?.asymmetricKeyType === 'rsa') return key
  throw new ConfigError([
    `edge.imsKeys (USHER_EDGE_IMS_KEYS): ${path} cannot be read as an RSA key. Allowed: a list of PEM files`,
  ])
}
