import { createHmac } from 'node:crypto'

/** The same for the same secret, and nothing to learn the secret from [SEC-63]. */
export type Fingerprint = (secret: string) => string

/**
 * Two secrets with the same last characters are told apart by it. Keyed, because the plain hash of a short password is found
 * by trying passwords; with the key of the installation, so that it is the same after a restart.
 */
export function createFingerprint(masterKey: Buffer): Fingerprint {
  const key = createHmac('sha256', masterKey).update('usher fingerprints of secrets').digest()
  return (secret) => createHmac('sha256', key).update(secret).digest('hex').slice(0, 12)
}
