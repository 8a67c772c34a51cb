import { createHmac } from 'node:crypto'
import type { S2sConfig } from './destinations/s2s.ts'

export type HashAlgorithm = 'md5' | 'sha1' | 'sha256'
export type Header = readonly [name: string, value: string]

/** Base64 of the HMAC under the UTF-8 bytes of `key`. Source: outbound.md OUT-65, OUT-66. */
export function signHmac(algorithm: HashAlgorithm, key: string, message: string | Buffer): string {
  return createHmac(algorithm, key).update(message).digest('base64')
}

/**
 * The signature headers of a message: one for each signer, the old one first. During a rotation the second signer has a
 * header of its own, `<header>-Next` unless it names one; after the old key was removed the one signature goes under
 * both names until the rotation is ended. Source: outbound.md OUT-68, OUT-69, OUT-72, OUT-73.
 * @param message body of a POST, or path and query of a GET, byte for byte as sent
 */
export function signatureHeaders({ auth, mode }: Pick<S2sConfig, 'auth' | 'mode'>, message: string | Buffer): Header[] {
  if (auth.type !== 'hmac') return []
  const usual = auth.algorithm ?? (mode === 'compat' ? 'sha1' : 'sha256')
  const headers = auth.keys.map((signer, index): Header => {
    const name = signer.header ?? (index === 0 ? auth.header : `${auth.header}-Next`)
    return [name, signHmac(signer.algorithm ?? usual, signer.key, message)]
  })
  const [only] = headers
  if (headers.length === 1 && only !== undefined && auth.rotationHeader != null)
    headers.push([auth.rotationHeader, only[1]])
  return headers
}
